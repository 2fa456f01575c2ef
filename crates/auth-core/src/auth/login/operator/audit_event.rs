//! The audit events of operators.

use serde_json::json;
use tillgate_domain::{Action, Actor, DeviceId, EndReason, Event, EventOutcome, StoreExt, Subject};

use super::{OperatorDenial, OperatorRequest, OperatorSubject, Till};
use crate::auth::Auth;
use crate::throttle::{AttemptOutcome, Charge};
use crate::{AuthDenied, Caller, Error};

impl Auth {
    /// The event of a sign-in. `denial` is the code of the reason if it is denied.
    pub(super) fn new_operator_event(
        &self,
        request: &OperatorRequest<'_>,
        till: &Till,
        subject: &OperatorSubject,
        denial: Option<&str>,
    ) -> Result<Event, Error> {
        let user = subject.login.user.as_ref().map(|user| user.id);
        let event_subject = user.map_or(Subject::Device(till.device), Subject::User);
        let outcome = if denial.is_some() { EventOutcome::Refused } else { EventOutcome::Done };
        let mut event = self.new_event(Action::Login, outcome, event_subject, Some(till.tenant))?;
        event.actor = Actor { user, device: Some(till.device), session: None, address: till.address };
        event.details.insert("dialect".to_owned(), json!(request.till.dialect.as_str()));
        event.details.insert("by".to_owned(), json!("pin"));
        event.details.insert("till".to_owned(), json!(till.session));
        if let Some(code) = denial {
            event.details.insert("why".to_owned(), json!(code));
        }
        Ok(event)
    }

    /// The event of a sign-out, whose subject is known later.
    pub(super) fn new_sign_out_event(&self, caller: &Caller) -> Result<Event, Error> {
        let tenant = Some(caller.profile.tenant.id);
        let mut event = self.new_event(Action::Logout, EventOutcome::Done, Subject::Server, tenant)?;
        event.actor = caller.actor();
        event.details.insert("why".to_owned(), json!(EndReason::Logout.name()));
        Ok(event)
    }

    /// The event of the unlocking of PINs on a device.
    pub(super) fn new_unlock_event(&self, caller: &Caller, device: DeviceId) -> Result<Event, Error> {
        let tenant = Some(caller.profile.tenant.id);
        let mut event = self.new_event(Action::PinUnlock, EventOutcome::Done, Subject::Device(device), tenant)?;
        event.actor = caller.actor();
        Ok(event)
    }

    /// Settles the charge of a denied sign-in and records the denial, and that it has stopped the
    /// PIN. Returns the error of the call, which is the same for all reasons.
    pub(super) fn deny_operator(
        &self,
        request: &OperatorRequest<'_>,
        till: &Till,
        subject: &OperatorSubject,
        charge: &Charge,
        why: OperatorDenial,
    ) -> Result<Error, Error> {
        let event = self.new_operator_event(request, till, subject, Some(why.code()))?;
        let mut stopped = self.new_event(Action::PinStopped, EventOutcome::Done, event.subject, Some(till.tenant))?;
        stopped.actor = event.actor;
        let settled = self.store.write("deny_operator", |tx| {
            self.throttle.settle_charge(tx, charge, AttemptOutcome::Failed, event.at)?;
            tx.audit().record(&event)?;
            if self.throttle.is_pin_stopped(tx, charge, event.at)? {
                tx.audit().record(&stopped)?;
            }
            Ok(())
        });
        self.login_queue.notify_settled(charge);
        settled?;
        Ok(AuthDenied::OperatorMismatch.into())
    }
}
