//! The terms of a session: its lifetimes, grace period and rotation. They are copied into the
//! session at the login, so a changed setting applies to new sessions only.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tillgate_domain::{Instant, Rights, SessionLimits, Zone};

use crate::SessionKind;

/// The longest lifetime of an access token, whatever the settings say. Revocations need to be
/// remembered for this long only.
pub const MAX_ACCESS_TOKEN_LIFETIME: Duration = Duration::from_hours(24);

/// The terms of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The lifetime of an access token; at most [`MAX_ACCESS_TOKEN_LIFETIME`].
    pub access: Duration,
    /// How the session is refreshed; `None` if it has no refresh token.
    pub refresh: Option<RefreshTerms>,
    /// How long after its login the session ends, however often it is refreshed; `None` for no
    /// limit.
    pub absolute: Option<Duration>,
    /// Whether the session ends at the first instant of the next day in the tenant's time zone.
    pub midnight: bool,
    /// How long an exchanged access token stays valid after the first use of one that followed it;
    /// `None` for its own expiry. For sessions without a refresh token
    /// ([`Auth::exchange`](crate::Auth::exchange)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange_overlap: Option<Duration>,
    /// The rules of a session in the back office; `None` for every other session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<OfficeTerms>,
}

/// How a session in the back office depends on the rights of its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeTerms {
    /// The lifetime of an access token while the user may change nothing
    /// ([`Rights::allows_change`]).
    pub read_only_access: Duration,
    /// How long after its last refresh the session ends while the user may change nothing.
    pub read_only_idle: Duration,
    /// How old the last proof of identity may be for acts that require a recent one.
    pub max_proof_age: Duration,
}

/// How a session is refreshed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshTerms {
    /// How long after its last refresh the session ends; `None` for no limit.
    pub idle: Option<Duration>,
    /// The grace period: how long after a rotation the previous refresh token still returns its
    /// successor. `None` means that the refresh token is never rotated and is valid as long as the
    /// session.
    pub overlap: Option<Duration>,
    /// Whether clients that cannot store another refresh token may use that of the login
    /// repeatedly, without rotation
    /// ([`RefreshRequest::keeps_token`](crate::RefreshRequest::keeps_token)). It ends with the
    /// first rotation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_reusable: bool,
}

/// How much later a session must end before a refresh without rotation writes the new expiry: at
/// most one write per hour. If the idle timeout is under four hours, a quarter of it counts
/// instead, because otherwise a session in use would expire between two refreshes.
const MIN_EXTENSION: Duration = Duration::from_hours(1);

/// 15 minutes for access tokens, 30 days of idle timeout, 90 days of absolute timeout, 2 minutes of
/// grace period.
impl Default for Terms {
    fn default() -> Self {
        let days = |days: u64| Some(Duration::from_hours(days * 24));
        Self {
            access: Duration::from_mins(15),
            refresh: Some(RefreshTerms {
                idle: days(30),
                overlap: Some(Duration::from_mins(2)),
                first_reusable: false,
            }),
            absolute: days(90),
            midnight: false,
            exchange_overlap: None,
            office: None,
        }
    }
}

impl Terms {
    /// The expiry of a session that was created at `created` and is refreshed `now`; `None` if it
    /// never expires.
    pub fn session_expiry(&self, created: Instant, now: Instant, zone: &Zone) -> Option<Instant> {
        let idle = match &self.refresh {
            Some(refresh) => refresh.idle.map(|idle| now.saturating_add(idle)),
            None => Some(now.saturating_add(self.access.min(MAX_ACCESS_TOKEN_LIFETIME))),
        };
        let absolute = self.absolute.map(|absolute| created.saturating_add(absolute));
        let midnight = self.midnight.then(|| zone.next_midnight(created));
        [idle, absolute, midnight].into_iter().flatten().min()
    }

    /// The expiry of a session that expires at `expires_at` after a refresh `now` without rotation;
    /// `None` if the difference is not worth a write. Such a session may therefore end up to an
    /// hour (or a quarter of a shorter idle timeout) before its idle timeout, counted from its last
    /// refresh.
    pub fn extended_expiry(
        &self,
        created: Instant,
        expires_at: Option<Instant>,
        now: Instant,
        zone: &Zone,
    ) -> Option<Instant> {
        let (refresh, current) = (self.refresh.as_ref()?, expires_at?);
        let idle = refresh.idle?;
        let later = self.session_expiry(created, now, zone)?;
        let is_last = now.saturating_add(idle) > later;
        let due = later.duration_since(current) >= (idle / 4).min(MIN_EXTENSION);
        (later > current && (due || is_last)).then_some(later)
    }

