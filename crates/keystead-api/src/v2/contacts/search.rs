//! The search for contacts: filters in groups, an order, and pages by number or by a place.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    CustomFieldId,
    contact::{Contact, ContactFilter},
    contact_field::{ContactFacts, ContactField},
    custom_field::OwnerKind,
    data_type::ValueKind,
    opportunity::{Opportunity, OpportunityContent, Status},
    scope::Scope,
    search::{Asked, asked},
};
use serde_json::{Value, json};

use super::shapes::{held, names_and_addresses};
use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Fields, Input, Written},
    v2::{
        by_time::FURTHEST,
        samples,
        search::{CustomKinds, Filters, SearchAfter, Searched, Sort},
    },
};

/// Longest `query`, in characters.
const MAX_QUERY: usize = 75;

impl Searched for ContactField {
    const MODEL: OwnerKind = OwnerKind::Contact;

    fn standard(name: &str) -> Option<Self> {
        Some(match name {
            "first_name_lower_case" | "first_name" => Self::FirstName,
            "last_name_lower_case" | "last_name" => Self::LastName,
            "company_name" => Self::CompanyName,
            "email" => Self::Email,
            "phone" => Self::Phone,
            "tags" => Self::Tags,
            "dnd" => Self::Dnd,
            "date_added" => Self::CreatedAt,
            "date_updated" => Self::UpdatedAt,
            "date_of_birth" => Self::DateOfBirth,
            "assigned_to" => Self::AssignedTo,
            "source" => Self::Source,
            "type" => Self::Type,
            "city" => Self::City,
            "state" => Self::State,
            "country" => Self::Country,
            "business_id" => Self::Business,
            _ => return None,
        })
    }

    fn custom(id: CustomFieldId, kind: ValueKind) -> Self {
        Self::Custom(id, kind)
    }

    fn is_phone(self) -> bool {
        self == Self::Phone
    }

    fn is_sortable(self) -> bool {
        !matches!(self, Self::Tags | Self::Business)
    }

    fn filters_example() -> Value {
        json!([
            {"group": "OR", "filters": [
                {"field": "tags", "operator": "eq", "value": "vip"},
                {"field": "email", "operator": "contains", "value": "@example.com"},
            ]},
            {"field": "dateAdded", "operator": "range", "value": {"gte": 1_795_608_000_000_i64}},
        ])
    }
}

/// What is searched for.
pub(crate) struct Search {
    words: Option<Vec<Asked>>,
    filters: Filters,
    sort: Sort,
    /// Contacts that are passed over, and how many are asked for.
    slice: (i64, i64),
}

impl Input for Search {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let limit = reader.integer("pageLimit", 1..=500).unwrap_or(20);
        let page = reader.integer("page", 1..=1_000_000).unwrap_or(1);
        let words = reader.word::<String>("query");
        if words.as_ref().is_some_and(|words| words.chars().count() > MAX_QUERY) {
            reader.violate("query", format!("must be shorter than or equal to {MAX_QUERY} characters"));
        }
        let country = reader.ground().country();
        let filters = Filters::read::<ContactField>(reader);
        let sort = Sort::read(reader);
        if page > 1 && sort.has_place() {
            reader.violate("page", "goes on by itself, and so does searchAfter; send one of them");
        }
        if page * limit > FURTHEST {
            reader.violate("page", format!("must not lead beyond {FURTHEST} contacts; go on with searchAfter"));
        }
        let words = words.map(|words| asked(&words, country));
        Some(Self { words, filters, sort, slice: ((page - 1) * limit, limit) })
    }

    fn settle(example: &mut serde_json::Map<String, Value>) {
        // A place is of one order, and no page.
        example.remove("searchAfter");
    }
}

pub(crate) async fn search(context: LocationContext, call: Call<(), Bare, Search>) -> Result<Results, Error> {
    let Search { words, filters, sort, slice } = call.body;
    let custom = CustomKinds::of::<ContactField>(&call.app, &context, &filters, &sort).await?;
    let condition = filters.resolve(&custom)?;
    let (ordered, window) = sort.resolve::<ContactField, _>(&custom, slice)?;
    let filter = ContactFilter { search: words, condition, ..ContactFilter::default() };
    let found = call.app.search_contacts(&context, filter, ordered.keys.clone(), window).await?;
    // Nobody reads by the way what they may not.
    let mut opportunities = if context.authority().grant().allows(Scope::OpportunitiesRead) {
        let ids = found.page.rows.iter().map(|contact| contact.id).collect();
        Some(call.app.opportunities_of(&context, ids).await?)
    } else {
        None
    };
    let hit = |contact: Contact| {
        let is_of = |opportunity: &mut Opportunity| opportunity.content.contact == contact.id;
        let opportunities = opportunities.as_mut().map(|all| all.extract_if(.., is_of).map(InShort).collect());
        let place = ordered.place_of(contact.id, &ContactFacts(&contact));
        Hit { contact, opportunities, place }
    };
    Ok(Results { contacts: found.page.map(hit).rows, total: found.total })
}

/// The contacts of a page, and how many are found in all.
pub(crate) struct Results {
    contacts: Vec<Hit>,
    total: i64,
}

impl Written for Results {
    fn sample() -> Self {
        Self { contacts: vec![Hit::sample()], total: 1 }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("contacts", &self.contacts);
        fields.put("total", &self.total);
    }
}

/// A contact that was found, in the shape of the search.
struct Hit {
    contact: Contact,
    /// None for whoever may not read any.
    opportunities: Option<Vec<InShort>>,
    place: SearchAfter,
}

impl Written for Hit {
    const NAME: &'static str = "FoundContact";

    fn sample() -> Self {
        let opportunities = Some(vec![InShort::sample()]);
        Self { contact: Contact::sample(), opportunities, place: SearchAfter::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { contact, opportunities, place } = self;
        let profile = &contact.profile;
        let name = profile.full_name();
        fields.put("id", &contact.id);
        fields.put("locationId", &contact.location);
        fields.opt("contactName", name.as_ref());
        names_and_addresses(fields, profile, name.as_ref(), "address");
        fields.opt("timezone", profile.timezone.as_ref());
        fields.opt("gender", profile.gender.as_ref());
        fields.one_of("type", Contact::TYPE, &[Contact::TYPE]);
        fields.put("dnd", &profile.dnd);
        fields.put("dndSettings", &profile.dnd_settings);
        fields.put("dateAdded", &contact.created_at);
        fields.put("dateUpdated", &contact.updated_at);
        fields.opt("dateOfBirth", profile.date_of_birth.map(|born| born.to_utc().0).as_ref());
        fields.put("customFields", &held(contact));
        fields.put("tags", &contact.tags);
        fields.put("followers", &profile.followers);
        fields.opt("assignedTo", profile.assigned_to.as_ref());
        fields.opt("businessId", profile.business.as_ref());
        fields.put("additionalEmails", &profile.additional_emails);
        fields.put("additionalPhones", &profile.additional_phones);
        fields.opt("opportunities", opportunities.as_ref());
        fields.put("searchAfter", place);
    }
}

/// An opportunity beside its contact.
struct InShort(Opportunity);

impl Written for InShort {
    const NAME: &'static str = "OpportunityOfContact";

    fn sample() -> Self {
        Self(samples::opportunity().opportunity)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let OpportunityContent { pipeline, stage, status, value, .. } = &self.0.content;
        fields.put("id", &self.0.id);
        fields.put("pipelineId", pipeline);
        fields.put("pipelineStageId", stage);
        fields.put("monetaryValue", value);
        fields.one_of("status", status.as_str(), &Status::ALL.map(Status::as_str));
    }
}
