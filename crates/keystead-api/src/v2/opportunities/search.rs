//! What a search for opportunities asks for, in its two forms and in that of API 1.0.

use keystead_core::{App, Beside, Error, LocationContext, WholeOpportunity};
use keystead_model::{
    ContactId, CustomFieldId, Invalid, OpportunityId, PipelineId, StageId, UserId, UtcMs,
    calendar_date::CalendarDate,
    condition::{Condition, Op, Test, Value as Compared},
    custom_field::OwnerKind,
    data_type::ValueKind,
    opportunity::{Opportunity, OpportunityCursor, OpportunityFilter, Status},
    opportunity_field::OpportunityField,
    page::{Counted, TimeOrder, Window},
    search::asked,
    text::Country,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    reader::Reader,
    shape::{Ground, Input, Word, word},
    v2::{
        by_time::{ByTime, FURTHEST},
        contacts::shapes::ListMeta,
        search::{CustomKinds, Filters, Ordered, Places, Searched, Sort},
    },
};

/// Longest text of a search.
const MAX_QUERY: usize = 200;

/// Which opportunities are asked for, whatever the form.
#[derive(Default)]
pub(crate) struct Asked {
    words: Option<String>,
    filter: OpportunityFilter,
    /// The parameters that say the same, for the address of the next page.
    said: Vec<(&'static str, String)>,
}

impl Asked {
    /// Asks that a field is this.
    pub(crate) fn equals(&mut self, field: OpportunityField, name: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            let value = value.to_string();
            self.test(field, Op::Eq(Compared::Code(value.clone())));
            self.said.push((name, value));
        }
    }

    pub(crate) fn test(&mut self, field: OpportunityField, op: Op) {
        if let Condition::All(tests) = &mut self.filter.condition {
            tests.push(Condition::Test(Test { field, op }));
        }
    }

    /// Notes how something was asked for.
    pub(crate) fn say(&mut self, name: &'static str, value: impl ToString) {
        self.said.push((name, value.to_string()));
    }

    pub(crate) fn pipeline(&mut self, name: &'static str, pipeline: Option<PipelineId>) {
        self.filter.pipeline = pipeline;
        self.said.extend(pipeline.map(|pipeline| (name, pipeline.to_string())));
    }

    pub(crate) fn stage(&mut self, name: &'static str, stage: Option<StageId>) {
        self.filter.stages = stage.map(|stage| vec![stage]);
        self.said.extend(stage.map(|stage| (name, stage.to_string())));
    }

    pub(crate) fn status(&mut self, status: Option<AnyStatus>) {
        self.filter.status = status.and_then(|AnyStatus(status)| status);
        self.said.extend(self.filter.status.map(|status| ("status", status.as_str().to_owned())));
    }

    pub(crate) fn words(&mut self, name: &'static str, words: Option<String>) {
        self.said.extend(words.clone().map(|words| (name, words)));
        self.words = words;
    }

    /// Of a campaign: none is of any, since nothing makes opportunities by itself yet.
    pub(crate) fn campaign(&mut self, campaign: Option<String>) {
        if let Some(campaign) = campaign {
            if let Condition::All(tests) = &mut self.filter.condition {
                tests.push(Condition::Any(Vec::new()));
            }
            self.said.push(("campaignId", campaign));
        }
    }

    pub(crate) fn since(&mut self, at: Option<UtcMs>) {
        if let Some(at) = at {
            self.test(OpportunityField::CreatedAt, Op::Gte(Compared::Instant(at)));
        }
    }

    pub(crate) fn before(&mut self, at: Option<UtcMs>) {
        if let Some(at) = at {
            self.test(OpportunityField::CreatedAt, Op::Lt(Compared::Instant(at)));
        }
    }

    pub(crate) fn until(&mut self, at: Option<UtcMs>) {
        if let Some(at) = at {
            self.test(OpportunityField::CreatedAt, Op::Lte(Compared::Instant(at)));
        }
    }

    pub(crate) async fn filter(&self, app: &App, context: &LocationContext) -> Result<OpportunityFilter, Error> {
        let search = match &self.words {
            Some(words) => Some(asked(words, app.location_of(context).await?.profile.country)),
            None => None,
        };
        Ok(OpportunityFilter { search, ..self.filter.clone() })
    }

