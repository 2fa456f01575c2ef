//! Verifications of the audit log on request. The start and the result of each are audit events of
//! the tenant, so every process over the store finds them, and they stay.
//!
//! The chain is that of the whole server; a report names no event of another tenant.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::office::context::AuditContext;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{EventFilter, EventView, MAX_PAGE_SIZE, OfficePorts, OfficeTx, OffsetPageRequest};
use crate::office::{Office, OfficeReader};
use crate::{Action, Event, EventId, Instant, KnownRight, NodeId, Store, StoreExt, StoreResult, Subject, TenantId};

/// Up to how many events without a seal are counted.
pub(in crate::office) const MAX_UNSEALED: u32 = 10_000;

/// How long after the end of a verification the tenant gets its result instead of a new one: each
/// reads the whole log and adds two events to it.
pub const VERIFICATION_INTERVAL: Duration = Duration::from_mins(3);

/// How long after the start of a verification its result is looked for.
const MAX_VERIFICATION_TIME: Duration = Duration::from_hours(7 * 24);

/// A verification of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// Its identifier: that of the audit event of its start.
    pub id: EventId,
    /// When it was started.
    pub started_at: Instant,
    /// How far it is.
    pub state: VerificationState,
}

/// The state of a verification.
#[derive(Clone, Debug, PartialEq)]
pub enum VerificationState {
    /// It runs in this or another process.
    Running,
    /// It is complete.
    Done {
        /// When it was completed.
        finished_at: Instant,
        /// Its result.
        report: VerificationReport,
    },
    /// Its process ended before it was complete.
    Interrupted,
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationReport {
    /// The number of events, from the first, that are as they were sealed.
    pub verified: i64,
    /// The first fault; `None` if the log is intact.
    pub fault: Option<FaultReport>,
}

/// The first fault of the audit log, as a report describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// The stable code of the fault.
    pub code: String,
    /// What is wrong with the event or with the chain.
    pub wrong: String,
    /// The whole description: the event, what is wrong, and what is intact.
    pub detail: String,
    /// The number of the event in the chain; `None` if no event is concerned.
    pub sequence: Option<i64>,
    /// The id of the event, unless it is an event of another tenant.
    pub id: Option<String>,
    /// The instant of the event.
    pub at: Option<Instant>,
}

/// The state of the seals of the audit log, and the last complete verification by the tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct SealState {
    /// The number of the newest seal; 0 if nothing is sealed.
    pub position: i64,
    /// The newest seal; empty if nothing is sealed.
    pub hash: Vec<u8>,
    /// The instant of the newest event with a seal.
    pub sealed_at: Option<Instant>,
    /// Events without a seal, counted up to 10,000.
    pub unsealed: u32,
    /// The last complete verification.
    pub last_verification: Option<Verification>,
}

/// Whether the verification with this id still runs in the process with this id.
pub type RunningCheck<'f> = &'f dyn Fn(EventId, NodeId) -> bool;

impl Office<'_> {
    /// The verification that [`start_verification`](Self::start_verification) returns instead of a
    /// new one: the last one of the tenant, if it is running or ended within
    /// [`VERIFICATION_INTERVAL`]. Requires the right `auditRead`.
    pub fn find_current_verification(&self, is_running: RunningCheck<'_>) -> UseCaseResult<Option<Verification>> {
        self.store.read("find_current_verification", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<Option<Verification>, UseCaseError> {
                self.require(KnownRight::AuditRead)?;
                Ok(find_current(tx, self, is_running)?)
            };
            commit_refusal(run())
        })
    }

    /// Starts a verification in this process and returns true, or returns the current one and
    /// false: a tenant has one at a time, and one in each [`VERIFICATION_INTERVAL`]. The caller
    /// then runs it, and records its result by [`finish_verification`]. Requires the right
    /// `auditRead`.
    pub fn start_verification(
        &self,
        process: NodeId,
        is_running: RunningCheck<'_>,
    ) -> UseCaseResult<(Verification, bool)> {
        self.store.write("start_verification", |tx| commit_refusal(record_start(tx, self, process, is_running)))
    }
}

