//! Two who edit one thing: whoever saves later is told, sees both versions, and decides.

use std::any::Any;

use keystead_core::{Error, ErrorCode, Seen};
use keystead_model::{
    agency::Agency, contact::Contact, custom_field::CustomField, custom_value::CustomValue, key_policy::KeyPolicy,
    location::Location, opportunity::Opportunity, pipeline::Pipeline, saved_view::SavedView, tag::Tag,
};

use super::{Field, Form, Kind};

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

told_by_when_it_was_changed!(Contact, CustomField, CustomValue, Location, Opportunity, Pipeline, SavedView);

impl Edited for Tag {
    fn state(&self) -> String {
        self.name.as_str().to_owned()
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

impl Form {
    /// Notes what it was opened on.
    pub(crate) fn opened_on(mut self, thing: &impl Edited) -> Self {
        self.carry(thing.state());
        self
    }

    /// What its sender has seen of the thing. One that was opened on nothing goes through, as by a program.
    pub(crate) fn seen<T: Edited>(&mut self) -> Seen {
        let seen = self.text(SEEN).map(str::to_owned);
        if let Some(seen) = &seen {
            self.carry(seen.clone());
        }
        Seen::new(move |now: &T| seen.as_ref().is_none_or(|seen| *seen == now.state()))
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

    /// Says that somebody else has changed the thing while it was edited, and beside each field that differs what it is now: both
    /// versions are shown, and sent again the visitor's is written.
    pub(crate) fn overtaken(&mut self, noun: &str, now: &impl Edited, form: &Self) {
        self.problems.generally(format!(
            "Somebody changed this {noun} while you edited it; what differs says both. Save again to keep what stands here"
        ));
        let differs = |field: &&Field| self.values_of(field) != form.values_of(field);
        let texts = self.fields.iter().filter(differs).map(|field| {
            let stands = form.values_of(field);
            let says = if stands.is_empty() { "nothing".to_owned() } else { format!("“{}”", stands.join(", ")) };
            (field.name.clone().into_owned(), format!("{}: meanwhile it is {says}", field.label))
        });
        for (name, text) in texts.collect::<Vec<_>>() {
            self.problems.say(&name, text);
        }
        self.carry(now.state());
    }

    fn carry(&mut self, state: String) {
        if self.field_of(SEEN).is_none() {
            self.fields.push(Field::new(Kind::Hidden, SEEN, ""));
        }
        self.put(SEEN, state);
    }

    fn values_of(&self, field: &Field) -> Vec<&str> {
        let values = self.sent.all(&field.name).into_iter().map(str::trim);
        values.filter(|value| !value.is_empty() && field.kind != Kind::Hidden).collect()
    }
}
