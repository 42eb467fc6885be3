//! Importing files of rows.

use std::sync::Arc;

use keystead_core::{App, RowReader};
use keystead_model::job::JobKind;

use crate::Worker;

/// Imports that are under way at a time: each keeps the database busy.
const AT_ONCE: usize = 1;

/// Works on imports.
pub fn import_worker(app: &App, reader: &Arc<dyn RowReader>) -> Worker {
    let reader = Arc::clone(reader);
    Worker::new(app.clone(), JobKind::Import, AT_ONCE, move |app, job, until| {
        let reader = Arc::clone(&reader);
        async move { app.work_on_import(reader, job, until).await }
    })
}