    /// These terms as they apply to a user with these rights. Call it at each login and refresh:
    /// the stored terms of a session do not depend on rights, which may change.
    #[must_use]
    pub fn for_rights(&self, rights: &Rights) -> Self {
        let (Some(office), false) = (&self.office, rights.allows_change()) else { return self.clone() };
        let refresh = self.refresh.as_ref();
        Self {
            access: office.read_only_access,
            refresh: refresh.map(|refresh| RefreshTerms { idle: Some(office.read_only_idle), ..refresh.clone() }),
            ..self.clone()
        }
    }

    /// These terms, shortened by a tenant's limits. A permanent session never expires, whatever the
    /// limits: only the lifetime of its access tokens is shortened.
    #[must_use]
    pub fn limited_by(&self, limits: &SessionLimits, kind: SessionKind) -> Self {
        let shorter = |span: Option<Duration>, limit: Option<Duration>| match (span, limit) {
            (Some(span), Some(limit)) => Some(span.min(limit)),
            (span, limit) => span.or(limit),
        };
        let access = limits.access.map_or(self.access, |limit| self.access.min(limit));
        if kind == SessionKind::Permanent {
            return Self { access, ..self.clone() };
        }
        let refresh = self.refresh.as_ref().map(|refresh| RefreshTerms {
            idle: shorter(refresh.idle, limits.idle),
            // A token that is never rotated stays so. The grace period is shorter than the lifetime
            // of an access token.
            overlap: refresh.overlap.map(|overlap| {
                let overlap = limits.overlap.map_or(overlap, |limit| overlap.min(limit));
                overlap.min(access.saturating_sub(Duration::from_secs(1)))
            }),
            first_reusable: refresh.first_reusable,
        });
        let exchange_overlap =
            self.exchange_overlap.map(|overlap| limits.overlap.map_or(overlap, |limit| overlap.min(limit)));
        let absolute = shorter(self.absolute, limits.absolute);
        let office = self.office.as_ref().map(|office| OfficeTerms {
            read_only_access: limits.access.map_or(office.read_only_access, |limit| office.read_only_access.min(limit)),
            read_only_idle: limits.idle.map_or(office.read_only_idle, |limit| office.read_only_idle.min(limit)),
            max_proof_age: office.max_proof_age,
        });
        Self { access, refresh, absolute, midnight: self.midnight, exchange_overlap, office }
    }

    /// The limits that shorten nothing: a higher limit has no effect
    /// ([`limited_by`](Self::limited_by)), whatever the kind of session.
    pub fn max_limits(&self) -> SessionLimits {
        // A day on which clocks are set back has 25 hours.
        let day = self.midnight.then_some(Duration::from_hours(25));
        let end = |span: Option<Duration>| span.into_iter().chain(day).min();
        let Self { access, refresh, absolute, exchange_overlap, office, .. } = self;
        let read_only = office.as_ref();
        let access = read_only.map_or(*access, |office| office.read_only_access.max(*access));
        let access = Some(access.min(MAX_ACCESS_TOKEN_LIFETIME));
        match refresh {
            // Only a permanent session never expires.
            Some(RefreshTerms { idle: None, .. }) if absolute.is_none() && day.is_none() => {
                SessionLimits { access, ..SessionLimits::ZERO }
            }
            Some(RefreshTerms { idle, overlap, .. }) => SessionLimits {
                access,
                idle: end(idle.map(|idle| read_only.map_or(idle, |office| office.read_only_idle.max(idle)))),
                absolute: end(*absolute),
                overlap: overlap.or(SessionLimits::ZERO.overlap),
            },
            None => SessionLimits {
                access,
                absolute: end(*absolute),
                overlap: exchange_overlap.or(SessionLimits::ZERO.overlap),
                ..SessionLimits::ZERO
            },
        }
    }

    /// Whether the expiry of a session is fixed at its login, so that no refresh extends it.
    pub fn has_fixed_end(&self) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.idle.is_none())
            && (self.midnight || self.absolute.is_some())
    }

    /// The expiry of an access token that is issued `now` for a session that expires at
    /// `session_expiry`. It is a whole second (RFC 7519, section 2), rounded up so that a token
    /// lives as long as its terms say, but never later than its session.
    pub fn access_expiry(&self, session_expiry: Option<Instant>, now: Instant) -> Instant {
        let second = |instant: Instant| Instant::from_millis(instant.seconds().saturating_mul(1000));
        let token_expiry = second(
            now.saturating_add(self.access.min(MAX_ACCESS_TOKEN_LIFETIME)).saturating_add(Duration::from_millis(999)),
        );
        session_expiry.map_or(token_expiry, |expiry| second(expiry).min(token_expiry))
    }
}

#[cfg(test)]
mod tests;