impl OfficeReader<'_> {
    /// The verification with this id, if it is one of the tenant. Requires the right `auditRead`.
    pub fn find_verification(&self, id: EventId, is_running: RunningCheck<'_>) -> UseCaseResult<Option<Verification>> {
        self.store.read("find_verification", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<Option<Verification>, UseCaseError> {
                self.require(KnownRight::AuditRead)?;
                let filter = EventFilter { id: Some(id), ..filter_by_action(self.tenant, Action::AuditVerify) };
                let found = tx.events().list(&filter, &OffsetPageRequest::first(1))?.pop();
                Ok(found.map(|view| load_verification(tx, self.tenant, &view.event, is_running)).transpose()?)
            };
            commit_refusal(run())
        })
    }

    /// The state of the seals. Requires the right `auditRead`.
    pub fn read_seal_state(&self) -> UseCaseResult<SealState> {
        self.store.read("read_seal_state", |tx: &mut (dyn OfficeTx + '_)| {
            let mut run = || -> Result<SealState, UseCaseError> {
                self.require(KnownRight::AuditRead)?;
                let newest = tx.seals().find_newest()?;
                let sealed = tx.seals().list_sealed(newest.sequence, 1)?;
                Ok(SealState {
                    position: newest.sequence,
                    hash: newest.hash,
                    sealed_at: sealed.first().map(|sealed| Instant::from_millis(sealed.event.at)),
                    unsealed: tx.seals().count_unsealed(MAX_UNSEALED)?.events,
                    last_verification: find_last_verification(tx, self.tenant)?,
                })
            };
            commit_refusal(run())
        })
    }
}

/// Records the result of a verification of the tenant.
pub fn finish_verification(
    store: &dyn Store<OfficePorts>,
    context: &AuditContext,
    tenant: TenantId,
    id: EventId,
    report: &VerificationReport,
) -> StoreResult<()> {
    let details = Map::from_iter([
        ("verification".to_owned(), json!(id)),
        ("verified".to_owned(), json!(report.verified)),
        ("fault".to_owned(), report.fault.as_ref().map_or(Value::Null, fault_to_json)),
    ]);
    let event = context.build_event(tenant, Action::AuditVerified, Subject::Tenant(tenant), details);
    store.write("finish_verification", |tx| tx.audit().record(&event))
}

fn record_start(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    process: NodeId,
    is_running: RunningCheck<'_>,
) -> Result<(Verification, bool), UseCaseError> {
    office.require(KnownRight::AuditRead)?;
    // of two that start at once, the second finds the first
    tx.tenants().claim(office.tenant)?;
    if let Some(current) = find_current(tx, office, is_running)? {
        return Ok((current, false));
    }
    let details = Map::from_iter([("process".to_owned(), json!(process))]);
    let event = office.build_event(Action::AuditVerify, Subject::Tenant(office.tenant), details);
    tx.audit().record(&event)?;
    Ok((Verification { id: event.id, started_at: event.at, state: VerificationState::Running }, true))
}

/// The last verification of the tenant, if it is running or ended recently.
fn find_current(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    is_running: RunningCheck<'_>,
) -> StoreResult<Option<Verification>> {
    let started = filter_by_action(office.tenant, Action::AuditVerify);
    let Some(last) = tx.events().list(&started, &OffsetPageRequest::first(1))?.pop() else { return Ok(None) };
    let last = load_verification(tx, office.tenant, &last.event, is_running)?;
    let is_current = match &last.state {
        VerificationState::Running => true,
        VerificationState::Done { finished_at, .. } => {
            office.context.at < finished_at.saturating_add(VERIFICATION_INTERVAL)
        }
        VerificationState::Interrupted => false,
    };
    Ok(is_current.then_some(last))
}

