//! Live events for clients that follow the changes of their tenant.

use tillgate_domain::{KnownRight, LiveEventKind, StoreExt, TenantId};

use super::Auth;
use super::session_end::require_session_reader;
use crate::ports::{Bookmark, LiveEventBatch, LiveEventView};
use crate::{Caller, Error};

/// The number of events that one poll returns at most. A client that has missed more reads its
/// lists again.
const MAX_EVENTS_PER_POLL: u32 = 1_000;

impl Auth {
    /// Returns the live events of this tenant, or of all, since the poll of the bookmark, at most
    /// 1,000. Without a bookmark, returns none and the bookmark of the end.
    pub fn poll_live_events(&self, from: Option<&Bookmark>, tenant: Option<TenantId>) -> Result<LiveEventBatch, Error> {
        Ok(self.store.read("poll_live_events", |tx| tx.live_events().poll(from, tenant, MAX_EVENTS_PER_POLL))?)
    }
}

/// Whether the caller may know of the event: it is about the caller's tenant, and the caller may
/// read what it names.
pub fn may_see_event(caller: &Caller, view: &LiveEventView) -> bool {
    let rights = &caller.profile.rights;
    view.event.tenant == caller.profile.tenant.id
        && match view.event.kind {
            LiveEventKind::AuditEvent => rights.allows(KnownRight::AuditRead),
            LiveEventKind::Session => {
                view.principal == Some(caller.principal) || require_session_reader(caller).is_ok()
            }
            LiveEventKind::User => {
                rights.allows(KnownRight::UserRead)
                    || caller.user().is_some_and(|user| view.event.subject == Some(user.0))
            }
            LiveEventKind::ApiKey => rights.require_any(KnownRight::API_KEY_RIGHTS).is_ok(),
            // every authenticated caller may read these
            LiveEventKind::Device
            | LiveEventKind::Role
            | LiveEventKind::Tenant
            | LiveEventKind::Store
            | LiveEventKind::Ticket => true,
        }
}
