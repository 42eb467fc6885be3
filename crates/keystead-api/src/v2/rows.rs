//! Lists as files for spreadsheets, however long.

use std::marker::PhantomData;

use bytes::Bytes;
use futures_util::stream::TryStreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use keystead_core::Error;
use keystead_http::spreadsheet::file_of;
use keystead_model::page::Page;
use serde_json::json;

use crate::{
    reply::{Content, Reply, Stream},
    shape::{
        Output, Way,
        output::{Answer, Definitions},
    },
};

/// Rows that are read at a time.
pub(super) const AT_ONCE: i64 = 500;

/// What is a row of a file.
pub(crate) trait Cells: Send + 'static {
    /// What the file's columns are.
    const COLUMNS: &'static [&'static str];

    /// The cells of its row.
    fn cells(&self) -> Vec<String>;
}

/// Things as rows of a file, read while they are sent.
pub(crate) struct Rows<T>(Stream, PhantomData<fn() -> T>);

impl<T: Cells> Rows<T> {
    /// Those that `read` finds after the place that `cursor` gives of the last one.
    pub(super) async fn of<C, R>(
        read: impl Fn(Option<C>) -> R + Clone + Send + 'static,
        cursor: impl Fn(&T) -> C + Clone + Send + 'static,
    ) -> Result<Self, Error>
    where
        C: Send + 'static,
        R: Future<Output = Result<Page<T>, Error>> + Send + 'static,
    {
        let rows = file_of(T::COLUMNS, None, read, cursor, T::cells).await?;
        let frames = rows.map_ok(|rows| Frame::data(Bytes::from(rows))).map_err(Into::into);
        Ok(Self(BodyExt::boxed_unsync(StreamBody::new(frames)), PhantomData))
    }
}

impl<T: Cells> Output for Rows<T> {
    fn reply(self, status: u16, _: Way, _: bool) -> Reply {
        Reply { status, stream: Some(self.0), ..Reply::of(Vec::new(), Content::Other("text/csv; charset=utf-8")) }
    }

    fn describe(_: &mut Definitions) -> Answer {
        let description = format!("Rows with {}, which no spreadsheet takes for formulas", T::COLUMNS.join(", "));
        Answer::Other("text/csv", json!({"type": "string", "description": description}))
    }
}
