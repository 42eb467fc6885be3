//! Writing what follows from a change in many rows.

use keystead_core::App;
use keystead_model::job::JobKind;

use crate::Worker;

/// Jobs that are worked on at a time: each writes to the database without a pause.
const AT_ONCE: usize = 2;

/// Writes what follows from changes.
pub fn aftermath_worker(app: &App) -> Worker {
    Worker::new(app.clone(), JobKind::Aftermath, AT_ONCE, |app, job, until| async move {
        app.work_on_aftermath(job, until).await
    })
}
