//! Mails to admins, and to the addresses that agencies and keys name: one summary a day of keys that are about to end, and at once what is urgent.
//!
//! They inform and never decide: a notice counts because it is recorded in the app, whatever becomes of the mail.

use std::time::Duration;

use keystead_model::{
    AgencyId, UtcMs,
    actor::Actor,
    agency::Agency,
    grant::Reach,
    job::{Job, JobKind},
    mail::{Mail, MailReader, MailState},
    notice::{Channel, Mailing, Muted, Notice, NoticeKind, NoticeNoun},
    page::Window,
    text::{EmailAddress, echo},
    time::{DAY_MS, HOUR_MS, MINUTE_MS},
    user::User,
};
use keystead_outbound::{
    Mailer,
    templates::{Letter, Reader},
};
use keystead_store::{
    Tx, agencies, api_keys, mails,
    notices::{self, Contact, NoticeFilter, NoticeReader},
    queue, users,
};
use tokio::time::{Instant, timeout_at};

use crate::{
    App, Error, Result,
    notices::reader_of,
    queue::{Outcome, Settled},
    tally::Happening,
};

/// A mail is given up so long after its first try.
const GIVEN_UP_MS: i64 = 5 * DAY_MS;
/// Mails are kept so long, for the outbox.
const KEPT_MS: i64 = 30 * DAY_MS;
/// Notices that one mail looks at.
const NOTICES: i64 = 1000;

/// Somebody who gets mails.
#[derive(Clone)]
enum Addressee {
    /// An admin, who chooses what they get.
    Member(Box<User>),
    /// Whom an agency or a key names besides. They hear of the keys that name them, or of all.
    Contact { agency: AgencyId, address: EmailAddress, hears_all: bool },
}

impl Addressee {
    fn of(agency: &Agency, address: EmailAddress) -> Self {
        let hears_all = agency.keys.contact.as_ref() == Some(&address);
        Self::Contact { agency: agency.id, address, hears_all }
    }

    fn mail_reader(&self) -> MailReader {
        match self {
            Self::Member(user) => MailReader::Member(user.id),
            Self::Contact { agency, address, .. } => MailReader::Contact(*agency, address.clone()),
        }
    }

    fn agency(&self) -> AgencyId {
        match self {
            Self::Member(user) => user.agency,
            Self::Contact { agency, .. } => *agency,
        }
    }

    fn address(&self) -> &EmailAddress {
        match self {
            Self::Member(user) => &user.email,
            Self::Contact { address, .. } => address,
        }
    }

    fn reader(&self) -> NoticeReader {
        let agency = self.agency();
        match self {
            Self::Member(user) => reader_of(Actor::User(user.id), agency, user.grant()),
            Self::Contact { address, hears_all, .. } => {
                let named = (!hears_all).then(|| address.clone());
                let contact = Some(Contact { id: self.mail_reader().to_stored(), named });
                NoticeReader {
                    actor: Actor::System,
                    agency,
                    reach: Reach::Agency,
                    nouns: vec![NoticeNoun::Key],
                    contact,
                }
            }
        }
    }

    fn muted(&self, tx: &mut Tx<'_>) -> keystead_store::Result<Muted> {
        match self {
            Self::Member(user) => notices::muted(tx, user.id),
            Self::Contact { .. } => Ok(Muted::default()),
        }
    }
}

/// The open notices that somebody wants by mail.
fn wanted(tx: &mut Tx<'_>, to: &Addressee, filter: NoticeFilter, now: UtcMs) -> keystead_store::Result<Vec<Notice>> {
    let filter = NoticeFilter { open: true, archived: true, ..filter };
    let found = notices::list(tx, &to.reader(), &filter, now, &Window::first(NOTICES))?.rows;
    let muted = to.muted(tx)?;
    let is_wanted = |notice: &Notice| {
        // Of what has ended there is nothing to save any more.
        let has_ended = matches!(notice.kind, NoticeKind::Deleted | NoticeKind::Expired);
        !has_ended && !muted.has(notice.kind.topic(), Channel::Email)
    };
    Ok(found.into_iter().filter(is_wanted).collect())
}

