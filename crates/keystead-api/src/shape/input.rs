//! Inputs: queries and bodies as types.

use keystead_core::Violation;
use keystead_model::{custom_field::OwnerKind, id::Id};
use serde_json::{Map, Value};

use super::{Ground, outline::Outline, word};
use crate::{
    reader::{PLACES, Reader, Slice, Source},
    sent::Sent,
};

/// The fields of a query or of a body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no input: a route says what it takes by a type with `shape::Input`",
    note = "take `Bare` for a query of nothing but what every query may have, `Empty` for a body without fields"
)]
pub(crate) trait Input: Sized {
    /// Whether it changes something that is there, so that `clear` may name what is to be emptied.
    const IS_UPDATE: bool = false;

    /// Bytes that its files may have together. A body with files is a form, `multipart/form-data`.
    const FILE_BYTES: Option<u64> = None;

    /// Whether a body without files may be JSON, too.
    const IS_JSON_TOO: bool = false;

    /// The list by whose length a request is counted against its limit: it stands for as many.
    const COUNTED: Option<&'static str> = None;

    /// Asks for each field. `None` where something required is missing or wrong, which the reader has noted then.
    ///
    /// This is run for its description, too, with every field and with only those that must be there. So what depends on a
    /// value must not decide which fields are asked for.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// Takes out of an example of all fields those that exclude others.
    fn settle(_example: &mut Map<String, Value>) {}
}

/// An input as the documents have it.
#[derive(Clone)]
pub(crate) struct Described {
    pub(crate) outline: Outline,
    /// The headers that it asks for, of a query.
    pub(crate) headers: Outline,
    /// All fields that go together.
    pub(crate) example: Map<String, Value>,
    /// Whether its rules ask where it is read.
    pub(crate) asks_where: bool,
    /// Whose custom fields its rules ask for.
    pub(crate) asks_fields: Option<OwnerKind>,
    /// Of a form.
    pub(crate) file_bytes: Option<u64>,
    /// What a form has, where the rest of this is of JSON.
    pub(crate) as_form: Option<Outline>,
    /// See [`Input::COUNTED`].
    pub(crate) counted: Option<&'static str>,
}

/// Runs a reading for its description: with everything there, and with only what must be.
pub(crate) fn describe<I: Input>(source: Source) -> Described {
    let ground = Ground::of_agency(Id::parse(word::AGENCY));
    let pass = |everything| {
        let mut reader = Reader::describing(&ground, everything, source, I::IS_UPDATE);
        I::read(&mut reader);
        reader.into_outlines()
    };
    let ((all, headers), (least, required_headers)) = (pass(true), pass(false));
    let as_form = (source == Source::Json && I::FILE_BYTES.is_some()).then(|| describe::<I>(Source::Form).outline);
    let mut example = all.example().clone();
    I::settle(&mut example);
    let headers = headers.join(required_headers);
    Described {
        outline: all.join(least),
        headers,
        example,
        asks_where: ground.is_asked(),
        asks_fields: ground.asked_fields(),
        file_bytes: I::FILE_BYTES,
        as_form,
        counted: I::COUNTED,
    }
}

/// What a body is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no body: a route says what it takes by a type with `shape::Input`",
    note = "take `()` where a body is passed over"
)]
pub(crate) trait Body: Sized {
    fn of(sent: Sent, ground: &Ground, is_lenient: bool) -> (Option<Self>, Vec<Violation>);
    fn describe() -> Option<Described>;
}

impl<I: Input> Body for I {
    fn of(sent: Sent, ground: &Ground, is_lenient: bool) -> (Option<Self>, Vec<Violation>) {
        let is_form = sent.is_form();
        let Sent { fields, files, .. } = sent;
        let reader = if is_form {
            Reader::form(fields, files, ground)
        } else if I::IS_UPDATE {
            Reader::update(fields, ground)
        } else {
            Reader::body(fields, ground)
        };
        read(reader, is_lenient)
    }

    fn describe() -> Option<Described> {
        let is_form = I::FILE_BYTES.is_some() && !I::IS_JSON_TOO;
        Some(describe::<I>(if is_form { Source::Form } else { Source::Json }))
    }
}

/// A body that means nothing: some clients send one with everything.
impl Body for () {
    fn of(_: Sent, _: &Ground, _: bool) -> (Option<Self>, Vec<Violation>) {
        (Some(()), Vec::new())
    }

    fn describe() -> Option<Described> {
        None
    }
}

/// Reads all of an input.
pub(crate) fn read<I: Input>(mut reader: Reader<'_>, is_lenient: bool) -> (Option<I>, Vec<Violation>) {
    let input = I::read(&mut reader);
    if is_lenient {
        reader.pass_over_unknown();
    }
    (input, reader.finish())
}

/// A query of nothing but what every query may have. There is no list, so its places lead nowhere.
pub(crate) struct Bare;

impl Input for Bare {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.ignore(PLACES);
        Some(Self)
    }
}

/// A body without fields.
pub(crate) struct Empty;

impl Input for Empty {
    fn read(_: &mut Reader<'_>) -> Option<Self> {
        Some(Self)
    }
}

impl Input for Slice {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(reader.slice())
    }
}
