//! The types that a program needs to embed the engine: `use tillgate_auth_core::prelude::*;`.
//!
//! It includes the types of `tillgate_domain` that appear in the calls, so that one dependency is
//! enough.

pub use tillgate_domain::office::{self, OfficePorts};
pub use tillgate_domain::{
    DenialKind, Device, DeviceId, DeviceName, EndReason, Instant, KnownRight, PrincipalId, Rank, Right, Rights, Role,
    RoleName, Secret, SessionId, Slug, Store, StoreError, StoreExt, Tenant, TenantId, UnitOfWork, User, UserId,
    UserName,
};

pub use crate::{
    Auth, AuthDenied, AuthPorts, AuthRequest, AuthSettings, AuthStore, Caller, Clock, DialectName, Entropy, Error,
    IssuedTokens, LoginDenied, LoginRequest, MasterKey, Profile, RefreshRequest, RequestCredentials, SystemClock,
    SystemEntropy, Terms, TokenDenied,
};
