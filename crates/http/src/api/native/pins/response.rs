//! Responses of the operations on PINs.

use serde::Serialize;
use tillgate_domain::Secret;
use utoipa::ToSchema;

/// A PIN that was set. A drawn one is in this response only.
#[derive(Serialize, ToSchema)]
#[schema(as = Pin)]
pub(super) struct PinBody<'p> {
    /// The digits, if the server has drawn them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<&'p str>,
    /// Whether the user should set another PIN, because somebody else has seen this one.
    due: bool,
}

impl<'p> PinBody<'p> {
    pub(super) fn new(pin: Option<&'p Secret<String>>, due: bool) -> Self {
        Self { pin: pin.map(|pin| pin.expose().as_str()), due }
    }
}
