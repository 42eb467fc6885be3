//! The order of a search, and the place of what was found last in it, which leads on and carries the order that it was made with.

use keystead_core::Error;
use keystead_model::{
    Invalid,
    condition::{Facts, Value as Compared},
    id::{ID_LENGTH, Id},
    page::{TimeOrder, Window},
    sort::{MAX_KEYS, SortKey, SortPlace, time_order},
};
use serde_json::{Value, json};

use super::{CustomKinds, Searched, is_custom, unknown};
use crate::{
    reader::Reader,
    shape::{
        Ground, Word,
        output::{Definitions, Field, Out},
        word,
    },
    v2::by_time::{letter_of, order_of},
};

/// A field by its name, and whether the smallest comes first.
type Named = (String, bool);

/// A part of a search for things with such ids.
pub(crate) type Places<T> = Window<SortPlace<Id<T>>>;

/// What a body says of the order.
pub(crate) struct Sort {
    keys: Vec<Named>,
    after: Option<Sent>,
}

/// A place that was sent on.
struct Sent {
    values: Vec<Value>,
    id: Id<()>,
    /// The order that it was made for, where it is not the usual one.
    made_for: Vec<Named>,
}

const REFUSAL: &str = "must be the searchAfter of the last row of the page before";

impl Sort {
    /// `sort` and `searchAfter` of a body. An empty place is the first page.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let keys = reader.each("sort", MAX_KEYS, |sort, _| {
            let field = sort.required("field", |sort| sort.word("field"));
            let ascending = sort.word("direction").is_some_and(|Ascending(ascending)| ascending);
            field.map(|SortField(field)| (field, ascending))
        });
        let schema = json!({
            "type": "array", "items": {"type": ["integer", "string", "boolean", "null"]}, "maxItems": MAX_KEYS + 1,
            "description": "searchAfter of the last row of the page before",
        });
        let sent = reader.any("searchAfter", schema, json!([1_796_122_800_000_i64, word::THING]));
        let sent = sent.filter(|sent| !sent.as_array().is_some_and(Vec::is_empty));
        let after = sent.as_ref().and_then(Sent::parse);
        if sent.is_some() && after.is_none() {
            reader.violate("searchAfter", REFUSAL);
        }
        Self { keys: keys.into_iter().flatten().flatten().collect(), after }
    }

    /// Whether a place was sent.
    pub(crate) fn has_place(&self) -> bool {
        self.after.is_some()
    }

    /// Whether the order asks for a custom field.
    pub(super) fn names_custom_fields(&self) -> bool {
        let made_for = self.after.iter().flat_map(|sent| &sent.made_for);
        self.keys.iter().chain(made_for).any(|(name, _)| is_custom(name))
    }

    /// The order, where the location has these custom fields, and which part of it is asked for: what follows the place, else so many
    /// after those that are passed over.
    pub(crate) fn resolve<F: Searched, T>(
        &self,
        custom: &CustomKinds,
        (skip, limit): (i64, i64),
    ) -> Result<(Ordered<F>, Places<T>), Error> {
        let made_for = self.after.as_ref().map_or(&[][..], |sent| &sent.made_for);
        let ordered = Ordered::of(if self.keys.is_empty() { made_for } else { &self.keys }, custom)?;
        let Some(Sent { values, id, .. }) = &self.after else {
            return Ok((ordered, Window::skip(skip, limit)));
        };
        if !made_for.is_empty() && Ordered::<F>::of(made_for, custom)?.keys != ordered.keys {
            return Err(Error::invalid("searchAfter", "was made for another sort; begin again without it"));
        }
        let place = ordered.place(values).ok_or_else(|| Error::invalid("searchAfter", REFUSAL))?;
        Ok((ordered, Window::after(Some(SortPlace { values: place, id: id.of() }), limit)))
    }
}

