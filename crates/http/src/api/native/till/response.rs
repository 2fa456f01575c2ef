//! Responses of a till.

use serde::Serialize;
use tillgate_auth_core::SignedInOperator;
use tillgate_auth_core::ports::{SessionView, TillOperator};
use tillgate_domain::{Device, DeviceId, Instant, Rights, SessionId, UserId};
use utoipa::ToSchema;

use crate::api::native::sessions::response::TokensBody;
use crate::timestamps::serialize_instant;

/// The till and who works on it.
#[derive(Serialize, ToSchema)]
#[schema(as = Till)]
pub(super) struct TillBody<'t> {
    /// The device.
    device: TillDeviceBody<'t>,
    /// The operator who is signed in; null if nobody is.
    operator: Option<CurrentOperatorBody<'t>>,
    /// The time of the server.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    server_time: Instant,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TillDevice)]
struct TillDeviceBody<'t> {
    /// Id of the device.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// Name of the device.
    name: &'t str,
    /// Whether operators sign in on it.
    till_mode: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CurrentOperator)]
struct CurrentOperatorBody<'t> {
    /// The user.
    user: OperatorUserBody<'t>,
    /// Id of the operator's session.
    #[schema(value_type = uuid::Uuid)]
    session: SessionId,
    /// When the operator signed in.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
    /// How the operator was authenticated: `pin`.
    by: &'t str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OperatorUser)]
struct OperatorUserBody<'t> {
    /// Id of the user.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// Name of the user in logins.
    user_name: &'t str,
    /// Display name of the user.
    display_name: &'t str,
}

impl<'t> TillBody<'t> {
    pub(super) fn new(device: &'t Device, operator: Option<&'t SessionView>, now: Instant) -> Self {
        let device = TillDeviceBody { id: device.id, name: device.name.as_str(), till_mode: device.till_mode };
        Self { device, operator: operator.and_then(CurrentOperatorBody::from_view), server_time: now }
    }
}

impl<'t> CurrentOperatorBody<'t> {
    fn from_view(view: &'t SessionView) -> Option<Self> {
        let session = &view.session;
        let user = OperatorUserBody {
            id: session.user?,
            user_name: view.user_name.as_ref()?.as_str(),
            display_name: view.display_name.as_deref()?,
        };
        let by = &session.authentication.methods;
        Some(Self { user, session: session.id, since: session.created_at, by })
    }
}

/// The users who may work on the till, in a single page.
#[derive(Serialize, ToSchema)]
#[schema(as = Operators)]
pub(super) struct OperatorsBody<'t> {
    /// The users, in the order in which they were created; at most 1,000.
    items: Vec<OperatorBody<'t>>,
    /// Always null, because there is only one page.
    #[schema(value_type = Option<String>, required = true)]
    next: (),
}

/// A user who may work on the till.
#[derive(Serialize, ToSchema)]
#[schema(as = Operator)]
struct OperatorBody<'t> {
    /// The user.
    #[serde(flatten)]
    user: OperatorUserBody<'t>,
    /// With what the user can sign in: `pin`, or nothing.
    proofs: &'static [&'static str],
}

impl<'t> OperatorsBody<'t> {
    pub(super) fn from_operators(found: &'t [TillOperator]) -> Self {
        let to_body = |operator: &'t TillOperator| OperatorBody {
            user: OperatorUserBody {
                id: operator.id,
                user_name: operator.name.as_str(),
                display_name: &operator.display_name,
            },
            proofs: if operator.has_pin { &["pin"] } else { &[] },
        };
        Self { items: found.iter().map(to_body).collect(), next: () }
    }
}

/// The tokens of an operator who has signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = OperatorTokens)]
pub(super) struct OperatorTokensBody<'t> {
    /// The tokens, which are bound to the key of the till.
    #[serde(flatten)]
    tokens: TokensBody<'t>,
    /// The rights of the user on this till.
    #[schema(value_type = Vec<String>)]
    rights: &'t Rights,
    /// Id of the session of the operator before, which has ended; null if nobody was signed in.
    #[schema(value_type = Option<uuid::Uuid>)]
    replaced: Option<SessionId>,
    /// Whether the user should set another PIN, because somebody else has seen this one.
    pin_due: bool,
}

impl<'t> OperatorTokensBody<'t> {
    pub(super) fn from_signed_in(signed_in: &'t SignedInOperator) -> Self {
        let SignedInOperator { tokens, replaced, pin_due } = signed_in;
        let (replaced, pin_due, rights) = (*replaced, *pin_due, &tokens.profile.rights);
        Self { tokens: TokensBody::from_issued_tokens(tokens), rights, replaced, pin_due }
    }
}
