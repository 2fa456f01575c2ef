//! Changes a tenant: its name, time zone, language, accent color, machine codes and session limits.
//!
//! A tenant's stores and limits are written together with it. They share its version and have no
//! versions of their own.

mod limits;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::office::differences::diff_fields;
use crate::office::error::{FieldName, FieldRefusals, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::tenants::row::{load_tenant, save_tenant};
use crate::office::{Office, text};
use crate::{AccentColor, Action, KnownRight, Locale, SessionLimits, StoreExt, Subject, Tenant, Zone};

/// A change of a tenant; `None` keeps a field. The slug never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantChange {
    /// A new name for people.
    pub name: Option<String>,
    /// A new time zone. Sessions that end at midnight end at that of the new zone from their next
    /// refresh on.
    pub zone: Option<Zone>,
    /// A new language.
    pub locale: Option<Locale>,
    /// A new accent color; `Some(None)` restores the default.
    pub accent_color: Option<Option<AccentColor>>,
    /// Whether keys of machines that show a code can be accepted from now on.
    pub machine_codes: Option<bool>,
    /// New session limits, which apply to sessions that are created from then on.
    pub limits: LimitsChange,
}

/// A change of the session limits; `None` keeps a limit, `Some(None)` removes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsChange {
    /// The lifetime of an access token.
    pub access: Option<Option<Duration>>,
    /// The idle timeout of a session.
    pub idle: Option<Option<Duration>>,
    /// The absolute timeout of a session.
    pub absolute: Option<Option<Duration>>,
    /// The grace period of refresh tokens.
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

impl Office<'_> {
    /// Changes the tenant and returns it. With `versions`, fails if the tenant has none of them.
    /// Requires the right `tenantUpdate`. A change without a difference writes nothing.
    ///
    /// `given` are the longest lifetimes that the server's configuration allows for the tenant's
    /// sessions. A new limit above them would shorten nothing and is rejected. An existing one
    /// stays, even if the configuration allows less now.
    pub fn change_tenant(
        &self,
        versions: Option<&[i64]>,
        change: &TenantChange,
        given: &SessionLimits,
    ) -> UseCaseResult<Tenant> {
        self.store.write("change_tenant", |tx| commit_refusal(apply(tx, self, versions, change, given)))
    }
}

pub(in crate::office) fn apply(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    versions: Option<&[i64]>,
    change: &TenantChange,
    given: &SessionLimits,
) -> Result<Tenant, UseCaseError> {
    office.require(KnownRight::TenantUpdate)?;
    let before = load_tenant(tx, office.tenant, versions)?;
    let mut refusals = FieldRefusals::default();
    let after = apply_change(&before, change, given, &mut refusals)?;
    refusals.checked()?;
    if after == before {
        return Ok(before);
    }
    if after.limits != before.limits || after.machine_codes != before.machine_codes {
        office.require_recent_proof()?;
    }
    let details = audit_details(&before, &after);
    save_tenant(tx, office, after, Action::TenantUpdate, Subject::Tenant(office.tenant), details)
}

/// The tenant after the change. Errors of invalid fields are collected.
pub(in crate::office) fn apply_change(
    before: &Tenant,
    change: &TenantChange,
    given: &SessionLimits,
    refusals: &mut FieldRefusals,
) -> Result<Tenant, UseCaseError> {
    let TenantChange { name, zone, locale, accent_color, machine_codes, limits } = change.clone();
    let mut after = before.clone();
    after.name = name.unwrap_or(after.name);
    after.zone = zone.unwrap_or(after.zone);
    after.locale = locale.unwrap_or(after.locale);
    after.accent_color = accent_color.unwrap_or(after.accent_color);
    after.machine_codes = machine_codes.unwrap_or(after.machine_codes);
    after.limits = limits.apply_to(before.limits);
    refusals.gather(text::check_renamed(FieldName::Name, &after.name, &before.name, text::MAX_LABEL_CHARS))?;
    refusals.gather(limits::check_limits(&before.limits, &after.limits, given))?;
    Ok(after)
}

/// The changed fields for the audit event; durations in seconds.
fn audit_details(before: &Tenant, after: &Tenant) -> Map<String, Value> {
    let seconds = |span: Option<Duration>| json!(span.map(|span| span.as_secs()));
    let color = |tenant: &Tenant| json!(tenant.accent_color.map(|color| color.to_string()));
    let (from, to) = (before.limits, after.limits);
    diff_fields([
        ("name", json!(before.name), json!(after.name)),
        ("zone", json!(before.zone.name()), json!(after.zone.name())),
        ("locale", json!(before.locale.as_str()), json!(after.locale.as_str())),
        ("accent_color", color(before), color(after)),
        ("machine_codes", json!(before.machine_codes), json!(after.machine_codes)),
        ("access", seconds(from.access), seconds(to.access)),
        ("idle", seconds(from.idle), seconds(to.idle)),
        ("absolute", seconds(from.absolute), seconds(to.absolute)),
        ("overlap", seconds(from.overlap), seconds(to.overlap)),
    ])
}