/// The events of the tenant with this action.
fn filter_by_action(tenant: TenantId, action: Action) -> EventFilter {
    EventFilter { tenant: Some(tenant), actions: vec![action], ..EventFilter::default() }
}

/// The verification that this event has started.
fn load_verification(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    started: &Event,
    is_running: RunningCheck<'_>,
) -> StoreResult<Verification> {
    let result = find_result(tx, tenant, started)?;
    let runs = || {
        let process = started.details.get("process").and_then(Value::as_str).and_then(|text| text.parse().ok());
        process.is_some_and(|process| is_running(started.id, process))
    };
    let state = match result {
        Some(result) => build_done_state(&result),
        None if runs() => VerificationState::Running,
        None => VerificationState::Interrupted,
    };
    Ok(Verification { id: started.id, started_at: started.at, state })
}

/// The result of the verification that this event has started.
fn find_result(tx: &mut dyn OfficeTx, tenant: TenantId, started: &Event) -> StoreResult<Option<Event>> {
    let filter = EventFilter {
        from: Some(started.at),
        until: Some(started.at.saturating_add(MAX_VERIFICATION_TIME)),
        ..filter_by_action(tenant, Action::AuditVerified)
    };
    let mut after = None;
    loop {
        let page = OffsetPageRequest { after, ..OffsetPageRequest::first(MAX_PAGE_SIZE) };
        let found = tx.events().list(&filter, &page)?;
        let last = found.last().filter(|_| found.len() >= MAX_PAGE_SIZE as usize).map(|view| view.event.id);
        let result = found.into_iter().find(|view| parse_verification_id(view) == Some(started.id));
        if result.is_some() || last.is_none() {
            return Ok(result.map(|view| view.event));
        }
        after = last;
    }
}

/// The last complete verification.
fn find_last_verification(tx: &mut dyn OfficeTx, tenant: TenantId) -> StoreResult<Option<Verification>> {
    let result =
        tx.events().list(&filter_by_action(tenant, Action::AuditVerified), &OffsetPageRequest::first(1))?.pop();
    let Some((result, id)) = result.and_then(|view| parse_verification_id(&view).map(|id| (view.event, id))) else {
        return Ok(None);
    };
    let filter = EventFilter { id: Some(id), ..filter_by_action(tenant, Action::AuditVerify) };
    let started = tx.events().list(&filter, &OffsetPageRequest::first(1))?.pop();
    Ok(started.map(|view| Verification { id, started_at: view.event.at, state: build_done_state(&result) }))
}

/// The id of the verification whose result this event is.
fn parse_verification_id(view: &EventView) -> Option<EventId> {
    view.event.details.get("verification")?.as_str()?.parse().ok()
}

/// The state of a verification with the result that this event records.
fn build_done_state(result: &Event) -> VerificationState {
    let fault = result.details.get("fault").filter(|fault| !fault.is_null()).map(fault_from_json);
    let verified = result.details.get("verified").and_then(Value::as_i64).unwrap_or_default();
    VerificationState::Done { finished_at: result.at, report: VerificationReport { verified, fault } }
}

fn fault_to_json(fault: &FaultReport) -> Value {
    let FaultReport { code, wrong, detail, sequence, id, at } = fault;
    json!({
        "code": code, "wrong": wrong, "detail": detail, "sequence": sequence, "id": id, "at": at.map(Instant::millis),
    })
}

fn fault_from_json(fault: &Value) -> FaultReport {
    let text = |name: &str| fault.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| fault.get(name).and_then(Value::as_i64);
    FaultReport {
        code: text("code").unwrap_or_default(),
        wrong: text("wrong").unwrap_or_default(),
        detail: text("detail").unwrap_or_default(),
        sequence: number("sequence"),
        id: text("id"),
        at: number("at").map(Instant::from_millis),
    }
}
