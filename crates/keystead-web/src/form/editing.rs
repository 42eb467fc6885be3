//! Two who edit one thing: whoever saves later is told, sees both versions, and decides.

use std::{any::Any, collections::BTreeSet};

use keystead_core::{Error, ErrorCode, Seen};
use keystead_model::{
    agency::Agency, api_key::ApiKey, contact::Contact, custom_field::CustomField, custom_value::CustomValue,
    inbound_webhook::InboundWebhook, key_policy::KeyPolicy, link::Link, location::Location, opportunity::Opportunity,
    pipeline::Pipeline, saved_view::SavedView, tag::Tag, user::User, webhook::WebhookEndpoint,
};

use super::{Field, Fields, Form, Kind};
use crate::forms::TheForm;

/// The field with the state that a form was opened in.
pub(crate) const SEEN: &str = "seen";

/// A thing that forms change.
pub(crate) trait Edited: Any {
    /// A text that is another one after whatever its form shows was changed.
    fn state(&self) -> String;
}

macro_rules! told_by_when_it_was_changed {
    ($($thing:ty),*) => {
        $(impl Edited for $thing {
            fn state(&self) -> String {
                self.updated_at.0.to_string()
            }
        })*
    };
}

told_by_when_it_was_changed!(
    Contact,
    CustomField,
    CustomValue,
    InboundWebhook,
    Link,
    Location,
    Opportunity,
    Pipeline,
    SavedView,
    TheForm,
    WebhookEndpoint
);

impl Edited for Tag {
    fn state(&self) -> String {
        self.name.as_str().to_owned()
    }
}

impl Edited for ApiKey {
    fn state(&self) -> String {
        self.version.to_string()
    }
}

impl Edited for User {
    fn state(&self) -> String {
        let locations: Vec<&str> = self.locations.iter().map(|id| id.as_str()).collect();
        format!("{} {}", self.role.as_str(), locations.join(" "))
    }
}

impl Edited for Agency {
    fn state(&self) -> String {
        let KeyPolicy { longest_days, default_days, agency_keys_by, contact } = &self.keys;
        let contact = contact.as_ref().map_or("", |contact| contact.as_str());
        format!("{} {longest_days:?} {default_days:?} {} {contact}", self.profile.name, agency_keys_by.as_str())
    }
}

/// What became of an edit.
pub(crate) enum Edit<T> {
    Saved(T),
    /// Somebody else has changed the thing since the form was opened: nothing was saved.
    Overtaken,
    /// Something is wrong with the form, which says what.
    Wrong,
}

/// Between the state of a thing and what stood in the form on it.
const MARK: char = '|';

impl Form {
    /// Notes what it was opened on, and what stood in it then.
    pub(crate) fn opened_on(mut self, thing: &impl Edited) -> Self {
        let stood = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.sent.0).finish();
        self.carry(format!("{}{MARK}{stood}", thing.state()));
        self
    }

    /// What its sender has seen of the thing. One that was opened on nothing goes through, as by a program.
    pub(crate) fn seen<T: Edited>(&mut self) -> Seen {
        let seen = self.sent.raw(SEEN).map(str::to_owned);
        if let Some(seen) = &seen {
            self.carry(seen.clone());
        }
        let state = seen.map(|seen| seen.rsplit_once(MARK).map_or(seen.clone(), |(state, _)| state.to_owned()));
        Seen::new(move |now: &T| state.as_ref().is_none_or(|state| *state == now.state()))
    }

    /// Does what [`Form::run`] does, by somebody who has [`Form::seen`] the thing.
    pub(crate) async fn edit<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> Result<Edit<T>, Error> {
        let careful = async {
            match work.await {
                Err(Error::Conflict(ErrorCode::PreconditionFailed, _)) => Ok(None),
                outcome => outcome.map(Some),
            }
        };
        Ok(match self.run(careful).await? {
            Some(Some(saved)) => Edit::Saved(saved),
            Some(None) => Edit::Overtaken,
            None => Edit::Wrong,
        })
    }

    /// The same with what was read: what is missing there is a problem already.
    pub(crate) async fn edit_with<I, T>(
        &mut self,
        input: Option<I>,
        work: impl AsyncFnOnce(I) -> Result<T, Error>,
    ) -> Result<Edit<T>, Error> {
        match input {
            Some(input) => self.edit(work(input)).await,
            None => Ok(Edit::Wrong),
        }
    }

    /// Says that somebody else has changed the thing while it was edited. What only they changed is filled in, what only the
    /// visitor changed stays, and where both did both versions are shown: sent again, the form is written as it stands then.
    pub(crate) fn overtaken(&mut self, noun: &str, now: &impl Edited, form: &Self) {
        let stood = self.sent.raw(SEEN).and_then(|seen| seen.rsplit_once(MARK)).map(|(_, stood)| stood.to_owned());
        let stood: Option<Fields> =
            stood.map(|stood| Fields(form_urlencoded::parse(stood.as_bytes()).into_owned().collect()));
        let sent = [&self.sent, &form.sent].into_iter().flat_map(|sent| sent.0.iter());
        let is_shown = |name: &&String| self.field_of(name).is_none_or(|field| field.kind != Kind::Hidden);
        let names: BTreeSet<String> = sent.map(|(name, _)| name).filter(is_shown).cloned().collect();
        let mut both = Vec::new();
        for name in names {
            let [mine, theirs] = [&self.sent, &form.sent].map(|sent| values(sent, &name));
            let before = stood.as_ref().map(|stood| values(stood, &name));
            if mine == theirs || before.as_ref() == Some(&theirs) {
                continue;
            }
            if before.as_ref() == Some(&mine) {
                self.sent.0.retain(|(known, _)| *known != name);
                self.sent.0.extend(theirs.into_iter().map(|value| (name.clone(), value)));
            } else {
                both.push((name, theirs));
            }
        }
        self.generally(match both.is_empty() {
            true => format!("Somebody changed this {noun} while you edited it. What they changed is filled in; save again"),
            false => format!(
                "Somebody changed this {noun} while you edited it; what differs says both. Save again to keep what stands here"
            ),
        });
        for (name, theirs) in both {
            if let Some(field) = self.field_of(&name) {
                let said = format!("{}: meanwhile it is {}", field.label, said(field, &theirs));
                self.say(&name, said);
            }
        }
        let state = form.sent.raw(SEEN).map_or_else(|| now.state(), str::to_owned);
        self.carry(state);
    }

    fn carry(&mut self, state: String) {
        if self.field_of(SEEN).is_none() {
            self.fields.push(Field::new(Kind::Hidden, SEEN, ""));
        }
        self.put(SEEN, state);
    }
}

/// What stands in a field, as it is compared: browsers end lines in their own way.
fn values(sent: &Fields, name: &str) -> Vec<String> {
    let values = sent.all(name).into_iter().map(|value| value.trim().replace("\r\n", "\n"));
    values.filter(|value| !value.is_empty()).collect()
}

/// The same as people read it: what can be chosen by its words.
fn said(field: &Field, values: &[String]) -> String {
    if field.kind == Kind::Check {
        return if values.is_empty() { "not ticked" } else { "ticked" }.to_owned();
    }
    let words = values.iter().map(|value| {
        let chosen = field.choices.iter().find(|choice| choice.value == *value);
        chosen.map_or(value.as_str(), |choice| choice.words.as_str())
    });
    let words = words.collect::<Vec<_>>().join(", ");
    if words.is_empty() { "nothing".to_owned() } else { format!("“{words}”") }
}
