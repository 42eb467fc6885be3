//! The handlers of resources that are made, read, listed, changed and deleted in the same way. What a body becomes and how an
//! answer looks are types of the API that they belong to.

use keystead_core::{Error, LocationContext, Resource};
use keystead_model::{ContactId, id::Id};

use crate::{
    call::Call,
    reader::Slice,
    shape::{Bare, Input, Many, Path},
};

/// Where a resource stands in paths: by its id, after the contact that it belongs to.
pub(crate) trait At<R>: Path + Copy {
    type One: Path;

    /// What it is a part of, and its id.
    fn split(one: Self::One) -> (Self, Id<R>);
}

impl<R> At<R> for ContactId
where
    (ContactId, Id<R>): Path,
{
    type One = (ContactId, Id<R>);

    fn split(one: Self::One) -> (Self, Id<R>) {
        one
    }
}

/// By its id alone, where it belongs to its location.
impl<R> At<R> for ()
where
    Id<R>: Path,
{
    type One = Id<R>;

    fn split(one: Self::One) -> (Self, Id<R>) {
        ((), one)
    }
}

type Part<R> = <R as keystead_core::Stored>::Parent;
type One<R> = <Part<R> as At<R>>::One;

pub(crate) async fn list<R: Resource, O: From<R>>(
    context: LocationContext,
    call: Call<Part<R>, Slice>,
) -> Result<Many<O>, Error>
where
    Part<R>: Path,
{
    let page = call.app.list::<R>(&context, call.path, call.query.window()).await?;
    Ok(Many(page.rows.into_iter().map(O::from).collect()))
}

pub(crate) async fn create<R: Resource, I: Input + Into<R::Content>, O: From<R>>(
    context: LocationContext,
    call: Call<Part<R>, Bare, I>,
) -> Result<O, Error>
where
    Part<R>: Path,
{
    Ok(call.app.create::<R>(&context, call.path, call.body.into()).await?.into())
}

pub(crate) async fn get<R: Resource, O: From<R>>(context: LocationContext, call: Call<One<R>>) -> Result<O, Error>
where
    Part<R>: At<R>,
{
    let (parent, id) = At::split(call.path);
    Ok(call.app.get::<R>(&context, parent, id).await?.into())
}

pub(crate) async fn update<R: Resource, I: Input + Into<R::Patch>, O: From<R>>(
    context: LocationContext,
    call: Call<One<R>, Bare, I>,
) -> Result<O, Error>
where
    Part<R>: At<R>,
{
    let (parent, id) = At::split(call.path);
    Ok(call.app.update::<R>(&context, parent, id, call.body.into()).await?.into())
}

pub(crate) async fn delete<R: Resource, O: Default>(context: LocationContext, call: Call<One<R>>) -> Result<O, Error>
where
    Part<R>: At<R>,
{
    let (parent, id) = At::split(call.path);
    call.app.delete::<R>(&context, parent, id).await?;
    Ok(O::default())
}
