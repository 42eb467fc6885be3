//! What is written anew for all contacts after a release has changed how it follows from them.

use keystead_model::{ContactId, LocationId, contact::Contact, page::Window};

use crate::{
    Result, Tx, contact_identities, contact_search,
    contacts::{COLUMNS, compared, read},
    filter::Filter,
    list::Order,
};

/// Writes the terms and identities of all contacts anew, after a release has changed how they are made.
pub(crate) fn reindex(tx: &mut Tx<'_>) -> Result<()> {
    each_page(tx, "c.trashed_at IS NULL", |tx, page| {
        for Contact { id, location, profile, .. } in page {
            contact_search::forget(tx, *location, *id)?;
            contact_search::insert(tx, *location, *id, profile.search_terms().iter())?;
            contact_identities::release(tx, *location, *id)?;
            // The oldest comes first in this order, and holds what others have, too.
            for identity in profile.identities() {
                match contact_identities::admit(tx, *location, *id, vec![identity.clone()])? {
                    Ok(admitted) => contact_identities::add(tx, *location, *id, &admitted)?,
                    Err(_) => contact_identities::share(tx, *location, *id, identity)?,
                }
            }
        }
        Ok(())
    })
}

/// Writes what contacts with international addresses are found by, after a release has changed it.
pub(crate) fn find_international(tx: &mut Tx<'_>) -> Result<()> {
    each_page(tx, "c.trashed_at IS NULL", |tx, page| {
        page.iter().filter(|contact| contact.profile.is_international()).try_for_each(|contact| {
            let Contact { id, location, profile, .. } = contact;
            contact_search::forget(tx, *location, *id)?;
            contact_search::insert(tx, *location, *id, profile.search_terms().iter())
        })
    })
}

/// Writes how the texts of all contacts are compared, after a release has changed it.
pub(crate) fn refold(tx: &mut Tx<'_>) -> Result<()> {
    each_page(tx, "1 = 1", |tx, page| {
        page.iter().try_for_each(|Contact { location, id, profile, .. }| {
            tx.later(
                "UPDATE contacts SET first_name_folded = ?3, last_name_folded = ?4, company_name_folded = ?5,
                     city_folded = ?6, region_folded = ?7, source_folded = ?8
                 WHERE location_id = ?1 AND id = ?2",
                &[
                    location,
                    id,
                    &compared(profile.first_name.as_ref()),
                    &compared(profile.last_name.as_ref()),
                    &compared(profile.company_name.as_ref()),
                    &compared(profile.city.as_ref()),
                    &compared(profile.state.as_ref()),
                    &compared(profile.source.as_ref()),
                ],
            )
        })
    })
}

/// Reads the contacts `c` of all locations that are `such`, a page at a time.
fn each_page(tx: &mut Tx<'_>, such: &str, mut take: impl FnMut(&mut Tx<'_>, &[Contact]) -> Result<()>) -> Result<()> {
    const ORDER: Order<'_> = Order::ascending(&["c.location_id", "c.id"]);
    let mut after: Option<(LocationId, ContactId)> = None;
    loop {
        let mut conditions = Filter::new();
        conditions.and(such, &[]);
        let window = Window::after(after, 500);
        let page = conditions.page(tx, &format!("SELECT {COLUMNS} FROM contacts c"), ORDER, &window, read)?;
        take(tx, &page.rows)?;
        after = page.next(|last| (last.location, last.id));
        if after.is_none() {
            return Ok(());
        }
    }
}
