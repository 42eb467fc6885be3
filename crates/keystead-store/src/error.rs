//! What can go wrong with a database, as far as anybody above can act on it.

/// The result of a store function.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of the database. None of these texts reaches a client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It cannot be reached or is too busy; the same call may work in a moment.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Its disk is full.
    #[error("the database has no space left: {0}")]
    Full(String),
    /// It takes longer than whoever asked waits, see [`crate::Tx::within`].
    #[error("a read took too long")]
    TooLong,
    /// Other writers got in the way again and again.
    #[error("the transaction was refused too often: {0}")]
    Contended(String),
    /// A row holds something that this release cannot read.
    #[error("a stored value is not readable: {0}")]
    Unreadable(String),
    /// A statement failed for another reason: a defect of ours.
    #[error("a statement failed: {0}")]
    Statement(String),
    /// A file or a database is not what it should be: what it is instead, in words for an operator.
    #[error("{0}")]
    Refused(String),
    /// A backup is not what it was: how that was found, in words for an operator.
    #[error("{0}")]
    Damaged(String),
    /// A closure panicked; its changes were rolled back.
    #[error("a database closure panicked")]
    Panicked,
}

impl Error {
    pub(crate) fn unreadable(what: impl Into<String>) -> Self {
        Self::Unreadable(what.into())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(text),
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::OperationInterrupted,
            ) => Self::Unavailable(text),
            _ => Self::Statement(text),
        }
    }
}

/// `tokio_postgres::Error` displays only "db error"; what happened is its source.
pub(crate) fn postgres_text(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Whether the transaction may succeed when it is run again. A key that is taken is a lost race, too: whoever inserts has
/// looked before, and finds the other's row the next time.
pub(crate) fn is_retryable(error: &tokio_postgres::Error) -> bool {
    use tokio_postgres::error::SqlState;
    let retried = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::UNIQUE_VIOLATION];
    error.code().is_some_and(|code| retried.contains(code))
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = postgres_text(&error);
        match error.code().map(tokio_postgres::error::SqlState::code) {
            None => Self::Unavailable(text),
            Some("40001" | "40P01") => Self::Contended(text),
            Some("53100") => Self::Full(text),
            // Connection exceptions, insufficient resources, operator intervention, lock and read-only refusals.
            Some(code)
                if code.starts_with("08")
                    || code.starts_with("53")
                    || code.starts_with("57")
                    || ["55P03", "25P03", "25006"].contains(&code) =>
            {
                Self::Unavailable(text)
            }
            Some(_) => Self::Statement(text),
        }
    }
}
