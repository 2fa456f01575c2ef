//! The audit event of a login, admitted or denied.

use serde_json::json;
use tillgate_domain::{Action, Actor, Event, EventOutcome, PrincipalId, Subject};

use super::{LoginSubject, admission};
use crate::auth::Auth;
use crate::{Error, LoginRequest};

impl Auth {
    /// Creates the event with its subject, its actor and the dialect. `reason` is the code of a
    /// denial.
    pub(super) fn new_login_event(
        &self,
        login: &LoginRequest,
        subject: &LoginSubject,
        outcome: EventOutcome,
        reason: Option<&str>,
    ) -> Result<Event, Error> {
        let principal = subject.principal(login);
        let event_subject = match principal {
            Some(PrincipalId::User(user)) => Subject::User(user),
            Some(PrincipalId::Device(device)) => Subject::Device(device),
            None => Subject::Server,
        };
        let tenant = subject.tenant.as_ref().map(|tenant| tenant.id);
        let mut event = self.new_event(Action::Login, outcome, event_subject, tenant)?;
        event.actor = Actor {
            user: subject.user.as_ref().map(|user| user.id),
            device: subject.device.as_ref().map(|device| device.id),
            session: None,
            address: login.address,
        };
        event.details.insert("dialect".to_owned(), json!(login.dialect.as_str()));
        if let Some(reason) = reason {
            event.details.insert("why".to_owned(), json!(reason));
        }
        if principal.is_none() {
            // A keyed hash of the name, not the name: people type their password into the name
            // field.
            let trace_id = self.throttle.trace_id(&admission::claimed_identity(login, subject));
            event.details.insert("unknown".to_owned(), json!(trace_id));
        }
        Ok(event)
    }
}
