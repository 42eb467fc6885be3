//! Users who are deleted, and what still names them: looked for in portions, location by location and noun by noun.

use keystead_model::{AgencyId, ContactId, LocationId, UserId, id::Id};

use crate::{Error, Result, Row, Tx, filter::Filter};

/// Rows that are looked at in one go.
const LOOKED_AT: i64 = 1_000;

/// What names users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// Their owner and their followers.
    Contacts,
    /// Likewise.
    Opportunities,
    /// Whom they are assigned to.
    Tasks,
    /// Whom the tasks that they make are assigned to.
    RecurringTasks,
    /// What they kept for themselves, which nobody sees any more.
    SavedViews,
}

impl Noun {
    const ALL: [Self; 5] = [Self::Contacts, Self::Opportunities, Self::Tasks, Self::RecurringTasks, Self::SavedViews];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Opportunities => "opportunities",
            Self::Tasks => "tasks",
            Self::RecurringTasks => "recurring_tasks",
            Self::SavedViews => "saved_views",
        }
    }

    fn next(self) -> Option<Self> {
        Self::ALL.into_iter().skip_while(|noun| *noun != self).nth(1)
    }

    /// Its rows: each with its contact, its owner and its followers.
    const fn rows(self) -> &'static str {
        match self {
            Self::Contacts => "SELECT id, id, assigned_to, followers FROM contacts",
            Self::Opportunities => "SELECT id, contact_id, assigned_to, followers FROM opportunities",
            Self::Tasks => "SELECT id, contact_id, assigned_to, NULL FROM tasks",
            Self::RecurringTasks => "SELECT id, contact_id, assigned_to, NULL FROM recurring_tasks",
            Self::SavedViews => "SELECT id, id, member_id, NULL FROM saved_views",
        }
    }
}

/// Somebody who is deleted, and how far what names them was looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Who.
    pub user: UserId,
    /// Of which agency.
    pub agency: AgencyId,
    /// In which location; `None` before the first.
    pub place: Option<LocationId>,
    /// What of it.
    pub noun: Noun,
    /// The last that was looked at; empty before the first.
    pub after: String,
}

impl Departure {
    /// Nothing was looked through yet.
    pub fn new(user: UserId, agency: AgencyId) -> Self {
        Self { user, agency, place: None, noun: Noun::Contacts, after: String::new() }
    }
}

/// A thing that names somebody.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    /// Its id.
    pub id: Id<()>,
    /// The contact that it belongs to, or is; its own id where it belongs to none.
    pub contact: ContactId,
}

/// Begins one.
pub fn begin(tx: &mut Tx<'_>, departure: &Departure) -> Result<()> {
    let Departure { user, agency, place, noun, after } = departure;
    tx.later(
        "INSERT INTO departures (user_id, agency_id, place, noun, after_id) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[user, agency, place, &noun.as_str(), after],
    )
}

/// Notes how far one has come, unless somebody else has ended it.
pub fn advance(tx: &mut Tx<'_>, departure: &Departure) -> Result<()> {
    let Departure { user, agency: _, place, noun, after } = departure;
    tx.later(
        "UPDATE departures SET place = ?2, noun = ?3, after_id = ?4 WHERE user_id = ?1",
        &[user, place, &noun.as_str(), after],
    )
}

/// That of a user.
pub fn find(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Departure>> {
    let sql = "SELECT user_id, agency_id, place, noun, after_id FROM departures WHERE user_id = ?1";
    tx.query_opt(sql, &[&user], |row: &mut Row<'_>| {
        let (user, agency, place, noun): (_, _, _, String) =
            (row.column()?, row.column()?, row.column()?, row.column()?);
        let noun = Noun::ALL.into_iter().find(|known| known.as_str() == noun);
        let noun = noun.ok_or_else(|| Error::unreadable("a noun"))?;
        Ok(Departure { user, agency, place, noun, after: row.column()? })
    })
}

/// Nothing names a user any more.
pub fn end(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.later("DELETE FROM departures WHERE user_id = ?1", &[&user])
}

/// Looks on, and moves `departure` there: what names the user among the next rows, at most `most`. `None` at the end.
pub fn look_on(tx: &mut Tx<'_>, departure: &mut Departure, most: usize) -> Result<Option<Vec<Naming>>> {
    let Some(place) = departure.place else { return to_next_place(tx, departure) };
    let (after, user) = (departure.after.clone(), departure.user);
    let mut filter = Filter::new();
    filter.and("location_id = @ AND id > @", &[&place, &after]);
    match departure.noun {
        // No index has those of a user and their followers, so all are looked at.
        Noun::Contacts | Noun::Opportunities => filter.and("trashed_at IS NULL", &[]),
        Noun::Tasks | Noun::RecurringTasks => filter.and("assigned_to = @", &[&user]),
        Noun::SavedViews => filter.and("member_id = @ AND NOT is_shared", &[&user]),
    }
    let sql = format!("{} WHERE {} ORDER BY id LIMIT {LOOKED_AT}", departure.noun.rows(), filter.sql());
    let rows: Vec<(Naming, bool)> = tx.query(&sql, &filter.values(), |row| {
        let naming = Naming { id: row.column()?, contact: row.column()? };
        let (owner, followers): (Option<UserId>, Option<String>) = (row.column()?, row.column()?);
        let follows = followers.is_some_and(|all| all.split(' ').any(|follower| follower == user.as_str()));
        Ok((naming, follows || owner == Some(user)))
    })?;
    let is_end = (rows.len() as i64) < LOOKED_AT;
    let mut found = Vec::new();
    for (naming, names_user) in rows {
        departure.after = naming.id.to_string();
        if names_user {
            found.push(naming);
        }
        if found.len() == most {
            return Ok(Some(found));
        }
    }
    match departure.noun.next() {
        _ if !is_end => {}
        Some(noun) => (departure.noun, departure.after) = (noun, String::new()),
        None if found.is_empty() => return to_next_place(tx, departure),
        // What was found is of this place; the next one comes when there is nothing more.
        None => {}
    }
    Ok(Some(found))
}

fn to_next_place(tx: &mut Tx<'_>, departure: &mut Departure) -> Result<Option<Vec<Naming>>> {
    let after = departure.place.map(|place| place.to_string()).unwrap_or_default();
    let sql = "SELECT id FROM locations WHERE agency_id = ?1 AND id > ?2 ORDER BY id LIMIT 1";
    let next: Option<LocationId> = tx.query_opt(sql, &[&departure.agency, &after], |row| row.column())?;
    let Some(next) = next else { return Ok(None) };
    *departure = Departure { place: Some(next), ..Departure::new(departure.user, departure.agency) };
    Ok(Some(Vec::new()))
}
