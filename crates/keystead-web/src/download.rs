//! A list as a file for spreadsheets, however long: some of it is read while what was read before is sent.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt;
use http::header;
use keystead_core::Error;
use keystead_http::spreadsheet::file_of;
use keystead_model::page::Page;

/// Rows that are read at a time.
pub(crate) const AT_ONCE: i64 = 500;

/// [`file_of`] rows as an answer.
pub(crate) async fn csv<T, C, R, N>(
    file: &str,
    columns: impl IntoIterator<Item = N>,
    after: Option<C>,
    read: impl Fn(Option<C>) -> R + Clone + Send + 'static,
    cursor: impl Fn(&T) -> C + Clone + Send + 'static,
    cells: impl Fn(&T) -> Vec<String> + Clone + Send + 'static,
) -> Result<Response, Error>
where
    T: Send + 'static,
    C: Send + 'static,
    R: Future<Output = Result<Page<T>, Error>> + Send + 'static,
    N: AsRef<str>,
{
    let rows = file_of(columns, after, read, cursor, cells).await?;
    let what = file.to_owned();
    let rows =
        rows.inspect_err(move |error| tracing::error!(what, cause = error.cause(), "a download broke off: {error}"));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    Ok((headers, Body::from_stream(rows)).into_response())
}