    /// Where a list goes on whose address begins so.
    pub(crate) fn meta(&self, by_time: &ByTime<Opportunity>, at: &str, found: &Counted<WholeOpportunity>) -> ListMeta {
        let mut path = at.to_owned();
        for (name, value) in &self.said {
            path.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        let place = |last: &WholeOpportunity| {
            let Opportunity { id, created_at, updated_at, .. } = last.opportunity;
            (id, created_at, updated_at)
        };
        by_time.meta(&path, found.total, found.page.next(place))
    }
}

/// The words of a search.
pub(crate) fn words(reader: &mut Reader<'_>, name: &'static str) -> Option<String> {
    let words: Option<String> = reader.word(name);
    if words.as_ref().is_some_and(|words| words.chars().count() > MAX_QUERY) {
        reader.violate(name, format!("must be shorter than or equal to {MAX_QUERY} characters"));
    }
    words
}

/// How an opportunity stands, or in any way.
pub(crate) struct AnyStatus(Option<Status>);

impl Word for AnyStatus {
    const EXAMPLE: &'static str = "all";

    fn schema() -> Value {
        word::one_of(Status::ALL.map(Status::as_str).into_iter().chain(["all"]))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        match (text, Status::parse(text)) {
            ("all", _) => Ok(Self(None)),
            (_, Some(status)) => Ok(Self(Some(status))),
            _ => Err(Invalid::new("must be one of open, won, lost, abandoned, all")),
        }
    }
}

/// `added_asc`; what does not name an order is passed over: clients send to every list what another list knows.
struct Order(Option<(TimeOrder, bool)>);

const ORDERS: [(&str, TimeOrder, bool); 4] = [
    ("added_asc", TimeOrder::Created, true),
    ("added_desc", TimeOrder::Created, false),
    ("updated_asc", TimeOrder::Updated, true),
    ("updated_desc", TimeOrder::Updated, false),
];

impl Word for Order {
    const EXAMPLE: &'static str = "added_asc";

    fn schema() -> Value {
        let names = ORDERS.map(|(name, ..)| name).join(", ");
        json!({"type": "string", "description": format!("{names}; anything else is passed over")})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let found = ORDERS.iter().find(|(name, ..)| *name == text);
        Ok(Self(found.map(|(_, order, ascending)| (*order, *ascending))))
    }
}

/// A search by query.
pub(crate) struct SearchQuery {
    asked: Asked,
    by_time: ByTime<Opportunity>,
    pub(crate) beside: Beside,
}

impl Input for SearchQuery {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        query.names_location_as("location_id");
        let mut asked = Asked::default();
        asked.words("q", words(query, "q"));
        asked.pipeline("pipelineId", twin(query, "pipelineId", "pipeline_id"));
        asked.stage("pipelineStageId", twin(query, "pipelineStageId", "pipeline_stage_id"));
        let contact: Option<ContactId> = twin(query, "contactId", "contact_id");
        asked.equals(OpportunityField::Contact, "contactId", contact);
        let user: Option<UserId> = twin(query, "assignedTo", "assigned_to");
        asked.equals(OpportunityField::AssignedTo, "assignedTo", user);
        asked.status(query.word("status"));
        asked.campaign(query.word("campaignId"));
        asked.equals(OpportunityField::Id, "id", query.word::<OpportunityId>("id"));
        let country: Option<Country> = query.word("country");
        asked.equals(OpportunityField::ContactCountry, "country", country.as_ref().map(Country::as_str));
        days(query, &mut asked);
        let order = query.word("order").and_then(|Order(order)| order);
        if let Some((name, ..)) = ORDERS.iter().find(|(_, column, up)| Some((*column, *up)) == order) {
            asked.say("order", name);
        }
        let by_time = ByTime::read(query, order.map(|(order, _)| order), order.map(|(_, up)| up), "opportunities");
        let beside =
            Beside { notes: query.truth("getNotes").unwrap_or(false), tasks: query.truth("getTasks").unwrap_or(false) };
        // There are no calendars yet, so nobody has events.
        query.truth("getCalendarEvents");
        Some(Self { asked, by_time, beside })
    }
}

/// Days of the location, both of them whole.
fn days(query: &mut Reader<'_>, asked: &mut Asked) {
    let (from, to): (Option<CalendarDate>, Option<CalendarDate>) = (query.word("date"), query.word("endDate"));
    let zone = query.ground().zone();
    asked.since(from.map(|day| day.to_moment().start(zone)));
    asked.before(to.map(|day| day.to_moment().end(zone)));
    for (name, day) in [("date", from), ("endDate", to)] {
        if let Some(day) = day {
            asked.say(name, day.to_iso());
        }
    }
}

/// A parameter under the names of both versions.
fn twin<W: Word>(query: &mut Reader<'_>, v3: &'static str, older: &'static str) -> Option<W> {
    let (new, old) = (query.word(v3), query.word(older));
    new.or(old)
}

impl SearchQuery {
    pub(crate) async fn filter(&self, app: &App, context: &LocationContext) -> Result<OpportunityFilter, Error> {
        let filter = self.asked.filter(app, context).await?;
        Ok(OpportunityFilter { order: self.by_time.order, ascending: self.by_time.ascending, ..filter })
    }

