//! Lists: what their address asks for, and what stands around their rows.

use axum::{
    extract::{FromRequestParts, Query, rejection::QueryRejection},
    http::request::Parts,
};
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::show::grouped;

/// Rows of a page.
pub(crate) const PAGE: i64 = 50;
/// Rows that page numbers lead to; what is further is found by a search.
const FURTHEST: i64 = 10_000;
/// Which page.
const NUMBER: &str = "page";

/// What an address may hold as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b',');

/// What a view of a list keeps of what it is asked for: names in addresses, each with the value that goes without saying.
pub(crate) type Kept = [(&'static str, &'static str)];

/// What an address says behind its question mark.
fn written<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let encoded = |text| utf8_percent_encode(text, PLAIN);
    pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&")
}

/// What a list is asked for by its address: a search, filters, an order, a page.
#[derive(Default)]
pub(crate) struct Asked(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = QueryRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, QueryRejection> {
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await?;
        Ok(Self(pairs))
    }
}

impl Asked {
    /// What somebody asked for, as it was [kept](Asked::kept).
    pub(crate) fn parse(kept: &str) -> Self {
        let address = Uri::try_from(format!("/?{kept}"));
        let pairs = address.ok().and_then(|address| Query::try_from_uri(&address).ok()).map(|Query(pairs)| pairs);
        Self(pairs.unwrap_or_default())
    }

    /// What a view keeps of it: always the same text where the same is asked for.
    pub(crate) fn kept(&self, kept: &Kept) -> String {
        let said =
            |(name, usual): &(&'static str, &str)| Some((*name, self.text(name).filter(|value| value != usual)?));
        written(kept.iter().filter_map(said))
    }

    /// What it says of one thing; nothing where it is empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// Says in one value, with commas, what was said in several: boxes of a form are.
    pub(crate) fn join(&mut self, name: &str) {
        let several: Vec<&str> =
            self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        if several.len() > 1 {
            self.say(name, Some(several.join(",")));
        }
    }

    /// Says one thing otherwise, or not.
    pub(crate) fn say(&mut self, name: &str, value: Option<String>) {
        self.0.retain(|(known, _)| known != name);
        self.0.extend(value.map(|value| (name.to_owned(), value)));
    }

    /// Takes one thing out of it, which its links then do not say.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let taken = self.text(name).map(str::to_owned);
        self.say(name, None);
        taken
    }

    /// Rows before the page that it asks for.
    pub(crate) fn skipped(&self) -> i64 {
        let page = self.text(NUMBER).and_then(|page| page.parse().ok()).unwrap_or(1);
        (i64::clamp(page, 1, FURTHEST / PAGE) - 1) * PAGE
    }

    /// The list's address with one thing said otherwise, or not said; from its first page.
    pub(crate) fn with(&self, base: &str, name: &str, value: Option<&str>) -> String {
        self.with_all(base, &[(name, value)])
    }

    /// The same with several things said otherwise.
    pub(crate) fn with_all(&self, base: &str, changes: &[(&str, Option<&str>)]) -> String {
        let stays = |(known, value): &&(String, String)| {
            known != NUMBER && !value.trim().is_empty() && changes.iter().all(|(name, _)| known != name)
        };
        let others = self.0.iter().filter(stays).map(|(name, value)| (name.as_str(), value.as_str()));
        let changed = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        let query = written(others.chain(changed));
        if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") }
    }

    /// Another address that is asked for the same, on all its pages.
    pub(crate) fn whole(&self, base: &str) -> String {
        self.with(base, NUMBER, None)
    }

    /// What a form that asks for `names` has to say besides them.
    pub(crate) fn others(&self, names: &[&str]) -> Vec<(String, String)> {
        let is_other = |(name, value): &&(String, String)| {
            !names.contains(&name.as_str()) && name != NUMBER && !value.trim().is_empty()
        };
        self.0.iter().filter(is_other).cloned().collect()
    }
}

/// An order that a list can have, or something else to choose for it.
pub(crate) struct Choosable {
    pub(crate) words: String,
    pub(crate) url: String,
    pub(crate) is_here: bool,
}

/// A field of a filter in which something is written.
pub(crate) struct Written {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// A type of HTML.
    pub(crate) kind: &'static str,
    pub(crate) value: String,
}

