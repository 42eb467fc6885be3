//! An agency: the tenant. On the wire it is a company.

use crate::{AgencyId, ServiceMs, UtcMs, text::Line};

/// The name of an agency or a location.
pub type TenantName = Line<120>;

/// Whether a tenant works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantState {
    /// It works.
    Active,
    /// Its keys are refused, and none of them is deleted meanwhile.
    Suspended,
}

impl TenantState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Reads [`TenantState::as_str`]; everything else is suspended, since guessing must not open a door.
    pub fn from_stored(text: &str) -> Self {
        if text == "active" { Self::Active } else { Self::Suspended }
    }
}

/// An agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agency {
    /// `companyId` on the wire.
    pub id: AgencyId,
    /// Its name.
    pub name: TenantName,
    /// Whether it works.
    pub state: TenantState,
    /// When it last resumed from a suspension.
    pub resumed_at: ServiceMs,
    /// When it was made.
    pub created_at: UtcMs,
}
