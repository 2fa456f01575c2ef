//! What a program that embeds the engine names: `use tillgate_auth_core::prelude::*;`.
//!
//! It has the types of `tillgate_domain` too that appear in these calls, so that the one dependency is enough.

pub use tillgate_domain::office::{self, OfficePorts};
pub use tillgate_domain::{
    Device, DeviceId, DeviceName, Instant, KnownRight, Rank, Right, Rights, Role, RoleName, Secret, SessionId, Slug,
    Store, StoreError, StoreExt, Tenant, TenantId, User, UserId, UserName,
};

pub use crate::{
    Auth, AuthDenied, AuthPorts, AuthRequest, AuthSettings, AuthStore, Caller, Clock, DialectName, Entropy, Error,
    IssuedTokens, LoginDenied, LoginRequest, MasterKey, MemoryStore, Profile, RefreshRequest, RequestCredentials,
    SystemClock, SystemEntropy, Terms, TokenDenied,
};
