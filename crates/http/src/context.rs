//! What requests share: the context of the server, which all mounts have in common, and the context
//! of one mount.
//!
//! A request holds its mount's context and nothing of what serves it: neither the routes nor the
//! dialect.

pub(crate) mod audit_verifier;
pub(crate) mod blocking_pool;
pub(crate) mod event_hub;
pub(crate) mod large_body_limiter;
pub(crate) mod list_limiter;
pub(crate) mod load_shedding;
pub(crate) mod office;
pub(crate) mod readiness_gate;
pub(crate) mod tenant;
pub(crate) mod threads;

use std::fmt;
use std::sync::{Arc, OnceLock};

use tillgate_auth_core::{Auth, DialectName, Terms};
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{SessionLimits, Slug, Store, TenantId};

use crate::context::audit_verifier::AuditVerifications;
use crate::context::event_hub::EventHub;
use crate::context::large_body_limiter::LargeBodyLimiter;
use crate::context::list_limiter::ListLimiter;
use crate::context::readiness_gate::ReadinessGate;
use crate::context::threads::Threads;
use crate::error::{MissingMailSetup, ProtocolError};
use crate::metrics::Metrics;
use crate::openapi::Document;
use crate::settings::HttpSettings;

/// What all mounts share.
pub(crate) struct ServerContext {
    pub(crate) auth: Arc<Auth>,
    pub(crate) office: Arc<dyn Store<OfficePorts>>,
    pub(crate) mount_limits: MountLimits,
    pub(crate) settings: HttpSettings,
    /// The prefixes of the back offices for browsers on every host, each with the only tenant that
    /// it serves.
    pub(crate) office_prefixes: Vec<(String, Option<Slug>)>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness_gate: Arc<ReadinessGate>,
    pub(crate) threads: Arc<Threads>,
    pub(crate) document: Document,
    pub(crate) list_limiter: ListLimiter,
    pub(crate) large_body_limiter: LargeBodyLimiter,
    pub(crate) audit_verifications: Arc<AuditVerifications>,
    pub(crate) event_hub: Arc<EventHub>,
}

impl ServerContext {
    /// The prefix of the back office for browsers that serves this tenant; `None` if there is none
    /// on every host.
    pub(crate) fn office_prefix(&self, tenant: &Slug) -> Option<&str> {
        let serving = self.office_prefixes.iter().find(|(_, only)| only.as_ref().is_none_or(|only| only == tenant));
        serving.map(|(prefix, _)| prefix.as_str())
    }

    /// Checks that a mail with a link to the back office of this tenant can be sent.
    pub(crate) fn require_link_mail(&self, tenant: &Slug) -> Result<(), ProtocolError> {
        if self.settings.public_url.is_none() {
            return Err(ProtocolError::MailNotConfigured(MissingMailSetup::PublicUrl));
        }
        let serving = self.office_prefix(tenant);
        serving.map(drop).ok_or(ProtocolError::MailNotConfigured(MissingMailSetup::OfficePages))
    }
}

/// What a request needs to know of the mount that serves it.
pub(crate) struct MountContext {
    /// The name of the dialect, as tokens and sessions record it.
    pub(crate) dialect_name: DialectName,
    /// The label of the mount in logs and metrics.
    pub(crate) name: &'static str,
    pub(crate) prefix: String,
    /// The only tenant that the mount serves; `None` if requests name theirs.
    pub(crate) tenant: Option<Slug>,
    /// The id of that tenant, once it has been looked up.
    pub(crate) tenant_id: OnceLock<TenantId>,
    /// The terms of the sessions that are created through the mount; `None` if no session can be.
    pub(crate) terms: Option<Terms>,
    /// The threads for blocking work.
    pub(crate) threads: Arc<Threads>,
    pub(crate) server: Arc<ServerContext>,
}

impl fmt::Debug for MountContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}", self.name, self.prefix)
    }
}

/// The limits of sessions that each mount allows at most, with the tenant that it serves (`None`
/// for every tenant).
#[derive(Clone, Debug, Default)]
pub(crate) struct MountLimits(pub(crate) Vec<(Option<Slug>, SessionLimits)>);

impl MountLimits {
    /// The longest limits of this tenant's sessions over all mounts that serve the tenant; zero if
    /// none does.
    pub(crate) fn longest(&self, tenant: &Slug) -> SessionLimits {
        let serving = self.0.iter().filter(|(served, _)| served.as_ref().is_none_or(|served| served == tenant));
        serving.map(|(_, limits)| *limits).fold(SessionLimits::ZERO, SessionLimits::or_longer)
    }
}
