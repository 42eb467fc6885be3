//! What kinds of values custom fields can have.

/// The kind of a custom field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the wire contract's, one to one")]
pub enum DataType {
    Text,
    LargeText,
    Numerical,
    Phone,
    Monetary,
    Checkbox,
    SingleOptions,
    MultipleOptions,
    Float,
    Time,
    Date,
    TextboxList,
    FileUpload,
    Signature,
    Radio,
    Email,
}

/// How the values of a field are stored and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Text, and what stands for a file.
    Text,
    /// A number or an amount of money.
    Number,
    /// A day.
    Date,
}

impl DataType {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Text,
        Self::LargeText,
        Self::Numerical,
        Self::Phone,
        Self::Monetary,
        Self::Checkbox,
        Self::SingleOptions,
        Self::MultipleOptions,
        Self::Float,
        Self::Time,
        Self::Date,
        Self::TextboxList,
        Self::FileUpload,
        Self::Signature,
        Self::Radio,
        Self::Email,
    ];

    /// The wire and stored name, in the contract's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::LargeText => "LARGE_TEXT",
            Self::Numerical => "NUMERICAL",
            Self::Phone => "PHONE",
            Self::Monetary => "MONETORY",
            Self::Checkbox => "CHECKBOX",
            Self::SingleOptions => "SINGLE_OPTIONS",
            Self::MultipleOptions => "MULTIPLE_OPTIONS",
            Self::Float => "FLOAT",
            Self::Time => "TIME",
            Self::Date => "DATE",
            Self::TextboxList => "TEXTBOX_LIST",
            Self::FileUpload => "FILE_UPLOAD",
            Self::Signature => "SIGNATURE",
            Self::Radio => "RADIO",
            Self::Email => "EMAIL",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// How values are stored.
    pub const fn value_kind(self) -> ValueKind {
        match self {
            Self::Numerical | Self::Monetary | Self::Float => ValueKind::Number,
            Self::Date => ValueKind::Date,
            _ => ValueKind::Text,
        }
    }

    /// Whether values are chosen from options.
    pub const fn has_options(self) -> bool {
        matches!(self, Self::Checkbox | Self::SingleOptions | Self::MultipleOptions | Self::Radio)
    }

    /// Whether several options can be chosen at once.
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Checkbox | Self::MultipleOptions)
    }

    /// Whether values are files.
    pub const fn is_file(self) -> bool {
        matches!(self, Self::FileUpload | Self::Signature)
    }
}
