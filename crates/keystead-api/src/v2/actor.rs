//! Whoever did something.

use keystead_model::actor::Actor;

use crate::shape::{Fields, Written};

/// Kind and id of somebody; the operator and the system have no id.
pub(crate) struct Who(pub(crate) Actor);

impl Written for Who {
    const NAME: &'static str = "Actor";

    fn sample() -> Self {
        Self(Actor::Operator)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.one_of("type", self.0.kind(), &["user", "key", "operator", "system"]);
        fields.or_null("id", self.0.id());
    }
}
