//! Words: values of one text. The rule, how it is described, and an example stand on the type.

use keystead_model::{
    AgencyId, BusinessId, ContactId, Invalid, KeyId, LocationId, LostReasonId, NoticeId, OpportunityId, PipelineId,
    StageId, UserId, WebhookEndpointId,
    calendar_date::CalendarDate,
    phone::PhoneNumber,
    tag::TagName,
    text::{Country, EmailAddress, Line, Prose, TimeZoneName, echo},
};
use serde_json::{Value, json};

use super::Ground;

/// A value that is read from one text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no word: give it a rule, a schema and an example in `shape::word`"
)]
pub(crate) trait Word: Sized {
    /// A text that its rule takes.
    const EXAMPLE: &'static str;

    /// Its JSON Schema.
    fn schema() -> Value;

    /// Its rule.
    fn parse(text: &str, ground: &Ground) -> Result<Self, Invalid>;
}

/// A schema of texts that have a form.
pub(crate) fn text(length: usize, description: &str) -> Value {
    json!({"type": "string", "maxLength": length, "description": description})
}

/// A schema of a closed list of texts.
pub(crate) fn one_of<'n>(names: impl IntoIterator<Item = &'n str>) -> Value {
    json!({"type": "string", "enum": names.into_iter().collect::<Vec<_>>()})
}

impl Word for String {
    const EXAMPLE: &'static str = "text";

    fn schema() -> Value {
        json!({"type": "string"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Ok(text.to_owned())
    }
}

impl<const MAX: usize> Word for Line<MAX> {
    const EXAMPLE: &'static str = "Example";

    fn schema() -> Value {
        json!({"type": "string", "maxLength": MAX})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl<const MAX: usize> Word for Prose<MAX> {
    const EXAMPLE: &'static str = "An example.\nOf two lines.";

    fn schema() -> Value {
        json!({"type": "string", "maxLength": MAX})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Word for PhoneNumber {
    const EXAMPLE: &'static str = "+14155550123";

    fn schema() -> Value {
        json!({"type": "string", "description": "A possible number, international or of the location's country"})
    }

    fn parse(text: &str, ground: &Ground) -> Result<Self, Invalid> {
        Self::parse(text, ground.country())
    }
}

/// The caller's own company.
pub(crate) struct OwnCompany;

impl Word for OwnCompany {
    const EXAMPLE: &'static str = AGENCY;

    fn schema() -> Value {
        id("The id of the key's company")
    }

    fn parse(text: &str, ground: &Ground) -> Result<Self, Invalid> {
        let is_own = ground.agency().is_some_and(|own| AgencyId::parse(text) == Some(own));
        if is_own { Ok(Self) } else { Err(Invalid::new("is not the company of this key")) }
    }
}

/// Ids that stand in examples.
pub(crate) const AGENCY: &str = "0aQ7cXk2Tm9Rb4Vw6Yz1";
pub(crate) const LOCATION: &str = "0aQ7cXkBTm9Rb4Vw6Yz2";
pub(crate) const USER: &str = "0aQ7cXkJTm9Rb4Vw6Yz3";
pub(crate) const THING: &str = "0aQ7cXkPTm9Rb4Vw6Yz4";
pub(crate) const STAGE: &str = "7915dedc-8f18-84d5-8bc3-77c04e994a10";
pub(crate) const KEY: &str = "Hq3vT0bZk9Wd";

/// A schema of ids.
pub(crate) fn id(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

macro_rules! words {
    ($($type:ty, $example:expr, $schema:expr, $parse:expr;)*) => {
        $(impl Word for $type {
            const EXAMPLE: &'static str = $example;

            fn schema() -> Value {
                $schema
            }

            fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
                $parse(text)
            }
        })*
    };
}

words! {
    TagName, "vip", text(100, "Stored in lower case"), TagName::parse;
    EmailAddress, "ada@example.com", text(254, "An e-mail address"), EmailAddress::parse;
    Country, "US", json!({"type": "string", "description": "ISO 3166-1 alpha-2"}), Country::parse;
    TimeZoneName, "Europe/Berlin", json!({"type": "string", "description": "An IANA time zone"}), TimeZoneName::parse;
    CalendarDate, "1990-09-25", json!({"type": "string", "description": "YYYY-MM-DD, or MM/DD/YYYY, with - / . or _"}),
        CalendarDate::parse;
    ContactId, THING, id("The id of a contact"), |text: &str|
        ContactId::parse(text.trim()).ok_or_else(|| Invalid::new("must be the id of a contact"));
    BusinessId, THING, id("The id of a business"), |text: &str|
        BusinessId::parse(text.trim()).ok_or_else(|| Invalid::new("must be the id of a business"));
    UserId, USER, id("The id of a user"), |text: &str|
        UserId::parse(text.trim()).ok_or_else(|| Invalid::new("must be the id of a user"));
    LocationId, LOCATION, id("The id of a location"), |text: &str|
        LocationId::parse(text).ok_or_else(|| Invalid::new(format!("has {}, which is no location's id", echo(text))));
    PipelineId, THING, id("The id of a pipeline"), |text: &str|
        PipelineId::parse(text.trim()).ok_or_else(|| Invalid::new("must be the id of a pipeline"));
    LostReasonId, THING, id("The id of a lost reason"), |text: &str|
        LostReasonId::parse(text.trim()).ok_or_else(|| Invalid::new("must be the id of a lost reason"));
    OpportunityId, THING, id("The id of an opportunity"), |text: &str|
        OpportunityId::parse(text.trim()).ok_or_else(|| Invalid::new("must be the id of an opportunity"));
    StageId, STAGE, id("The id of a stage, a UUID"), |text: &str|
        StageId::parse(text.trim()).map_err(|_| Invalid::new("must be the id of a stage, a UUID"));
    KeyId, KEY, id("The id of an API key"), |text: &str|
        KeyId::parse(text).ok_or_else(|| Invalid::new("must be the id of a key"));
    WebhookEndpointId, THING, id("The id of a webhook"), |text: &str|
        WebhookEndpointId::parse(text.trim()).ok_or_else(|| Invalid::new("must be the id of a webhook"));
    NoticeId, THING, id("The nextCursor of a list"), |text: &str|
        NoticeId::parse(text).ok_or_else(|| Invalid::new("must be the nextCursor of a list"));
}

/// An e-mail address in a query. People and programs forget to encode a plus sign, which then arrives as a space.
pub(crate) struct QueriedEmail(pub(crate) String);

/// A phone number in a query, whose plus sign likewise arrives as a space.
pub(crate) struct QueriedPhone(pub(crate) String);

words! {
    QueriedEmail, "ada@example.com", json!({"type": "string", "description": "An e-mail address"}), |text: &str|
        Ok(QueriedEmail(text.trim().replace(' ', "+")));
    QueriedPhone, "+14155550123", json!({"type": "string", "description": "A phone number"}), |text: &str|
        Ok(QueriedPhone(text.strip_prefix(' ').map_or_else(|| text.to_owned(), |digits| format!("+{digits}"))));
}
