//! Rights in responses of the native API.

use serde::Serialize;
use utoipa::ToSchema;

/// A right that roles and permissions can contain.
#[derive(Serialize, ToSchema)]
#[schema(as = Right)]
pub(super) struct RightBody<'r> {
    /// Name of the right in roles and permissions.
    pub(super) name: &'r str,
    /// Whether the caller has the right and can therefore grant it.
    pub(super) held: bool,
}

/// All rights, in a single page.
#[derive(Serialize, ToSchema)]
#[schema(as = Rights)]
pub(super) struct RightsBody<'r> {
    /// The rights, sorted by name.
    pub(super) items: Vec<RightBody<'r>>,
    /// Always null, because there is only one page.
    #[schema(value_type = Option<String>, required = true)]
    pub(super) next: (),
}