impl Sent {
    fn parse(sent: &Value) -> Option<Self> {
        let (id, values) = sent.as_array()?.split_last()?;
        let (id, order) = id.as_str()?.split_at_checked(ID_LENGTH)?;
        let made_for = match order_of(order) {
            Some((order, ascending)) => vec![(name_of(order).to_owned(), ascending)],
            None => named(order)?,
        };
        Some(Self { values: values.to_vec(), id: Id::parse(id)?, made_for })
    }
}

/// A field of every noun that is searched.
fn name_of(order: TimeOrder) -> &'static str {
    match order {
        TimeOrder::Created => "dateAdded",
        TimeOrder::Updated => "dateUpdated",
    }
}

/// Names, each behind the sign of its direction.
fn named(mut order: &str) -> Option<Vec<Named>> {
    let mut names = Vec::new();
    while !order.is_empty() && names.len() < MAX_KEYS {
        let ascending = order.starts_with('+');
        let rest = order.strip_prefix(['+', '-'])?;
        let (name, next) = rest.split_at(rest.find(['+', '-']).unwrap_or(rest.len()));
        names.push((name.to_owned(), ascending));
        order = next;
    }
    order.is_empty().then_some(names)
}

/// The fields of an order, as they are and as they were called.
pub(crate) struct Ordered<F> {
    pub(crate) keys: Vec<SortKey<F>>,
    /// What stands behind the id of a place in it.
    suffix: String,
}

impl<F: Searched> Ordered<F> {
    /// Without names the usual order, newest first.
    fn of(names: &[Named], custom: &CustomKinds) -> Result<Self, Error> {
        let key = |(name, ascending): &Named| match custom.field::<F>(name).filter(|field| field.is_sortable()) {
            Some(field) => Ok(SortKey { field, ascending: *ascending }),
            None => Err(unknown(name)),
        };
        let mut keys = names.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            keys.push(SortKey { field: F::of(TimeOrder::Created), ascending: false });
        }
        let sign = |ascending: &bool| if *ascending { '+' } else { '-' };
        let suffix = match time_order(&keys) {
            Some((order, ascending)) => letter_of(order, ascending).to_owned(),
            None => names.iter().map(|(name, ascending)| format!("{}{name}", sign(ascending))).collect(),
        };
        Ok(Self { keys, suffix })
    }

    fn place(&self, values: &[Value]) -> Option<Vec<Option<Compared>>> {
        if values.len() != self.keys.len() {
            return None;
        }
        self.keys.iter().zip(values).map(|(key, value)| key.parse(value)).collect()
    }

    /// Where a thing of these facts stands in it.
    pub(crate) fn place_of<T>(&self, id: Id<T>, facts: &impl Facts<F>) -> SearchAfter {
        let values = self.keys.iter().map(|key| SortKey::<F>::to_json(key.value(facts).as_ref()));
        SearchAfter(values.chain([json!(format!("{id}{}", self.suffix))]).collect())
    }
}

/// Where to go on behind what was found.
pub(crate) struct SearchAfter(Vec<Value>);

impl SearchAfter {
    /// One of the usual order.
    pub(crate) fn sample() -> Self {
        Self(vec![json!(1_796_122_800_000_i64), json!(word::THING)])
    }
}

impl Field for SearchAfter {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "array", "items": {"type": ["integer", "string", "boolean", "null"]}})
    }

    fn write(&self, out: &mut Out) {
        Value::Array(self.0.clone()).write(out);
    }
}

/// What to sort by; whether there is such a field is said in words that clients match.
struct SortField(String);

impl Word for SortField {
    const EXAMPLE: &'static str = "dateAdded";

    fn schema() -> Value {
        json!({"type": "string", "description": "A field as filters name it"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Ok(Self(text.to_owned()))
    }
}

struct Ascending(bool);

impl Word for Ascending {
    const EXAMPLE: &'static str = "desc";

    fn schema() -> Value {
        word::one_of(["asc", "desc"])
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        match text.to_ascii_lowercase().as_str() {
            "asc" => Ok(Self(true)),
            "desc" => Ok(Self(false)),
            _ => Err(Invalid::new("must be asc or desc")),
        }
    }
}
