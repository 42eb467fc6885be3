//! What a form makes once, however often it is sent: a secret is shown in the answer alone, so no redirect leads to it.

use keystead_core::{Authority, Error, IdempotencyKey, Replay};

use crate::{Web, place::Here};

/// What came of a form.
pub(crate) enum Once<T> {
    Made(T),
    /// It was sent before, and made what has this id.
    Before(String),
}

/// Makes what the form asks for, unless it was sent before. `form_id` is what the form was given when it was shown, `id` names
/// what was made.
pub(crate) async fn once<T>(
    web: &Web,
    here: &Here,
    (route, form_id): (&'static str, &str),
    make: impl AsyncFnOnce(Authority) -> Result<T, Error>,
    id: impl FnOnce(&T) -> String,
) -> Result<Once<T>, Error> {
    let request = here.visitor.arrival.id;
    let key = IdempotencyKey::parse("form_id", form_id.as_bytes())?;
    let replay = web.app.begin_idempotent(here.authority(), route, &key, form_id.as_bytes(), request).await?;
    let claim = match replay {
        Replay::New(claim) | Replay::Lost(claim) => claim,
        Replay::Answered(_, id) => return Ok(Once::Before(id)),
    };
    let made = make(here.authority().clone().with_claim(claim.clone())).await?;
    web.app.finish_idempotent(&claim, 200, &id(&made)).await?;
    Ok(Once::Made(made))
}
