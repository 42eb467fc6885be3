//! Notices: what a member or a program is told, and what they have read of it.

use std::net::IpAddr;

use keystead_model::{
    AgencyId, KeyId, NoticeId, UserId, UtcMs,
    actor::Actor,
    api_key::{ApiKey, KeyState},
    event::EventKind,
    grant::Grant,
    notice::{Muted, NewNotice, Notice, NoticeKind, NoticeNoun, Reading},
    page::{Page, Window},
    time::DAY_MS,
};
use keystead_store::{
    Tx,
    notices::{self, NoticeFilter, NoticeReader},
};
use serde_json::{Value as Json, json};

use crate::{
    App, Authority, Error, Result,
    error::Noun,
    events::{Happened, fields, tell},
    operate::Operation,
    sweep::notice_of,
};

/// Notices are kept this long.
const KEPT_MS: i64 = 180 * DAY_MS;

/// Whoever may see keys, webhooks or forms is told about them where they reach; everybody else about the keys that they made
/// themselves.
pub(crate) fn reader_of(actor: Actor, agency: AgencyId, grant: Grant) -> NoticeReader {
    let nouns = NoticeNoun::ALL.into_iter().filter(|noun| grant.allows(noun.read_scope())).collect();
    NoticeReader { actor, agency, nouns, reach: grant.reach, contact: None }
}

fn reader(authority: &Authority) -> NoticeReader {
    reader_of(authority.actor(), authority.agency(), authority.grant().clone())
}

/// Records a notice; `false` if it was recorded before.
pub(crate) fn notify(tx: &mut Tx<'_>, notice: NewNotice) -> keystead_store::Result<bool> {
    Ok(notices::insert(tx, &[notice])? == 1)
}

/// Whose choices they are. Programs have none: they are told everything that they may see.
pub(crate) fn member(authority: &Authority) -> Result<UserId> {
    match authority.actor() {
        Actor::User(user) => Ok(user),
        _ => Err(Error::NoAccess),
    }
}

fn described(muted: &Muted) -> Json {
    json!({"muted": muted.iter().map(|(topic, channel)| format!("{} {}", topic.as_str(), channel.as_str())).collect::<Vec<_>>()})
}

impl App {
    /// Notices, newest first.
    pub async fn list_notices(
        &self,
        authority: &Authority,
        filter: NoticeFilter,
        window: Window<NoticeId>,
    ) -> Result<Page<Notice>> {
        let (reader, now) = (reader(authority), authority.now());
        Ok(self.store.read(move |tx| notices::list(tx, &reader, &filter, now, &window)).await?)
    }

    /// How many open notices the reader has not seen.
    pub async fn count_unseen_notices(&self, authority: &Authority) -> Result<i64> {
        let (reader, now) = (reader(authority), authority.now());
        Ok(self.store.read(move |tx| notices::count_unseen(tx, &reader, now)).await?)
    }

    /// Notes where the reader stands with a notice.
    pub async fn read_notice(&self, authority: &Authority, id: NoticeId, reading: Reading) -> Result<Notice> {
        let (reader, now) = (reader(authority), authority.now());
        // Found only if the reader may see it.
        let by = reader.clone();
        let find = move |tx: &mut Tx<'_>| {
            let filter = NoticeFilter { archived: true, id: Some(id), ..NoticeFilter::default() };
            let found = notices::list(tx, &by, &filter, now, &Window::first(1))?;
            found.rows.into_iter().next().ok_or_else(|| Error::NotFound(Noun::Notice, id.to_string()))
        };
        let recover = find.clone();
        let read = move |operation: &mut Operation<'_, '_, Authority>| {
            operation.context.expect(&find(operation.tx)?)?;
            notices::set_reading(operation.tx, &reader, id, reading, now)?;
            find(operation.tx)
        };
        self.operate_on_own(authority, read, move |operation, _| recover(operation.tx)).await
    }

    /// The list was shown: what is in it is seen.
    pub async fn see_notices(&self, authority: &Authority, ids: Vec<NoticeId>) -> Result<()> {
        let (reader, now) = (reader(authority), authority.now());
        self.store
            .write(move |tx| {
                ids.iter().try_for_each(|id| notices::set_reading(tx, &reader, *id, Reading::Seen, now))?;
                Ok(())
            })
            .await
    }

    /// What a member does not want to be told.
    pub async fn muted_notices(&self, authority: &Authority) -> Result<Muted> {
        let user = member(authority)?;
        Ok(self.store.read(move |tx| notices::muted(tx, user)).await?)
    }

    /// Chooses what one does not want to be told.
    pub async fn mute_notices(&self, authority: &Authority, muted: Muted) -> Result<()> {
        let user = member(authority)?;
        let authority = authority.clone();
        self.store
            .write(move |tx| {
                let before = notices::muted(tx, user)?;
                if before == muted {
                    return Ok(());
                }
                notices::set_muted(tx, user, &muted)?;
                let (before, after) = (fields(described(&before)), fields(described(&muted)));
                let happened = Happened::to(EventKind::UserNoticesChanged, user.as_str());
                tell(tx, &authority, happened.with(Some(before), Some(after)))
            })
            .await
    }

    /// Forgets notices of long ago. Called by the jobs.
    pub async fn trim_notices(&self) -> Result<u64> {
        let before = UtcMs(self.clock.now().0 - KEPT_MS);
        Ok(self.store.write(move |tx| notices::trim(tx, before, 1000)).await?)
    }

    /// Somebody holds a deleted key's right secret: the owners are told, once for each deletion.
    pub(crate) async fn tell_of_deleted_use(&self, key: ApiKey, address: IpAddr) -> Result<()> {
        let KeyState::Deleted { restore_until, .. } = key.state else { return Ok(()) };
        let told: (KeyId, i64) = (key.id, restore_until.0);
        if self.told_of_deleted.get(&told).is_some() {
            return Ok(());
        }
        let (now, id, address) = (self.clock.now(), self.entropy.id(self.clock.now()), Some(address.to_string()));
        self.store
            .write_serial(move |tx| {
                notify(tx, notice_of(&key, id, NoticeKind::DeletedKeyUsed, restore_until.0, now, address.clone()))
            })
            .await?;
        self.told_of_deleted.insert(told, ());
        Ok(())
    }
}
