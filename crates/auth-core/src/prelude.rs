//! What a program that embeds the engine names: `use tillgate_auth_core::prelude::*;`.
//!
//! It has the types of `tillgate_domain` too that appear in these calls, so that the one dependency is enough.

pub use tillgate_domain::office::{self, OfficeView};
pub use tillgate_domain::{
    Device, DeviceId, DeviceName, Instant, KnownRight, Rank, Right, Rights, Role, RoleName, Secret, SessionId, Slug,
    Store, StoreError, StoreExt, Tenant, TenantId, User, UserId, UserName,
};

pub use crate::{
    Auth, AuthStore, AuthView, Caller, Clock, Dialect, Entropy, Error, Evidence, Granted, Login, LoginRefusal,
    MasterKey, Memory, Presented, Profile, Refreshing, Refusal, Settings, SystemClock, SystemEntropy, Terms,
    TokenRefusal,
};
