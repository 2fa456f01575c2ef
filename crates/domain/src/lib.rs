//! The domain of tillgate: its types, its rules, and the use cases of the back office.
//!
//! - Entities that are valid by construction: [`Tenant`], [`User`], [`Device`], [`Role`],
//!   [`ApiKey`], [`DeviceKey`] and the [`ticket`]s.
//! - Pure rules over them: [`principal_access`] for roles, [`authority`] for the check of rights,
//!   [`ticket`] for amounts and states.
//! - The unit of work ([`work`]), and the two ports that every part of the server uses:
//!   [`Revocations`] and [`Audit`].
//! - The use cases of the back office ([`office`]), with their ports.
//!
//! This crate does not depend on a database, a wire format, a clock or a source of random bytes:
//! instants and ids are arguments.

pub mod api_key;
pub mod audit;
pub mod authority;
pub mod change;
pub mod denial_kind;
pub mod device;
pub mod device_key;
pub mod enrollment;
pub mod hex;
pub mod id;
pub mod instant;
pub mod json;
pub mod live_event;
pub mod merge_patch;
pub mod name;
pub mod network;
pub mod office;
pub mod pending_key;
pub mod pin;
pub mod principal_access;
pub mod right;
pub mod role;
pub mod secret;
pub mod store_error;
pub mod tenant;
pub mod ticket;
pub mod user;
mod words;
pub mod work;
pub mod zone;

pub use api_key::ApiKey;
pub use audit::{Action, Actor, Audit, Event, EventOutcome, Subject, SubjectKind};
pub use authority::{Authority, MissingRight};
pub use change::{Change, EndReason, Epoch, Revocations, Scope};
pub use denial_kind::DenialKind;
pub use device::{Device, DeviceStatus, Environment};
pub use device_key::{DeviceKey, DeviceKeyState, KeyStorage, Thumbprint, encode_thumbprint};
pub use enrollment::{Enrollment, EnrollmentCompletion, EnrollmentDigest, EnrollmentState};
pub use id::{
    ApiKeyId, BranchId, DeviceId, EventId, KeyId, NodeId, PrincipalId, ResetId, RoleId, SessionId, TenantId, TicketId,
    UserId,
};
pub use instant::Instant;
pub use json::{ExactJson, JsonObject};
pub use live_event::{LiveEvent, LiveEventKind};
pub use name::{
    DeviceName, Email, FoldedText, InvalidText, RoleName, Slug, UserName, check_display_name,
    find_disallowed_character, skeleton,
};
pub use pending_key::{PendingKey, PendingKeyState, PendingKeyStatus, PollOutcome};
pub use pin::{StoredPin, WeakPin};
pub use right::{CustomRight, InvalidRight, KnownRight, Right, Rights};
pub use role::{Rank, Role};
pub use secret::Secret;
pub use store_error::{StoreError, StoreResult};
pub use tenant::{AccentColor, Branch, InvalidAccentColor, Locale, SessionLimits, Tenant};
pub use user::{Assignment, User, UserStatus};
pub use work::{Mode, PortSet, Store, StoreExt, Tx, UnitOfWork, Work};
pub use zone::Zone;