/// Those that were in no mail yet.
fn news(tx: &mut Tx<'_>, to: &Addressee, now: UtcMs) -> keystead_store::Result<Vec<Notice>> {
    wanted(tx, to, NoticeFilter { unmailed: true, ..NoticeFilter::default() }, now)
}

/// Everybody of an agency who gets mails: its admins, and the addresses that it and its keys name, if these are not theirs.
fn addressees(tx: &mut Tx<'_>, agency: &Agency) -> keystead_store::Result<Vec<Addressee>> {
    let members = users::list(tx, agency.id, &Window::all())?.rows;
    let admins = members.into_iter().filter(|user| !user.disabled && user.role.manages_members());
    let mut all: Vec<Addressee> = admins.map(|user| Addressee::Member(Box::new(user))).collect();
    for address in agency.keys.contact.clone().into_iter().chain(api_keys::contacts(tx, agency.id)?) {
        let is_there = |known: &Addressee| known.address().normalized() == address.normalized();
        if !all.iter().any(is_there) {
            all.push(Addressee::of(agency, address));
        }
    }
    Ok(all)
}

fn belongs(notice: &Notice, mailing: Mailing) -> bool {
    notice.kind.mailing() == mailing
}

/// What a mail tells of: a summary of all that is open now, an alert of what it was written for.
fn told(tx: &mut Tx<'_>, to: &Addressee, mail: &Mail, now: UtcMs) -> keystead_store::Result<Vec<Notice>> {
    let mut told = match mail.mailing {
        Mailing::Summary => wanted(tx, to, NoticeFilter::default(), now)?,
        Mailing::Alert => wanted(tx, to, NoticeFilter { mail: Some(mail.id), ..NoticeFilter::default() }, now)?,
    };
    told.retain(|notice| belongs(notice, mail.mailing));
    Ok(told)
}

impl App {
    /// Puts mails into the outbox for everybody who gets some and has notices that were in no mail yet: at most one summary a day,
    /// and alerts. Called by the jobs; `base_url` is for the links. Answers how many that were.
    pub async fn queue_mails(&self, base_url: &str) -> Result<u64> {
        let now = self.clock.now();
        let mut queued = 0;
        for agency in self.store.read(agencies::list).await? {
            for to in self.store.read(move |tx| addressees(tx, &agency)).await? {
                let reader = to.clone();
                // Nearly always there is none: looking takes no writer.
                let news = self.store.read(move |tx| news(tx, &reader, now)).await?;
                for mailing in [Mailing::Alert, Mailing::Summary] {
                    if news.iter().any(|notice| belongs(notice, mailing)) {
                        queued += u64::from(self.queue_mail(&to, mailing, now, base_url).await?);
                    }
                }
            }
        }
        Ok(queued)
    }

    /// Puts one mail into the outbox, if there still is news and, of summaries, none was put there today.
    async fn queue_mail(&self, to: &Addressee, mailing: Mailing, now: UtcMs, base_url: &str) -> Result<bool> {
        let (app, to, base_url, id) = (self.clone(), to.clone(), base_url.to_owned(), self.entropy.id(now));
        let at = self.clock.told();
        let queued = self.store.write(move |tx| {
            let mut news = news(tx, &to, now)?;
            news.retain(|notice| belongs(notice, mailing));
            if news.is_empty() {
                return Ok(false);
            }
            let mut mail = Mail {
                id,
                mailing,
                reader: to.mail_reader(),
                to: to.address().as_str().to_owned(),
                subject: String::new(),
                body: String::new(),
                state: MailState::Waiting,
                attempts: 0,
                created_at: now,
                problem: None,
            };
            let open = match mailing {
                Mailing::Summary => told(tx, &to, &mail, now)?,
                Mailing::Alert => news,
            };
            (mail.subject, mail.body) = app.compose(&to, mailing, &open, now, &base_url);
            if !mails::insert(tx, &mail)? {
                return Ok(false);
            }
            open.iter().try_for_each(|notice| notices::set_mailed(tx, &mail.reader, notice.id, id))?;
            queue::add(tx, JobKind::Mail, id.of_anything(), to.agency().of_anything(), at)?;
            Ok::<_, keystead_store::Error>(true)
        });
        Ok(queued.await?)
    }

