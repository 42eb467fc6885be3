//! Where trigger links are opened.

use crate::public::Said;

/// `/l/{slug}`, and `/l/{slug}/{token}` for somebody who is known.
pub(crate) async fn follow() -> Said {
    Said::Nothing
}
