use std::sync::Arc;

use keystead_model::{
    AgencyId, ContactId, LocationId, ServiceMs,
    actor::Actor,
    agency::{Agency, AgencyProfile, TenantName, TenantState},
    contact::ContactPatch,
    grant::{Grant, Reach},
    ip_range::IpRanges,
    key_kind::KeyKind,
    key_policy::KeyPolicy,
    location::{Location, LocationProfile},
    note::{Note, NoteContent},
    page::Window,
    scope::ScopeSet,
    text::{EmailAddress, Prose},
};
use keystead_store::{Memory, agencies, contacts, locations, stored};

use super::*;
use crate::{Error, context::Holder};

const NOW: UtcMs = UtcMs(1_764_000_000_000);

/// A database with a location, and somebody who may do everything there.
fn prepared() -> (Memory, LocationContext) {
    let memory = Memory::open().unwrap();
    let name = TenantName::parse("Name").unwrap();
    let (agency, location) =
        (AgencyId::parse("0000000000000000000A").unwrap(), LocationId::parse("0000000000000000000L").unwrap());
    let (state, resumed_at) = (TenantState::Active, ServiceMs(0));
    memory
        .write(|tx| {
            let profile = AgencyProfile::named(name.clone());
            agencies::save(
                tx,
                &Agency { id: agency, profile, keys: KeyPolicy::default(), state, resumed_at, created_at: NOW },
            )?;
            let profile = LocationProfile::named(name);
            let (created_at, updated_at, deletion) = (NOW, NOW, None);
            let made = Location { id: location, agency, state, resumed_at, profile, created_at, updated_at, deletion };
            locations::save(tx, &made)
        })
        .unwrap();
    let grant = Grant {
        agency,
        reach: Reach::location(location),
        scopes: ScopeSet::all(KeyKind::Location),
        allowed_ips: IpRanges::default(),
        expires_at: None,
    };
    let authority = Authority {
        actor: Actor::Operator,
        holder: Holder::Other(Arc::new(grant)),
        is_fresh: true,
        address: None,
        request: None,
        now: NOW,
        claim: None,
        cause: Cause::default(),
        seen: None,
    };
    (memory, LocationContext::new(authority, location))
}

fn contact(email: &str) -> ContactPatch {
    ContactPatch { email: Some(Some(EmailAddress::parse(email).unwrap())), ..ContactPatch::default() }
}

fn note(body: &str) -> NoteContent {
    NoteContent { body: Prose::parse(body).unwrap(), title: None, color: None, pinned: false, user: None }
}

/// Three use cases in one transaction, of which the one in the middle is undone.
fn compose(memory: &Memory, context: &LocationContext, ids: &Ids) -> (ContactId, ContactId, ContactId) {
    memory
        .write(|tx| {
            let operation =
                &mut Operation { tx, context, cause: Cause::default(), base_url: "", ids: &mut ids.clone() };
            let first = operation.create_contact(contact("first@example.com"))?.id;
            operation.create::<Note>(first, note("kept"))?;
            let mut undone = first;
            let refused = operation.attempt(|operation| {
                undone = operation.create_contact(contact("undone@example.com"))?.id;
                operation.create::<Note>(undone, note("undone"))?;
                operation.create_contact(contact("first@example.com"))
            });
            assert!(matches!(refused, Err(Error::Duplicate(duplicate)) if duplicate.id == first));
            let last = operation.create_contact(contact("last@example.com"))?.id;
            Ok::<_, Error>((first, undone, last))
        })
        .unwrap()
}

#[test]
fn use_cases_compose_and_one_is_undone_alone() {
    let (memory, context) = prepared();
    let ids = Ids::seeded(&Entropy::seeded(1));
    let (first, undone, last) = compose(&memory, &context, &ids);
    let location = context.location;
    memory
        .read(|tx| {
            assert!(contacts::find(tx, location, first)?.is_some() && contacts::find(tx, location, last)?.is_some());
            assert!(contacts::find(tx, location, undone)?.is_none());
            assert_eq!(stored::list::<Note>(tx, location, first, &Window::all())?.rows.len(), 1);
            let actions: Vec<String> = tx.query("SELECT action FROM events ORDER BY id", &[], |row| row.column())?;
            assert_eq!(actions, ["contact.created", "note.created", "contact.created"], "what was undone is not told");
            Ok::<_, keystead_store::Error>(())
        })
        .unwrap();
}

#[test]
fn a_run_makes_the_same_ids_as_the_run_before_it() {
    let ids = Ids::seeded(&Entropy::seeded(1));
    let run = |ids: &Ids| {
        let (memory, context) = prepared();
        compose(&memory, &context, ids)
    };
    let first = run(&ids);
    assert_eq!(run(&ids), first);
    assert_ne!(run(&Ids::seeded(&Entropy::seeded(2))), first);
    assert!(first.0 != first.1 && first.1 != first.2);
}
