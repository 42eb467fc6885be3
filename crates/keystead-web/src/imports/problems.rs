//! The rows of an import that have problems, as a file that can be mended and imported.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::{TryStreamExt, stream};
use http::header;
use keystead_core::{App, Error, LocationContext, error::Noun};
use keystead_http::spreadsheet::to_bytes;
use keystead_model::{
    import::{Import, ProblemRow},
    page::{Page as Rows, Window},
};

use crate::{Web, failure::Failure, place::Here};

/// Rows that are read at a time, while those before them are sent.
const AT_ONCE: i64 = 500;

pub(crate) async fn problems_csv(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let import = web.app.get_import(&context, here.id(Noun::Import)?).await?;
    let first = page(&web.app, &context, &import, None).await?;
    let head = to_bytes([import.plan.head_with_problem()]);
    let app = web.app.clone();
    let rows = stream::try_unfold(Some((head, first)), move |state: Option<(Vec<u8>, Rows<ProblemRow>)>| {
        let (app, context, import) = (app.clone(), context.clone(), import.clone());
        async move {
            let Some((mut bytes, rows)) = state else { return Ok(None) };
            let next = match rows.next(|row| row.line) {
                Some(line) => Some((Vec::new(), page(&app, &context, &import, Some(line)).await?)),
                None => None,
            };
            bytes.extend(to_bytes(rows.rows.iter().map(|row| row.with_problem(&import.plan))));
            Ok::<_, Error>(Some((bytes, next)))
        }
    });
    const WHAT: &str = "a download of rows with problems broke off";
    let rows = rows.inspect_err(|error| tracing::error!(cause = error.cause(), "{WHAT}: {error}"));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"rows-with-problems.csv\""),
    ];
    Ok((headers, Body::from_stream(rows)).into_response())
}

async fn page(
    app: &App,
    context: &LocationContext,
    import: &Import,
    after: Option<i64>,
) -> Result<Rows<ProblemRow>, Error> {
    app.list_problem_rows(context, import.id, Window::after(after, AT_ONCE)).await
}
