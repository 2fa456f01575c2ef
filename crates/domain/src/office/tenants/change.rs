//! Changes a tenant: the name that people read, its time zone, its language, how long its sessions live at most.

mod limits;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::office::context::AuditContext;
use crate::office::differences::diff_fields;
use crate::office::error::{FieldName, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::tenants::row::{load_tenant, save_tenant};
use crate::office::text;
use crate::{Action, KnownRight, Locale, SessionLimits, Store, StoreExt, Subject, Tenant, TenantId, Zone};

/// What becomes of a tenant. `None` leaves a field as it is; the short name stays for its life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantChange {
    /// Another name that people read.
    pub name: Option<String>,
    /// Another time zone. Sessions that end at midnight end at the new one's from their next refresh on.
    pub zone: Option<Zone>,
    /// Another language.
    pub locale: Option<Locale>,
    /// Other limits of its sessions. They hold for those that are made from then on.
    pub limits: LimitsChange,
}

/// What becomes of the limits of a tenant's sessions. `None` leaves a span as it is, `Some(None)` limits it no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsChange {
    /// How long an access token is good.
    pub access: Option<Option<Duration>>,
    /// How long after its last refresh a session lives.
    pub idle: Option<Option<Duration>>,
    /// How long after its login a session lives.
    pub absolute: Option<Option<Duration>>,
    /// How long a refresh token is answered again after it was followed by another.
    pub overlap: Option<Option<Duration>>,
}

impl LimitsChange {
    /// The limits after the change.
    fn apply_to(self, before: SessionLimits) -> SessionLimits {
        SessionLimits {
            access: self.access.unwrap_or(before.access),
            idle: self.idle.unwrap_or(before.idle),
            absolute: self.absolute.unwrap_or(before.absolute),
            overlap: self.overlap.unwrap_or(before.overlap),
        }
    }
}

/// Changes the tenant and returns it as it is then. `version` is the one that was read, where the caller holds to it. Asks the right
/// `tenantUpdate`. What changes nothing writes nothing.
///
/// `given` is the longest that the server's configuration gives the tenant's sessions: another limit above it would shorten nothing
/// and is refused. One that is there already stays, though the configuration gives less by now.
pub fn change_tenant(
    store: &dyn Store<OfficePorts>,
    stamp: &AuditContext,
    id: TenantId,
    version: Option<i64>,
    change: &TenantChange,
    given: &SessionLimits,
) -> UseCaseResult<Tenant> {
    store.write(|tx| commit_refusal(apply(tx, stamp, id, version, change, given)))
}

fn apply(
    tx: &mut dyn OfficeTx,
    stamp: &AuditContext,
    id: TenantId,
    version: Option<i64>,
    change: &TenantChange,
    given: &SessionLimits,
) -> Result<Tenant, UseCaseError> {
    stamp.authority.require(KnownRight::TenantUpdate)?;
    let before = load_tenant(tx, id, version)?;
    let TenantChange { name, zone, locale, limits } = change.clone();
    let mut after = before.clone();
    after.name = name.unwrap_or(after.name);
    after.zone = zone.unwrap_or(after.zone);
    after.locale = locale.unwrap_or(after.locale);
    after.limits = limits.apply_to(before.limits);
    text::check_renamed(FieldName::Name, &after.name, &before.name, text::MAX_LABEL_CHARS)?;
    limits::check_limits(&before.limits, &after.limits, given)?;
    if after == before {
        return Ok(before);
    }
    let details = audit_details(&before, &after);
    save_tenant(tx, stamp, after, Action::TenantUpdate, Subject::Tenant(id), details)
}

/// What the audit says of it: each field that moved, spans in seconds.
fn audit_details(before: &Tenant, after: &Tenant) -> Map<String, Value> {
    let seconds = |span: Option<Duration>| json!(span.map(|span| span.as_secs()));
    let (from, to) = (before.limits, after.limits);
    diff_fields([
        ("name", json!(before.name), json!(after.name)),
        ("zone", json!(before.zone.name()), json!(after.zone.name())),
        ("locale", json!(before.locale.as_str()), json!(after.locale.as_str())),
        ("access", seconds(from.access), seconds(to.access)),
        ("idle", seconds(from.idle), seconds(to.idle)),
        ("absolute", seconds(from.absolute), seconds(to.absolute)),
        ("overlap", seconds(from.overlap), seconds(to.overlap)),
    ])
}
