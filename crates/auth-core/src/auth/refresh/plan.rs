//! What a verdict of the judge writes: a plan is built from the session as it was read, then
//! applied in the same unit of work. Every write to the session is conditional on the generation
//! that was read.

use std::net::IpAddr;

use serde_json::json;
use tillgate_domain::network::subscriber_network;
use tillgate_domain::{Action, Actor, EndReason, Event, EventOutcome, StoreResult};

use super::RefreshAttempt;
use crate::ports::{AuthTx, Rotation, SessionRecord};
use crate::requests::GrantKind;
use crate::{Session, Terms};

/// The writes that carry out one verdict.
pub(super) struct RefreshPlan {
    /// The session as it is after the writes.
    pub(super) session: Session,
    pub(super) kind: GrantKind,
    update: SessionUpdate,
    /// The audit event to record beside the update, if any.
    event: Option<Action>,
}

enum SessionUpdate {
    None,
    /// Writes a generation: the next one, or the current one to restart its grace period.
    Rotate(Rotation),
    /// Writes the expiry and the network of a session that is not rotated.
    Extend,
    /// Ends the session as stolen.
    End,
}

impl RefreshPlan {
    /// `Verdict::Rotate`: a new refresh token of generation `to`. `terms` are those of the session
    /// for the current rights of its principal.
    pub(super) fn rotate(
        record: &SessionRecord,
        attempt: &RefreshAttempt<'_>,
        terms: &Terms,
        to: i64,
        store_rolled_back: bool,
    ) -> Self {
        let session = &record.session;
        let rotation = Rotation {
            generation: to,
            // A generation that the store has lost was issued already: its token keeps its key.
            key: if store_rolled_back { attempt.token.key } else { attempt.current_key },
            previous_key: attempt.token.key,
            at: attempt.now,
            expires_at: terms.session_expiry(session.created_at, attempt.now, &record.zone),
            from: attempt.request.address,
            proved_at: None,
        };
        let session = Session {
            generation: rotation.generation,
            key: rotation.key,
            previous_key: rotation.previous_key,
            rotated_at: Some(rotation.at),
            rotated_from: rotation.from,
            expires_at: rotation.expires_at,
            ..session.clone()
        };
        let event = store_rolled_back.then_some(Action::StoreRollback);
        Self { session, kind: GrantKind::Rotated, update: SessionUpdate::Rotate(rotation), event }
    }

    /// `Verdict::Renew`: the current refresh token again, with a grace period that starts now. The
    /// session keeps its generation and its expiry.
    pub(super) fn restart_overlap(record: &SessionRecord, attempt: &RefreshAttempt<'_>, report_shared: bool) -> Self {
        let session = &record.session;
        let rotation = Rotation {
            generation: session.generation,
            key: session.key,
            previous_key: session.previous_key,
            at: attempt.now,
            expires_at: session.expires_at,
            from: session.rotated_from,
            proved_at: None,
        };
        Self {
            session: Session { rotated_at: Some(attempt.now), ..session.clone() },
            update: SessionUpdate::Rotate(rotation),
            ..Self::repeat(record, report_shared)
        }
    }

    /// `Verdict::Repeat` and `Verdict::Forgive`: the current refresh token again.
    pub(super) fn repeat(record: &SessionRecord, report_shared: bool) -> Self {
        Self {
            session: record.session.clone(),
            kind: GrantKind::Repeated,
            update: SessionUpdate::None,
            event: report_shared.then_some(Action::RefreshShared),
        }
    }

    /// `Verdict::Reuse`: the refresh token, which is not rotated, again. The session's expiry moves
    /// as at a rotation, if it moves far enough to be worth a write.
    pub(super) fn extend(record: &SessionRecord, attempt: &RefreshAttempt<'_>, report_shared: bool) -> Self {
        let session = &record.session;
        let expires_at =
            session.terms.extended_expiry(session.created_at, session.expires_at, attempt.now, &record.zone);
        if expires_at.is_none() && !report_shared {
            return Self::repeat(record, false);
        }
        let session = Session {
            expires_at: expires_at.or(session.expires_at),
            rotated_from: if report_shared { attempt.request.address } else { session.rotated_from },
            ..session.clone()
        };
        Self { session, update: SessionUpdate::Extend, ..Self::repeat(record, report_shared) }
    }

    /// `Verdict::Replay`: the session ends.
    pub(super) fn end_session(record: &SessionRecord) -> Self {
        Self { update: SessionUpdate::End, event: Some(Action::RefreshReplay), ..Self::repeat(record, false) }
    }

    /// Whether the plan requires a unit of work that may write.
    pub(super) fn writes(&self) -> bool {
        !matches!(self.update, SessionUpdate::None) || self.event.is_some()
    }

    /// Whether a grace period starts with this refresh.
    pub(super) fn starts_overlap(&self) -> bool {
        matches!(self.update, SessionUpdate::Rotate(_))
    }

    /// Whether the use of the refresh token from another network is recorded.
    pub(super) fn reports_shared(&self) -> bool {
        self.event == Some(Action::RefreshShared)
    }

    /// Writes the plan; `read` is the session that it was built from. Returns false, and has
    /// written nothing, if another unit of work has changed the session since it was read.
    pub(super) fn apply(&self, tx: &mut dyn AuthTx, read: &Session, attempt: &RefreshAttempt<'_>) -> StoreResult<bool> {
        let written = match &self.update {
            SessionUpdate::None => true,
            SessionUpdate::Rotate(rotation) => tx.sessions().rotate(read.id, read.generation, rotation)?,
            SessionUpdate::Extend => {
                tx.sessions().extend(read.id, read.generation, self.session.expires_at, self.session.rotated_from)?
            }
            SessionUpdate::End => {
                // A session that another unit of work has ended meanwhile stays ended for that
                // reason.
                tx.revocations().end_session(read.id, EndReason::Replay, attempt.now)?;
                true
            }
        };
        if let (true, Some(action)) = (written, self.event) {
            record_event(tx, read, attempt, action)?;
        }
        Ok(written)
    }
}

fn record_event(
    tx: &mut dyn AuthTx,
    session: &Session,
    attempt: &RefreshAttempt<'_>,
    action: Action,
) -> StoreResult<()> {
    tx.audit().record(&build_event(session, attempt, action))
}

/// The audit event of a refresh of this session.
pub(super) fn build_event(session: &Session, attempt: &RefreshAttempt<'_>, action: Action) -> Event {
    let mut event = attempt.event.clone();
    event.tenant = Some(session.tenant);
    event.actor = Actor {
        user: session.user,
        device: session.device,
        session: Some(session.id),
        address: attempt.request.address,
    };
    event.action = action;
    event.outcome = match action {
        Action::RefreshReplay | Action::RefreshUnproven => EventOutcome::Refused,
        _ => EventOutcome::Done,
    };
    event.details.insert("generation".to_owned(), json!(session.generation));
    event.details.insert("presented".to_owned(), json!(attempt.token.generation));
    event
}

/// Whether the request comes from another network than the newest rotation of the session. Unknown
/// if either has no address, and then false.
pub(super) fn is_other_network(session: &Session, address: Option<IpAddr>) -> bool {
    match (session.rotated_from, address) {
        (Some(rotated), Some(address)) => subscriber_network(rotated) != subscriber_network(address),
        _ => false,
    }
}