    pub(crate) fn window(&self) -> Window<OpportunityCursor> {
        self.by_time.window(|at, id| OpportunityCursor { at, id })
    }

    pub(crate) fn meta(&self, at: &str, found: &Counted<WholeOpportunity>) -> ListMeta {
        self.asked.meta(&self.by_time, at, found)
    }
}

impl Searched for OpportunityField {
    const MODEL: OwnerKind = OwnerKind::Opportunity;

    fn standard(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "name" => Self::Name,
            "monetary_value" => Self::Value,
            "pipeline_id" => Self::Pipeline,
            "pipeline_stage_id" => Self::Stage,
            "status" => Self::Status,
            "lost_reason_id" => Self::LostReason,
            "source" => Self::Source,
            "assigned_to" => Self::AssignedTo,
            "followers" => Self::Followers,
            "contact_id" => Self::Contact,
            "contact_name" => Self::ContactName,
            "company_name" => Self::ContactCompany,
            "email" => Self::ContactEmail,
            "phone" => Self::ContactPhone,
            "country" => Self::ContactCountry,
            "date_added" | "created_at" => Self::CreatedAt,
            "date_updated" | "updated_at" => Self::UpdatedAt,
            "last_status_change_date" | "last_status_change_at" => Self::StatusChangedAt,
            "last_stage_change_date" | "last_stage_change_at" => Self::StageChangedAt,
            "forecast_expected_close_date" => Self::CloseDate,
            _ => return None,
        })
    }

    fn custom(id: CustomFieldId, kind: ValueKind) -> Self {
        Self::Custom(id, kind)
    }

    fn is_phone(self) -> bool {
        self == Self::ContactPhone
    }

    fn is_sortable(self) -> bool {
        self != Self::Followers
    }

    fn filters_example() -> Value {
        json!([
            {"field": "status", "operator": "eq", "value": "open"},
            {"group": "OR", "filters": [
                {"field": "assigned_to", "operator": "not_exists"},
                {"field": "monetary_value", "operator": "range", "value": {"gte": 1000}},
            ]},
        ])
    }
}

/// A search by body.
pub(crate) struct SearchBody {
    asked: Asked,
    filters: Filters,
    sort: Sort,
    /// Opportunities that are passed over, and how many are asked for.
    slice: (i64, i64),
    pub(crate) beside: Beside,
}

impl Input for SearchBody {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let mut asked = Asked::default();
        asked.words("query", words(reader, "query"));
        asked.pipeline("pipelineId", reader.word("pipelineId"));
        asked.stage("pipelineStageId", reader.word("pipelineStageId"));
        asked.status(reader.word("status"));
        asked.equals(OpportunityField::Contact, "contactId", reader.word::<ContactId>("contactId"));
        asked.equals(OpportunityField::AssignedTo, "assignedTo", reader.word::<UserId>("assignedTo"));
        let filters = Filters::read::<OpportunityField>(reader);
        let sort = Sort::read(reader);
        let limit = reader.integer("limit", 1..=100).unwrap_or(20);
        // Counted from 0, as the contract has it; beside a place it means nothing.
        let page = reader.integer("page", 0..=1_000_000).unwrap_or(0);
        if !sort.has_place() && page * limit > FURTHEST {
            let go_on = "go on with searchAfter, which stands with each opportunity";
            reader.violate("page", format!("must not pass over more than {FURTHEST} opportunities; {go_on}"));
        }
        let beside = reader.object("additionalDetails", |reader| {
            let (notes, tasks) = (reader.truth("notes"), reader.truth("tasks"));
            // There are no calendars and no conversations yet.
            reader.truth("calendarEvents");
            reader.truth("unReadConversations");
            Beside { notes: notes.unwrap_or(false), tasks: tasks.unwrap_or(false) }
        });
        Some(Self { asked, filters, sort, slice: (page * limit, limit), beside: beside.unwrap_or_default() })
    }

    /// A page and a cursor exclude each other, and the example's cursor leads nowhere.
    fn settle(example: &mut serde_json::Map<String, Value>) {
        example.remove("searchAfter");
    }
}

impl SearchBody {
    /// What is asked for, in which order, and which part of it.
    pub(crate) async fn resolve(
        &self,
        app: &App,
        context: &LocationContext,
    ) -> Result<(OpportunityFilter, Ordered<OpportunityField>, Places<Opportunity>), Error> {
        let Self { asked, filters, sort, slice, .. } = self;
        let custom = CustomKinds::of::<OpportunityField>(app, context, filters, sort).await?;
        let filtered = filters.resolve(&custom)?;
        let (ordered, window) = sort.resolve(&custom, *slice)?;
        let filter = asked.filter(app, context).await?;
        let condition = Condition::flat([filter.condition, filtered]);
        Ok((OpportunityFilter { condition, ..filter }.with_places(), ordered, window))
    }
}
