//! Many things in one call: what a body holds of each, and what became of each.

use keystead_core::{Described, Error, LocationContext, Resource, Violation};
use keystead_model::ContactId;

use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Fields, Input, Written, word},
    v2::failure::Problem,
};

/// Things of one call.
pub(crate) const MOST: usize = 500;

/// One of many in a body.
pub(crate) trait OneOfMany: Input {
    /// The field that holds them.
    const MANY: &'static str;
}

/// All of them: what one of them lacks is its own fault.
pub(crate) struct Batch<I>(pub(crate) Vec<Result<I, Vec<Violation>>>);

impl<I: OneOfMany> Input for Batch<I> {
    const COUNTED: Option<&'static str> = Some(I::MANY);

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        reader.required(I::MANY, |reader| reader.each_alone(I::MANY, MOST)).map(Self)
    }
}

impl<I> Batch<I> {
    /// Has done what can be done, all at once, and answers what became of each.
    pub(crate) async fn run<T, D: Future<Output = Result<Vec<Result<T, Error>>, Error>>>(
        self,
        work: impl FnOnce(Vec<I>) -> D,
    ) -> Result<Vec<Result<T, Error>>, Error> {
        let mut good = Vec::new();
        let mut refused: Vec<Option<Error>> = Vec::new();
        for item in self.0 {
            match item {
                Ok(item) => {
                    good.push(item);
                    refused.push(None);
                }
                Err(violations) => refused.push(Some(Error::Invalid(violations))),
            }
        }
        let mut done = if good.is_empty() { Vec::new() } else { work(good).await? }.into_iter();
        let lost = || Error::Internal("one of many has no outcome".to_owned());
        let each = refused.into_iter().map(|refused| match refused {
            Some(error) => Err(error),
            None => done.next().unwrap_or_else(|| Err(lost())),
        });
        Ok(each.collect())
    }
}

/// What was done, as one of many.
pub(crate) struct Done {
    pub(crate) id: String,
    pub(crate) is_new: bool,
    /// What of it was understood and not written.
    pub(crate) skipped: Vec<String>,
}

/// What became of one of many.
struct Outcome {
    index: usize,
    result: Result<Done, Problem>,
}

impl Written for Outcome {
    const NAME: &'static str = "Outcome";

    fn sample() -> Self {
        Self { index: 0, result: Ok(Done { id: word::THING.to_owned(), is_new: true, skipped: Vec::new() }) }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let (done, refusal) = (self.result.as_ref().ok(), self.result.as_ref().err());
        let status = match done {
            Some(Done { is_new: true, .. }) => "created",
            Some(Done { is_new: false, .. }) => "updated",
            None => "failed",
        };
        fields.put("index", &self.index);
        fields.one_of("status", status, &["created", "updated", "failed"]);
        fields.opt("id", done.map(|done| &done.id));
        fields.opt("skipped", done.map(|done| &done.skipped).filter(|skipped| !skipped.is_empty()));
        fields.opt("error", refusal);
    }
}

/// What became of each, in the order in which they were sent.
pub(crate) struct Outcomes(Vec<Outcome>);

impl Outcomes {
    pub(crate) fn of<T>(results: Vec<Result<T, Error>>, done: impl Fn(T) -> Done) -> Self {
        let of = |(index, result): (usize, Result<T, Error>)| {
            let result = result.map(&done);
            Outcome { index, result: result.map_err(Problem::of) }
        };
        Self(results.into_iter().enumerate().map(of).collect())
    }
}

impl Written for Outcomes {
    fn sample() -> Self {
        Self(vec![Outcome::sample()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let failed = self.0.iter().filter(|outcome| outcome.result.is_err()).count();
        fields.put("results", &self.0);
        fields.put("succeeded", &(self.0.len() - failed));
        fields.put("failed", &failed);
    }
}

/// A resource of a contact, among many of one call.
pub(crate) struct OfContact<C>(ContactId, C);

impl<C: Input> Input for OfContact<C> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let contact = reader.required("contactId", |reader| reader.word("contactId"));
        let content = C::read(reader);
        Some(Self(contact?, content?))
    }
}

/// Makes many of a resource, of one contact or of several.
pub(crate) async fn create<R, C>(
    context: LocationContext,
    call: Call<(), Bare, Batch<OfContact<C>>>,
) -> Result<Outcomes, Error>
where
    R: Resource<Parent = ContactId, Content = C> + Described,
    C: Input,
    OfContact<C>: OneOfMany,
{
    let app = &call.app;
    let work = |new: Vec<OfContact<C>>| {
        let new = new.into_iter().map(|OfContact(contact, content)| (contact, content)).collect();
        app.create_many::<R>(&context, new)
    };
    let made = |resource: R| Done { id: resource.subject().to_owned(), is_new: true, skipped: Vec::new() };
    Ok(Outcomes::of(call.body.run(work).await?, made))
}
