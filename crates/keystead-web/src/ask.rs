//! What is asked before something is done that nobody can take back.

use askama::Template;
use axum::response::Response;
use keystead_core::Error;

use crate::{
    failure::Failure,
    form::{Edited, Form},
    page::{Frame, render},
    place::Here,
};

/// A question, on a page of its own.
#[derive(Template)]
#[template(path = "ask.html")]
pub(crate) struct Ask {
    frame: Frame,
    name: String,
    /// What is done, as the way back says it.
    act: &'static str,
    /// The same as it stands before the name.
    heading: String,
    /// What follows, in whole sentences.
    sentences: Vec<String>,
    button: &'static str,
    form: Form,
    back_url: String,
}

impl Ask {
    /// Whether to delete what is called `name`; whoever would rather not goes back to `back_url`.
    pub(crate) fn to_delete(
        here: &Here,
        section: &'static str,
        (name, button): (&str, &'static str),
        sentences: Vec<String>,
        back_url: String,
    ) -> Self {
        let act = "Delete";
        Self {
            frame: Frame::of(here, button, section),
            name: name.to_owned(),
            act,
            heading: act.to_owned(),
            sentences,
            button,
            form: Form::default(),
            back_url,
        }
    }

    /// Whether to do something else than to delete it.
    pub(crate) fn to(self, act: &'static str, heading: String) -> Self {
        Self { act, heading, ..self }
    }

    /// The same about what was seen: whatever is deleted is still what the question was about.
    pub(crate) fn opened_on(mut self, thing: &impl Edited) -> Self {
        self.form = self.form.opened_on(thing);
        self
    }

    /// The question.
    pub(crate) fn shown(&self) -> Response {
        render(self)
    }

    /// Does what was asked; else the question again, with why nothing was done.
    pub(crate) async fn answered<T>(
        mut self,
        work: impl Future<Output = Result<T, Error>>,
        done: impl FnOnce(T) -> Response,
    ) -> Result<Response, Failure> {
        Ok(match self.form.run(work).await? {
            Some(result) => done(result),
            None => self.form.again(&self),
        })
    }
}
