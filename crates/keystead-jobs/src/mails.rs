//! Sending mails.

use keystead_core::{App, Mailer};
use keystead_model::job::JobKind;

use crate::Worker;

/// Mails that are under way at a time: mail servers count connections.
const AT_ONCE: usize = 8;

/// Sends mails.
pub fn mail_worker(app: &App, mailer: &Mailer, base_url: &str) -> Worker {
    let (mailer, base_url) = (mailer.clone(), base_url.to_owned());
    Worker::new(app.clone(), JobKind::Mail, AT_ONCE, move |app, job, until| {
        let (mailer, base_url) = (mailer.clone(), base_url.clone());
        async move { app.send_mail(&mailer, &base_url, job, until).await }
    })
}
