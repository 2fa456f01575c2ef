//! Audit events of denials: a caller without a required right or rank, or on the wrong kind of
//! device, and requests that could not be authenticated.

use std::hash::Hash;
use std::time::Duration;

use serde_json::json;
use tillgate_domain::network::site_network;
use tillgate_domain::{Action, Actor, Environment, Event, EventId, EventOutcome, Rank, Right, StoreExt, Subject};

use super::Auth;
use crate::caller::AuthenticatedBy;
use crate::denials::{DenialLimiter, GuestKey};
use crate::{AuthDenied, AuthRequest, Caller, Error, SessionKind};

/// The requirement that a caller does not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MissingRequirement {
    /// The caller does not have this right.
    Right(Right),
    /// The caller has a lower rank than this one.
    Rank(Rank),
    /// The caller would assign a rank above this one, which is its own.
    RankAbove(Rank),
    /// The caller is not on a device on which tickets are sold.
    SaleDevice,
    /// The session is a device's own, and the call requires a person.
    Person,
}

/// A call that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeniedCall {
    /// The requirement that the caller does not meet.
    pub missing: MissingRequirement,
    /// The call in the form of its dialect, such as `DELETE /api/v1/users/…`.
    pub call: String,
    /// The subject of the call; `None` if it names none.
    pub subject: Option<Subject>,
}

/// The greatest length of a call in an audit event, in characters.
const MAX_CALL_CHARS: usize = 200;

/// The greatest length of a client id in an audit event, in characters; the ids that tillgate
/// generates have 32.
const MAX_CLIENT_ID_CHARS: usize = 40;

impl Auth {
    /// Records that a caller was denied: the first ten times per minute individually, then the
    /// number of further ones ([`run_due_maintenance`](Self::run_due_maintenance)).
    ///
    /// It runs in a unit of work of its own, after the decision. If it fails, the denial stands,
    /// and the event is counted with those after the first ten.
    pub fn record_denial(&self, caller: &Caller, attempt: &DeniedCall) -> Result<(), Error> {
        let tenant = caller.profile.tenant.id;
        let subject = attempt.subject.unwrap_or(Subject::Tenant(tenant));
        let mut event = self.new_event(Action::RightMissing, EventOutcome::Refused, subject, Some(tenant))?;
        event.actor = caller.actor();
        let (name, requirement) = match &attempt.missing {
            MissingRequirement::Right(right) => ("right", json!(right)),
            MissingRequirement::Rank(rank) => ("role", json!(rank.name())),
            MissingRequirement::RankAbove(rank) => ("above", json!(rank.name())),
            MissingRequirement::SaleDevice => {
                ("environments", json!(Environment::ALL.into_iter().filter(|each| each.sells()).collect::<Vec<_>>()))
            }
            MissingRequirement::Person => ("kind", json!(SessionKind::Person.name())),
        };
        event.details.insert(name.to_owned(), requirement);
        event.details.insert("call".to_owned(), json!(attempt.call.chars().take(MAX_CALL_CHARS).collect::<String>()));
        event.details.insert("dialect".to_owned(), json!(caller.dialect.as_str()));
        if let AuthenticatedBy::ApiKey(key) = caller.authenticated_by {
            event.details.insert("api_key".to_owned(), json!(key));
        }
        let who = (caller.principal, caller.device);
        if self.caller_denials.should_record(who, &event, self.clock.monotonic()) {
            let recorded = self.store.write("record_denial", |tx| tx.audit().record(&event));
            recorded.inspect_err(|_| self.caller_denials.mark_unrecorded(who, &event))?;
        }
        Ok(())
    }

    /// Records a denial before authentication, as often as [`record_denial`](Self::record_denial)
    /// does. If it fails, the event is counted, and the denial stands.
    pub(super) fn record_guest_denial(&self, guest: GuestKey, event: &Event) {
        if self.guest_denials.should_record(guest, event, self.clock.monotonic())
            && let Err(error) = self.store.write("record_denial", |tx| tx.audit().record(event))
        {
            self.guest_denials.mark_unrecorded(guest, event);
            tracing::warn!(%error, "could not record a denial in the audit; it is counted with the next ones");
        }
    }

    /// Records that the credentials of an API key were denied, with the same limit.
    pub(super) fn record_api_key_denial(
        &self,
        client: &str,
        denial: &AuthDenied,
        presented: &AuthRequest<'_>,
    ) -> Result<(), Error> {
        let opened = self.api_key_cache.get(client).map(|(opened, _)| opened);
        let key = opened.as_ref().map(|opened| &opened.key);
        let subject = key.map_or(Subject::Server, |key| Subject::ApiKey(key.id));
        let tenant = key.map(|key| key.tenant).or(presented.tenant);
        let mut event = self.new_event(Action::ApiKeyUse, EventOutcome::Refused, subject, tenant)?;
        event.actor = Actor {
            user: key.map(|key| key.user),
            device: key.map(|key| key.device),
            session: None,
            address: presented.address,
        };
        event.details.insert("why".to_owned(), json!(denial.code()));
        event.details.insert("client".to_owned(), json!(client.chars().take(MAX_CLIENT_ID_CHARS).collect::<String>()));
        event.details.insert("dialect".to_owned(), json!(presented.dialect.as_str()));
        if let Some(expired_at) = key.filter(|key| key.is_expired(event.at)).and_then(|key| key.expires_at) {
            event.details.insert("expired_at".to_owned(), json!(expired_at.millis()));
        }
        let guest = match key {
            Some(key) => GuestKey::ApiKey(key.id),
            None => GuestKey::Network(presented.address.map(site_network)),
        };
        self.record_guest_denial(guest, &event);
        Ok(())
    }

    /// Records one event for each caller with denials that were only counted: of all callers if
    /// `all`, otherwise of those whose minute is over.
    pub(super) fn record_suppressed_denials(&self, all: bool) -> Result<(), Error> {
        let now = (!all).then(|| self.clock.monotonic());
        self.record_suppressed(&self.caller_denials, now)?;
        self.record_suppressed(&self.guest_denials, now)
    }

    fn record_suppressed<W: Copy + Eq + Hash>(
        &self,
        limiter: &DenialLimiter<W>,
        now: Option<Duration>,
    ) -> Result<(), Error> {
        for suppressed in limiter.list_due(now) {
            let mut event = suppressed.last.clone();
            event.id = self.new_id(EventId::new)?;
            event.at = self.time().at;
            event.details.insert("times".to_owned(), json!(suppressed.count));
            self.store.write("record_suppressed_denials", |tx| tx.audit().record(&event))?;
            limiter.mark_recorded(&suppressed);
        }
        Ok(())
    }
}
