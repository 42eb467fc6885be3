//! A list as a file for spreadsheets, however long: some of it is read while what was read before is sent.

use std::future::ready;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header;
use keystead_core::Error;
use keystead_http::spreadsheet::to_bytes;
use keystead_model::page::Page;

/// Rows that are read at a time.
pub(crate) const AT_ONCE: i64 = 500;

/// The rows that follow `after`, by `read`, each as its cells. The first of them are read before anything is sent: whoever may not see
/// them is told so.
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
    let first = read(after).await?;
    let head = to_bytes([columns]);
    let rows = stream::try_unfold(Some(first), move |rows: Option<Page<T>>| {
        let (read, cursor, cells) = (read.clone(), cursor.clone(), cells.clone());
        async move {
            let Some(rows) = rows else { return Ok(None) };
            let next = match rows.next(&cursor) {
                Some(last) => Some(read(Some(last)).await?),
                None => None,
            };
            Ok::<_, Error>(Some((to_bytes(rows.rows.iter().map(cells)), next)))
        }
    });
    let what = file.to_owned();
    let rows =
        rows.inspect_err(move |error| tracing::error!(what, cause = error.cause(), "a download broke off: {error}"));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    Ok((headers, Body::from_stream(stream::once(ready(Ok(head))).chain(rows))).into_response())
}
