//! How users of an agency are found.

use keystead_model::{
    AgencyId, UserId,
    grant::Reach,
    page::{Counted, Window},
    search::fold,
    user::{Role, User, UserFilter, UserOrder},
};

use crate::{
    Result, Row, ToValue, Tx,
    filter::{Filter, prefix_end},
    list::Order,
    users::{self, email_key},
};

/// How a user is compared: what they are called, and what a search looks into, in lines of their own, of which a search has none.
pub(crate) fn folded(name: &str, email: &str, phone: Option<&str>) -> (String, String) {
    let name = fold(name);
    let searched = [&*name, &fold(email), &fold(phone.unwrap_or_default())].join("\n");
    (name, searched)
}

/// The users of an agency whom somebody of this reach sees and the filter lets through, each as a whole, and how many that are.
pub fn list(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    reach: &Reach,
    filter: &UserFilter,
    window: &Window<UserId>,
) -> Result<Counted<User>> {
    let columns: &[&str] = match filter.order {
        UserOrder::Email => &["u.email_lower", "u.id"],
        UserOrder::Name => &["u.name_folded", "u.id"],
        UserOrder::Created => &["u.created_at", "u.id"],
    };
    let order = if filter.descending { Order::descending(columns) } else { Order::ascending(columns) };
    let conditions = matching(agency, reach, filter);
    let count = format!("SELECT CAST(count(*) AS BIGINT) FROM users u WHERE {}", conditions.sql());
    let total = tx.query_one(&count, &conditions.values(), |row| row.column())?;
    let select = format!("SELECT {} FROM users u", users::COLUMNS);
    Ok(Counted { page: conditions.page(tx, &select, order, window, users::read)?, total })
}

fn matching<'v>(agency: AgencyId, reach: &Reach, filter: &UserFilter) -> Filter<'v> {
    let UserFilter { location, is_account, is_admin, ids, emails, query, deleted, order: _, descending: _ } = filter;
    let mut conditions = Filter::new();
    let of_agency = format!("u.agency_id = {}", conditions.own(agency));
    conditions.and(&of_agency, &[]);
    conditions.and(if *deleted { "u.deleted_at IS NOT NULL" } else { "u.deleted_at IS NULL" }, &[]);
    // Whoever does not reach the agency sees the users of its locations alone.
    let within = match reach {
        Reach::Agency => None,
        Reach::Chosen(locations) | Reach::Locations(locations) => Some(locations.iter().copied().collect::<Vec<_>>()),
    };
    let is_bound = within.is_some() || location.is_some();
    for locations in within.into_iter().chain(location.map(|location| vec![location])) {
        let places = places(&mut conditions, locations);
        conditions.and(
            &format!("EXISTS (SELECT 1 FROM user_locations l WHERE l.user_id = u.id AND l.location_id IN ({places}))"),
            &[],
        );
    }
    let suits = |role: &&Role| {
        (!is_bound || role.is_account())
            && is_account.is_none_or(|is_account| role.is_account() == is_account)
            && is_admin.is_none_or(|is_admin| role.is_admin() == is_admin)
    };
    let roles = places(&mut conditions, Role::ALL.iter().filter(suits).map(|role| role.as_str().to_owned()));
    conditions.and(&format!("u.role IN ({roles})"), &[]);
    if let Some(ids) = ids {
        let ids = places(&mut conditions, ids.iter().copied());
        conditions.and(&format!("u.id IN ({ids})"), &[]);
    }
    if let Some(emails) = emails {
        with_address(&mut conditions, agency, emails, *deleted);
    }
    if let Some(query) = query {
        let part = conditions.own(fold(query));
        conditions.and(&format!("replace(u.searched, CAST({part} AS TEXT), '') <> u.searched"), &[]);
    }
    conditions
}

/// `?1, ?2`; of nothing, what nothing is.
fn places(conditions: &mut Filter<'_>, values: impl IntoIterator<Item = impl ToValue>) -> String {
    let places: Vec<String> = values.into_iter().map(|value| conditions.own(value)).collect();
    if places.is_empty() { "NULL".to_owned() } else { places.join(", ") }
}

/// Those with one of these addresses; behind that of somebody who is deleted stands an id, see [`users::delete`].
fn with_address(conditions: &mut Filter<'_>, agency: AgencyId, emails: &[String], deleted: bool) {
    let keys = emails.iter().map(|email| email_key(email, agency));
    let text = if deleted {
        let begins = |key: String| {
            let begin = format!("{key} ");
            let (begin, end) = (conditions.own(begin.as_str()), conditions.own(prefix_end(&begin)));
            format!("u.email_lower >= {begin} AND u.email_lower < {end}")
        };
        let any: Vec<String> = keys.map(begins).collect();
        if any.is_empty() { "1 = 0".to_owned() } else { format!("({})", any.join(" OR ")) }
    } else {
        format!("u.email_lower IN ({})", places(conditions, keys))
    };
    conditions.and(&text, &[]);
}

/// Writes how all users are searched, after a release has changed it.
pub(crate) fn refold(tx: &mut Tx<'_>) -> Result<()> {
    let mut after: Option<String> = None;
    loop {
        let read = |row: &mut Row<'_>| {
            let (id, email): (String, String) = (row.column()?, row.column()?);
            let names: [Option<String>; 2] = [row.column()?, row.column()?];
            let names: Vec<String> = names.into_iter().flatten().collect();
            let name = if names.is_empty() { email.clone() } else { names.join(" ") };
            Ok((id, folded(&name, &email, row.column::<Option<String>>()?.as_deref())))
        };
        let select = "SELECT u.id, u.email, u.first_name, u.last_name, u.phone FROM users u";
        let window = Window::after(after, 500);
        let page = Filter::any().page(tx, select, Order::ascending(&["u.id"]), &window, read)?;
        for (id, (name, searched)) in &page.rows {
            tx.execute("UPDATE users SET name_folded = ?2, searched = ?3 WHERE id = ?1", &[id, name, searched])?;
        }
        after = page.next(|(id, _)| id.clone());
        if after.is_none() {
            return Ok(());
        }
    }
}