/// A filter: what it is where it is on, and what it can be, by choosing or by writing.
pub(crate) struct Filter {
    pub(crate) label: &'static str,
    pub(crate) icon: &'static str,
    /// What it is; empty where it is off.
    pub(crate) words: String,
    /// The list without it.
    pub(crate) without_url: String,
    pub(crate) options: Vec<Choosable>,
    pub(crate) written: Vec<Written>,
    /// What is asked for besides what is written.
    pub(crate) others: Vec<(String, String)>,
}

impl Filter {
    /// By one of the options (value and words), or by writing.
    pub(crate) fn of(
        base: &str,
        asked: &Asked,
        (name, label, icon): (&'static str, &'static str, &'static str),
        options: Option<Vec<(String, String)>>,
    ) -> Self {
        let chosen = asked.text(name);
        let known = options.iter().flatten().find(|(value, _)| Some(value.as_str()) == chosen);
        let words = known.map_or_else(|| chosen.unwrap_or_default().to_owned(), |(_, words)| words.clone());
        let written = options.is_none().then_some(Written { name, label, kind: "text", value: words.clone() });
        let option = |(value, words): (String, String)| Choosable {
            words,
            url: asked.with(base, name, Some(&value)),
            is_here: Some(value.as_str()) == chosen,
        };
        Self {
            label,
            icon,
            words,
            without_url: asked.with(base, name, None),
            options: options.into_iter().flatten().map(option).collect(),
            written: written.into_iter().collect(),
            others: asked.others(&[name]),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        !self.words.is_empty()
    }
}

/// Something that can be shown beside what always is.
pub(crate) struct Column {
    /// In addresses.
    pub(crate) name: String,
    pub(crate) words: String,
    pub(crate) is_shown: bool,
}

/// Which rows are shown, and where the others are.
pub(crate) struct Pager {
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// How many there are, where that is counted.
    pub(crate) total: Option<i64>,
    pub(crate) previous_url: Option<String>,
    pub(crate) next_url: Option<String>,
    /// Whether there are more rows than page numbers lead to.
    pub(crate) is_cut: bool,
}

/// What stands around the rows of a list.
pub(crate) struct Listing {
    pub(crate) base: String,
    /// What is searched for.
    pub(crate) query: String,
    /// What is asked for besides.
    pub(crate) others: Vec<(String, String)>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) sorts: Vec<Choosable>,
    /// What can be shown, where that is chosen.
    pub(crate) columns: Vec<Column>,
    pub(crate) pager: Pager,
}

impl Listing {
    /// Of so many `rows` after those that were skipped, of `total`, if that is counted.
    pub(crate) fn new(base: String, asked: &Asked, rows: usize, has_more: bool, total: impl Into<Option<i64>>) -> Self {
        let skipped = asked.skipped();
        let last = skipped + i64::try_from(rows).unwrap_or(i64::MAX);
        let page = |skipped: i64| asked.with(&base, NUMBER, Some(&(skipped / PAGE + 1).to_string()));
        let leads_on = has_more && last < FURTHEST;
        let pager = Pager {
            first: if rows == 0 { 0 } else { skipped + 1 },
            last,
            total: total.into(),
            previous_url: (skipped > 0).then(|| page(skipped - PAGE)),
            next_url: leads_on.then(|| page(skipped + PAGE)),
            is_cut: has_more && !leads_on,
        };
        let query = asked.text("q").unwrap_or_default().to_owned();
        let (filters, sorts, columns) = (Vec::new(), Vec::new(), Vec::new());
        Self { query, others: asked.others(&["q"]), filters, sorts, columns, pager, base }
    }

    /// With the orders that it can have: names in addresses, and words.
    pub(crate) fn sorted(mut self, asked: &Asked, orders: &[(&str, &str)], current: &str) -> Self {
        let option = |(name, words): &(&str, &str)| Choosable {
            words: (*words).to_owned(),
            url: asked.with(&self.base, "sort", Some(name)),
            is_here: *name == current,
        };
        self.sorts = orders.iter().map(option).collect();
        self
    }

