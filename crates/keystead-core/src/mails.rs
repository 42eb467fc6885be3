//! Mails: one summary a day to each admin whose keys have had their first notice.
//!
//! They inform and never decide: a notice counts because it is recorded in the app, whatever becomes of the mail.

use keystead_model::{
    UtcMs,
    inactivity::Stage,
    mail::{Mail, MailState},
    notice::{Notice, NoticeKind},
    time::{DAY_MS, HOUR_MS, MINUTE_MS},
    user::User,
};
use keystead_store::{
    Tx, agencies, mails,
    notices::{self, NoticeFilter, NoticeReader},
    users,
};

use crate::{App, Error, Result};

const IDLE_SUMMARY: &str = "idle_summary";
/// A mail is given up after so long.
const GIVEN_UP_MS: i64 = 5 * DAY_MS;
/// Mails are kept so long, for the outbox.
const KEPT_MS: i64 = 30 * DAY_MS;
/// How long a node has a mail to itself.
const CLAIM_MS: i64 = 10 * MINUTE_MS;
/// Keys that are named in one mail.
const NAMED: usize = 50;

/// The open notices of inactivity that a member is told about.
fn open_notices(tx: &mut Tx<'_>, user: &User, now: UtcMs) -> keystead_store::Result<Vec<Notice>> {
    let actor = keystead_model::actor::Actor::User(user.id);
    let reader = NoticeReader { actor, agency: user.agency, reach: user.grant().reach, own_only: false };
    let filter = NoticeFilter { open: true, archived: true, ..NoticeFilter::default() };
    let found = notices::list(tx, &reader, &filter, now, None, 1000)?;
    Ok(found.into_iter().filter(|notice| matches!(notice.kind, NoticeKind::Inactivity(_))).collect())
}

impl App {
    /// Puts a summary into the outbox for every admin who has a new first notice, at most one a day. Called by the jobs;
    /// `base_url` is for the links. Answers how many that were.
    pub async fn queue_mails(&self, base_url: &str) -> Result<u64> {
        let now = self.clock.now();
        let mut queued = 0;
        for agency in self.store.read(agencies::list).await? {
            let members = self.store.read(move |tx| users::list(tx, agency.id)).await?;
            for user in members.into_iter().filter(|user| !user.disabled && user.role.manages_members()) {
                let reader = user.clone();
                let looked = self.store.read(move |tx| {
                    Ok::<_, keystead_store::Error>((
                        open_notices(tx, &reader, now)?,
                        mails::last_of(tx, reader.id, IDLE_SUMMARY)?,
                    ))
                });
                let (open, last) = looked.await?;
                let is_new = |notice: &Notice| {
                    notice.kind == NoticeKind::Inactivity(Stage::Fifteen)
                        && last.is_none_or(|last| notice.recorded_at > last)
                };
                if !open.iter().any(is_new) {
                    continue;
                }
                let (subject, body) = self.compose(&user, &open, now, base_url);
                let mail = Mail {
                    id: self.entropy.id(now),
                    user: user.id,
                    to: user.email.as_str().to_owned(),
                    subject,
                    body,
                    state: MailState::Waiting,
                    attempts: 0,
                    created_at: now,
                    problem: None,
                };
                // One a day, whichever node is faster.
                let added = self.store.write(move |tx| mails::insert(tx, &mail, IDLE_SUMMARY, &now.to_day()));
                queued += u64::from(added.await?);
            }
        }
        Ok(queued)
    }

    fn compose(&self, user: &User, open: &[Notice], now: UtcMs, base_url: &str) -> (String, String) {
        let count = open.len();
        let (keys, are) = if count == 1 { ("key", "is") } else { ("keys", "are") };
        let mut sorted: Vec<&Notice> = open.iter().collect();
        sorted.sort_by_key(|notice| notice.deletes_at);
        let mut body = format!(
            "Hello {},\n\n{count} API {keys} {are} unused and will be deleted unless somebody uses or keeps them:\n\n",
            user.display_name()
        );
        for notice in sorted.iter().take(NAMED) {
            let at = self.to_utc(notice.deletes_at, now).to_iso();
            // A name may hold anything but a line's end.
            body.push_str(&format!("- {} (not before {} UTC)\n", notice.key_name, at[..16].replace('T', " ")));
        }
        if count > NAMED {
            body.push_str(&format!("- and {} more\n", count - NAMED));
        }
        let place = match user.locations.first().filter(|_| user.role.is_account()) {
            Some(location) => format!("/app/locations/{location}"),
            None => "/app/agency".to_owned(),
        };
        body.push_str(&format!("\nSee them, and keep what you need: {base_url}{place}/notices\n"));
        body.push_str("\nA key that is used keeps itself: its notices close on their own.\n");
        (format!("{count} API {keys} unused and about to be deleted"), body)
    }

    /// The next mail to send, composed as things are now; `None` if none is due. Whoever takes it must settle it with
    /// [`App::mail_sent`] or [`App::mail_refused`].
    pub async fn next_mail(&self, base_url: &str) -> Result<Option<Mail>> {
        loop {
            let now = self.clock.now();
            let (app, base_url) = (self.clone(), base_url.to_owned());
            let next = self.store.write(move |tx| {
                let Some(mut mail) = mails::claim(tx, now, UtcMs(now.0 + CLAIM_MS))? else { return Ok(None) };
                let user = users::find_for_session(tx, mail.user)?.map(|(user, _)| user).filter(|user| !user.disabled);
                let open = match &user {
                    Some(user) => open_notices(tx, user, now)?,
                    None => Vec::new(),
                };
                match user {
                    Some(user) if !open.is_empty() => {
                        (mail.subject, mail.body) = app.compose(&user, &open, now, &base_url);
                    }
                    // Settled while it waited: nobody needs it any more.
                    _ => {
                        mail.state = MailState::Dropped;
                        mails::settle(tx, &mail, now)?;
                    }
                }
                Ok::<_, Error>(Some(mail))
            });
            match next.await? {
                Some(mail) if mail.state == MailState::Dropped => {}
                other => return Ok(other),
            }
        }
    }

    /// The mail server took a mail.
    pub async fn mail_sent(&self, mail: Mail) -> Result<()> {
        let (now, mail) = (self.clock.now(), Mail { state: MailState::Sent, problem: None, ..mail });
        Ok(self.store.write(move |tx| mails::settle(tx, &mail, now)).await?)
    }

    /// The mail server did not take it: again later and later, up to every six hours, and for five days.
    pub async fn mail_refused(&self, mail: Mail, problem: &str) -> Result<()> {
        let now = self.clock.now();
        let problem = keystead_model::text::echo(problem);
        if now - mail.created_at > GIVEN_UP_MS {
            let mail = Mail { state: MailState::Dropped, problem: Some(problem), ..mail };
            return Ok(self.store.write(move |tx| mails::settle(tx, &mail, now)).await?);
        }
        let wait = (MINUTE_MS << mail.attempts.clamp(0, 9)).min(6 * HOUR_MS);
        Ok(self.store.write(move |tx| mails::retry(tx, mail.id, &problem, UtcMs(now.0 + wait))).await?)
    }

    /// The newest mails, for the operator's outbox.
    pub async fn list_mails(&self) -> Result<Vec<Mail>> {
        Ok(self.store.read(|tx| mails::list(tx, 200)).await?)
    }

    /// Forgets mails of long ago. Called by the jobs.
    pub async fn trim_mails(&self) -> Result<u64> {
        let before = UtcMs(self.clock.now().0 - KEPT_MS);
        Ok(self.store.write(move |tx| mails::trim(tx, before)).await?)
    }
}