    fn compose(
        &self,
        to: &Addressee,
        mailing: Mailing,
        open: &[Notice],
        now: UtcMs,
        base_url: &str,
    ) -> (String, String) {
        let deletes_at = |notice: &Notice| notice.about.key().map(|key| self.to_utc(key.deletes_at, now));
        let notices: Vec<_> = open.iter().map(|notice| (notice.clone(), deletes_at(notice))).collect();
        let reader = match to {
            Addressee::Member(user) => Reader::Member(user),
            Addressee::Contact { address, .. } => Reader::Contact(address.as_str()),
        };
        Letter { reader, mailing, notices: &notices, base_url }.write()
    }

    /// Works on a job of a mail, composed as things are now. It ends before `until`.
    pub async fn send_mail(&self, mailer: &Mailer, base_url: &str, job: Job, until: Instant) -> Result<Settled> {
        let Some(mail) = self.composed(&job, base_url).await? else { return Ok(Settled::new(job, Outcome::Done)) };
        if mail.state == MailState::Dropped {
            return Ok(settled(job, Outcome::Done, mail));
        }
        let sent = timeout_at(until, mailer.send(&mail)).await;
        match sent.unwrap_or_else(|_| Err("the mail server took too long".to_owned())) {
            Ok(()) => Ok(settled(job, Outcome::Done, Mail { state: MailState::Sent, problem: None, ..mail })),
            Err(problem) => {
                const WHAT: &str = "a mail was not taken";
                if Happening::new(WHAT, "mail").is_told_up_to(20) {
                    tracing::warn!(mail = %mail.id, problem, "{WHAT}");
                }
                Ok(self.refused(job, mail, echo(&problem)))
            }
        }
    }

    /// What a mail says now; dropped if nobody needs it any more, `None` if it was settled or forgotten.
    async fn composed(&self, job: &Job, base_url: &str) -> Result<Option<Mail>> {
        let (app, base_url, now) = (self.clone(), base_url.to_owned(), self.clock.now());
        let (id, attempts) = (job.id.of(), job.attempt);
        let composed = self.store.read(move |tx| {
            let Some(mail) = mails::find(tx, id)?.filter(|mail| mail.state == MailState::Waiting) else {
                return Ok(None);
            };
            let to = match &mail.reader {
                MailReader::Member(id) => users::find_for_session(tx, *id)?
                    .map(|(user, _)| user)
                    .filter(|user| !user.disabled)
                    .map(|user| Addressee::Member(Box::new(user))),
                MailReader::Contact(agency, address) => {
                    agencies::find(tx, *agency)?.map(|agency| Addressee::of(&agency, address.clone()))
                }
            };
            let open = match &to {
                Some(to) => told(tx, to, &mail, now)?,
                None => Vec::new(),
            };
            let mut mail = Mail { attempts, ..mail };
            match to {
                Some(to) if !open.is_empty() => {
                    (mail.subject, mail.body) = app.compose(&to, mail.mailing, &open, now, &base_url);
                }
                // Settled while it waited.
                _ => mail.state = MailState::Dropped,
            }
            Ok::<_, Error>(Some(mail))
        });
        composed.await
    }

    /// The mail server did not take it: again later and later, up to every six hours, and for five days since the first try.
    fn refused(&self, job: Job, mail: Mail, problem: String) -> Settled {
        let mail = Mail { problem: Some(problem.clone()), ..mail };
        if self.clock.now() - job.begun_at > GIVEN_UP_MS {
            return settled(job, Outcome::GivenUp(problem), Mail { state: MailState::Failed, ..mail });
        }
        let wait = (MINUTE_MS << job.attempt.clamp(0, 9)).min(6 * HOUR_MS);
        settled(job, Outcome::Again(Duration::from_millis(wait.unsigned_abs()), problem), mail)
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

/// A job, with its mail as it stands then.
fn settled(job: Job, outcome: Outcome, mail: Mail) -> Settled {
    Settled::new(job, outcome).with(move |tx, now| mails::update(tx, &mail, now))
}
