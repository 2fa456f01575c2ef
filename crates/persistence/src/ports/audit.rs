//! Records audit events, with their live events. They are written without a seal and sealed later.

use diesel::prelude::*;
use tillgate_domain::office::ports::search_text;
use tillgate_domain::{Audit, Event, LiveEvent, StoreResult};

use crate::error_class::classify;
use crate::row::{to_json, uuid_bytes};
use crate::schema::audit;
use crate::transaction::Transaction;

/// An audit event as it is inserted: without its seal, and without the digest of an approved
/// operation, which no event has yet.
#[derive(Insertable)]
#[diesel(table_name = audit, treat_none_as_default_value = false)]
struct AuditRow {
    id: Vec<u8>,
    at: i64,
    tenant_id: Option<Vec<u8>>,
    user_id: Option<Vec<u8>>,
    device_id: Option<Vec<u8>>,
    session_id: Option<Vec<u8>>,
    address: Option<String>,
    action: &'static str,
    subject: &'static str,
    subject_id: Option<Vec<u8>>,
    outcome: &'static str,
    details: String,
    approver_id: Option<Vec<u8>>,
    searched: Option<String>,
}

impl Audit for Transaction<'_> {
    fn record(&mut self, event: &Event) -> StoreResult<()> {
        let row = AuditRow {
            id: uuid_bytes(&event.id.0),
            at: event.at.millis(),
            tenant_id: event.tenant.map(|id| uuid_bytes(&id.0)),
            user_id: event.actor.user.map(|id| uuid_bytes(&id.0)),
            device_id: event.actor.device.map(|id| uuid_bytes(&id.0)),
            session_id: event.actor.session.map(|id| uuid_bytes(&id.0)),
            address: event.actor.address.map(|address| address.to_string()),
            action: event.action.name(),
            subject: event.subject.kind().name(),
            subject_id: event.subject.uuid().as_ref().map(uuid_bytes),
            outcome: event.outcome.name(),
            details: to_json(&event.details)?,
            approver_id: event.approver.map(|id| uuid_bytes(&id.0)),
            searched: search_text::from_details(&event.details),
        };
        diesel::insert_into(audit::table).values(row).execute(self.write_connection()?).map_err(classify)?;
        self.insert_live_events(&LiveEvent::list_for(event), event.at)
    }
}