    /// With a filter; see [`Filter::of`].
    pub(crate) fn filtered(
        mut self,
        asked: &Asked,
        name: (&'static str, &'static str, &'static str),
        options: Option<Vec<(String, String)>>,
    ) -> Self {
        self.filters.push(Filter::of(&self.base, asked, name, options));
        self
    }

    /// With what can be shown.
    pub(crate) fn showing(self, columns: Vec<Column>) -> Self {
        Self { columns, ..self }
    }

    /// Filters that are on.
    pub(crate) fn on(&self) -> Vec<&Filter> {
        self.filters.iter().filter(|filter| filter.is_on()).collect()
    }

    /// Filters that can be added.
    pub(crate) fn off(&self) -> Vec<&Filter> {
        self.filters.iter().filter(|filter| !filter.is_on()).collect()
    }

    /// How many there are, as it stands beside the heading.
    pub(crate) fn count(&self) -> String {
        self.pager.total.map(grouped).unwrap_or_default()
    }

    /// Whether it is asked for less than everything.
    pub(crate) fn is_narrowed(&self) -> bool {
        !self.query.is_empty() || !self.on().is_empty()
    }

    /// The order that it has, in words.
    pub(crate) fn order(&self) -> &str {
        self.sorts.iter().find(|sort| sort.is_here).map_or("", |sort| &sort.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Asked {
        Asked(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_list_leads_on_with_what_it_was_asked_for() {
        let asked = asked(&[("q", "ada & bob"), ("tag", "vip"), ("sort", ""), ("page", "3")]);
        assert_eq!(asked.skipped(), 100);
        let list = Listing::new("/x".to_owned(), &asked, 50, true, 400).filtered(&asked, ("tag", "Tag", "tag"), None);
        let pager = &list.pager;
        assert_eq!((pager.first, pager.last, pager.is_cut), (101, 150, false));
        assert_eq!(pager.next_url.as_deref(), Some("/x?q=ada%20%26%20bob&tag=vip&page=4"));
        assert_eq!(pager.previous_url.as_deref(), Some("/x?q=ada%20%26%20bob&tag=vip&page=2"));
        assert_eq!((list.on()[0].words.as_str(), list.on()[0].without_url.as_str()), ("vip", "/x?q=ada%20%26%20bob"));
        assert_eq!(asked.whole("/x.csv"), "/x.csv?q=ada%20%26%20bob&tag=vip");
        assert_eq!(list.others, [("tag".to_owned(), "vip".to_owned())]);
    }

    #[test]
    fn a_view_keeps_what_is_said_in_one_way() {
        const KEPT: &Kept = &[("q", ""), ("tag", ""), ("sort", "newest"), ("columns", "name,email")];
        let said = [("tag", "é & ü"), ("page", "3"), ("q", " ada "), ("made-up", "x"), ("sort", "newest")];
        let kept = asked(&said).kept(KEPT);
        assert_eq!(kept, "q=ada&tag=%C3%A9%20%26%20%C3%BC");
        assert_eq!(Asked::parse(&kept).kept(KEPT), kept);
        let mut boxes = asked(&[("columns", "name"), ("columns", "phone"), ("sort", "oldest")]);
        boxes.join("columns");
        assert_eq!(boxes.kept(KEPT), "sort=oldest&columns=name,phone");
        let usual = asked(&[("columns", "name,email"), ("tag", " ")]);
        assert_eq!(usual.kept(KEPT), "");
        assert_eq!(Asked::parse("no address").kept(KEPT), "");
    }

    #[test]
    fn pages_end_where_numbers_lead_no_further() {
        for (page, skipped) in [("0", 0), ("-3", 0), ("x", 0), ("200", 9_950), ("99999999999", 9_950)] {
            assert_eq!(asked(&[("page", page)]).skipped(), skipped, "{page}");
        }
        let last = asked(&[("page", "200")]);
        let list = Listing::new("/x".to_owned(), &last, 50, true, 20_000);
        assert!(list.pager.is_cut && list.pager.next_url.is_none());
        let none = asked(&[]);
        let empty = Listing::new("/x".to_owned(), &none, 0, false, 0);
        assert_eq!((empty.pager.first, empty.pager.last, empty.is_narrowed()), (0, 0, false));
        assert_eq!(none.with("/x", "q", None), "/x");
        let several = asked(&[("q", "ada"), ("tag", "vip"), ("page", "2")]);
        assert_eq!(
            several.with_all("/x", &[("q", None), ("tag", Some("new")), ("sort", Some("a"))]),
            "/x?tag=new&sort=a"
        );
        assert_eq!(Listing::new("/x".to_owned(), &none, 0, false, None).count(), "");
    }
}
