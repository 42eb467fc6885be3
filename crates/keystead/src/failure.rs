//! Why a command ends without having done what it was asked, and what it tells its caller by its exit code.

use std::{fmt, process::ExitCode};

use keystead_core::Error;

/// A reason to stop, in one line that says what to do.
#[derive(Debug)]
pub struct Failure {
    text: String,
    exit: Exit,
}

/// What a program that called the command learns. 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// It was done, and something was found that somebody should look at.
    Found = 1,
    /// The command, an option, a variable or a line of the configuration is wrong.
    Usage = 2,
    /// It cannot be done.
    Cannot = 3,
}

impl Failure {
    /// It cannot be done.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), exit: Exit::Cannot }
    }

    /// An option or a setting is wrong.
    pub fn usage(text: impl Into<String>) -> Self {
        Self { text: text.into(), exit: Exit::Usage }
    }

    /// The command was carried out, and found something that should be looked at.
    pub fn found(text: impl Into<String>) -> Self {
        Self { text: text.into(), exit: Exit::Found }
    }

    /// The same for a command that can do nothing because of what was found.
    pub fn fatal(self) -> Self {
        Self { exit: Exit::Cannot, ..self }
    }

    /// For whoever started the process.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Internal(cause) => Self::new(cause),
            Error::Invalid(_) | Error::Unsuited(..) => Self::usage(error.to_string()),
            other => match other.cause() {
                Some(cause) => Self::new(format!("{other}: {cause}")),
                None => Self::new(other.to_string()),
            },
        }
    }
}
