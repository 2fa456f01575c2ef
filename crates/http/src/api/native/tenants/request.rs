//! Requests of the tenant operations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use tillgate_domain::office::{LimitsChange, TenantChange};
use tillgate_domain::{AccentColor, ExactJson, Locale, Zone};
use utoipa::ToSchema;
use validator::Validate;

use crate::request::field::{BodyField, FieldError, FromJson, PartialValue, not_null, well_typed};

/// Changes to the tenant, as a merge patch (RFC 7396): omitted members stay unchanged.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = TenantChange)]
pub(super) struct UpdateTenant {
    /// New display name of the tenant.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: BodyField<String>,
    /// Time zone in which the tenant's days begin, by its name in the IANA database.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String)]
    zone: BodyField<Zone>,
    /// Language of the tenant's users, as a BCP 47 tag.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, max_length = 35)]
    locale: BodyField<Locale>,
    /// Color of the tenant's pages in sRGB; null for the default. Texts in this color must have a
    /// contrast of at least 4.5:1 on all backgrounds of the light color scheme (WCAG 2.2).
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, pattern = "^#[0-9a-fA-F]{6}$")]
    accent_color: BodyField<AccentColor>,
    /// Whether machines that show a code themselves can be accepted (RFC 8628).
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = bool)]
    machine_codes: BodyField<bool>,
    /// Upper limits of session lifetimes, in seconds; null removes one limit, or all of them if
    /// sent instead of the object.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<super::response::LimitsChangeSchema>)]
    limits: BodyField<LimitSpans>,
}

/// The limits that a change names; null removes one.
#[derive(Clone, Default)]
struct LimitSpans(BTreeMap<String, Option<Duration>>);

/// In the parts, an invalid limit is one that is removed: the limits that depend on it are then not
/// compared with another value than the one sent.
impl FromJson for LimitSpans {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        Self::from_json_partially(value).require_complete()
    }

    fn from_json_partially(value: ExactJson) -> PartialValue<Self> {
        let ExactJson::Object(members) = value else {
            let PartialValue { parts, errors } = BTreeMap::from_json_partially(value);
            return PartialValue { parts: parts.map(Self), errors };
        };
        let is_limit = |name: &str| ["access", "idle", "absolute", "overlap"].contains(&name);
        let (limits, others): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| is_limit(name));
        let removed: BTreeMap<_, _> = limits.iter().map(|(name, _)| (name.clone(), None)).collect();
        let PartialValue { parts, mut errors } = BTreeMap::from_json_partially(ExactJson::Object(limits));
        errors.extend(others.iter().flat_map(|(name, _)| FieldError::unknown_member(name)));
        PartialValue { parts: parts.map(|valid| Self(removed.into_iter().chain(valid).collect())), errors }
    }
}

impl UpdateTenant {
    pub(super) fn into_change(self) -> TenantChange {
        let limits = match self.limits.into_patch() {
            None => LimitsChange::default(),
            Some(None) => {
                LimitsChange { access: Some(None), idle: Some(None), absolute: Some(None), overlap: Some(None) }
            }
            Some(Some(LimitSpans(spans))) => {
                let span = |name: &str| spans.get(name).copied();
                LimitsChange {
                    access: span("access"),
                    idle: span("idle"),
                    absolute: span("absolute"),
                    overlap: span("overlap"),
                }
            }
        };
        TenantChange {
            name: self.name.into_value(),
            zone: self.zone.into_value(),
            locale: self.locale.into_value(),
            accent_color: self.accent_color.into_patch(),
            machine_codes: self.machine_codes.into_value(),
            limits,
        }
    }
}
