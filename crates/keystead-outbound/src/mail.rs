//! Sending mail by SMTP.

use std::time::Duration;

use keystead_model::mail::Mail;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use tokio::time::timeout;

/// How long it may take to hand over a mail, all in all: the library bounds the connecting, and waits for a greeting for ever.
const LONGEST: Duration = Duration::from_secs(60);

/// A way to a mail server.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    longest: Duration,
}

/// What is wrong with a URL, as far as its form tells. The library passes over what it does not know.
fn problem_of(url: &str) -> Option<&'static str> {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let has_other = |parameter: &str| !matches!(parameter, "" | "tls=required" | "tls=opportunistic");
    if !url.starts_with("smtp://") && !url.starts_with("smtps://") {
        Some("must begin with smtp:// or smtps://")
    } else if parameters.split('&').any(has_other) {
        Some("has a parameter that is not known; tls=required and tls=opportunistic are")
    } else if url.starts_with("smtps://") && !parameters.is_empty() {
        Some("has tls= beside smtps://, which is encrypted from the beginning; leave it out")
    } else {
        None
    }
}

impl Mailer {
    /// From `smtp://user:password@host:587?tls=required` or `smtps://…`, and the sender's address.
    pub fn new(url: &str, from: &str) -> Result<Self, String> {
        // Once per process; a second call is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let from = from.parse().map_err(|_| "the mail address to send from is none".to_owned())?;
        if let Some(problem) = problem_of(url) {
            return Err(format!("the SMTP URL {problem}"));
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            // What the library says of it names its own switches, and might name the password.
            .map_err(|_| {
                "the SMTP URL is not readable; it looks like smtp://user:password@host:587?tls=required, with %40 for an @ in \
                 the password"
                    .to_owned()
            })?
            .timeout(Some(Duration::from_secs(30)))
            .build();
        Ok(Self { transport, from, longest: LONGEST })
    }

    /// Hands a mail to the server; what it said, if it did not take it. However often a mail is sent, it has the same
    /// `Message-ID`, by which those who get it twice can tell.
    pub async fn send(&self, mail: &Mail) -> Result<(), String> {
        let to: Mailbox = mail.to.parse().map_err(|_| "the address is none".to_owned())?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&mail.subject)
            .message_id(Some(format!("<{}@keystead>", mail.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone())
            .map_err(|error| error.to_string())?;
        match timeout(self.longest, self.transport.send(message)).await {
            Ok(sent) => sent.map(drop).map_err(|error| error.to_string()),
            Err(_) => Err("the mail server took too long".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use keystead_model::{
        UtcMs,
        id::Id,
        mail::{MailReader, MailState},
        notice::Mailing,
    };
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_server_that_never_greets_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut mailer = Mailer::new(&format!("smtp://{}", listener.local_addr().unwrap()), "a@example.com").unwrap();
        mailer.longest = Duration::from_millis(100);
        let mail = Mail {
            id: Id::generate(UtcMs(0), |_| ()),
            mailing: Mailing::Alert,
            reader: MailReader::Member(Id::generate(UtcMs(0), |_| ())),
            to: "b@example.com".to_owned(),
            subject: "s".to_owned(),
            body: "b".to_owned(),
            state: MailState::Waiting,
            attempts: 1,
            created_at: UtcMs(0),
            problem: None,
        };
        tokio::select! {
            sent = mailer.send(&mail) => assert_eq!(sent, Err("the mail server took too long".to_owned())),
            () = tokio::time::sleep(Duration::from_secs(10)) => panic!("it is waited for"),
        }
    }
}
