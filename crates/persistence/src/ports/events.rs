//! Reads audit events: one query for a page, with the names of users and devices, and another for
//! the number of events.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use serde_json::{Map, Value};
use tillgate_domain::office::ports::{ChangeMark, EventFilter, EventView, Events, OffsetPageRequest, search_text};
use tillgate_domain::{
    Action, Actor, BranchId, DeviceId, DeviceName, Event, EventId, EventOutcome, FoldedText, Instant, LiveEventKind,
    SessionId, StoreResult, Subject, SubjectKind, TenantId, UserId, UserName,
};

use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::row::{Column, CountRow, EventKeys};
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;
use crate::where_clause::{WhereClause, contains_condition, first_searched_expression, lowercase_expression};

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(embed)]
    keys: EventKeys,
    #[diesel(sql_type = Nullable<Text>)]
    address: Option<String>,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Text)]
    details: String,
    #[diesel(sql_type = Nullable<Text>)]
    user_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    device_name: Option<String>,
}

impl EventRow {
    fn into_view(self) -> StoreResult<EventView> {
        let cell = |column| Column("audit", column);
        let keys = self.keys;
        let id = |column, bytes: Option<&[u8]>| cell(column).parse_optional_uuid(bytes);
        let kind = cell("subject").parse_word(SubjectKind::ALL, SubjectKind::name, &self.subject)?;
        let subject = Subject::of(kind, id("subject_id", keys.subject_id.as_deref())?);
        let event = Event {
            id: EventId(cell("id").parse_uuid(&keys.id)?),
            at: Instant::from_millis(keys.at),
            tenant: id("tenant_id", keys.tenant_id.as_deref())?.map(TenantId),
            actor: Actor {
                user: id("user_id", keys.user_id.as_deref())?.map(UserId),
                device: id("device_id", keys.device_id.as_deref())?.map(DeviceId),
                session: id("session_id", keys.session_id.as_deref())?.map(SessionId),
                address: cell("address").parse_address(self.address.as_deref())?,
            },
            action: cell("action").parse_word(Action::ALL, Action::name, &self.action)?,
            subject: subject.ok_or_else(|| cell("subject_id").corrupt("the id does not match its kind"))?,
            outcome: cell("outcome").parse_word(EventOutcome::ALL, EventOutcome::name, &self.outcome)?,
            details: parse_details(self.details),
            approver: id("approver_id", keys.approver_id.as_deref())?.map(UserId),
        };
        let user_name = self.user_name.map(UserName::from_stored);
        let device_name = self.device_name.map(DeviceName::from_stored);
        Ok(EventView { event, user_name, device_name })
    }
}

/// The details of an event. Text that is not valid JSON is returned as a string: one unreadable
/// event must not hide the others.
fn parse_details(text: String) -> Map<String, Value> {
    serde_json::from_str(&text).unwrap_or_else(|_| Map::from_iter([("unreadable".to_owned(), Value::String(text))]))
}

/// How far the instant in an event's id may differ from its time column: the two are read one after
/// the other.
const ID_CLOCK_TOLERANCE: Duration = Duration::from_mins(1);

/// The criteria of a filter as they are bound: its text in folded form, and the range of ids that
/// corresponds to its time range, so that an index ending in the id can be used.
struct EventSearch {
    text: Option<FoldedText>,
    /// Actions with their outcome, as in [`ACTION_AND_OUTCOME`].
    text_actions: Vec<String>,
    from: Option<EventId>,
    until: Option<EventId>,
}

impl EventSearch {
    fn from_filter(filter: &EventFilter) -> Self {
        Self {
            text: filter.text.as_deref().map(FoldedText::of),
            text_actions: filter
                .text_actions
                .iter()
                .map(|(action, outcome)| format!("{} {}", action.name(), outcome.name()))
                .collect(),
            from: filter.from.map(|from| EventId::new(from.saturating_sub(ID_CLOCK_TOLERANCE), [0; 10])),
            until: filter.until.map(|until| EventId::new(until.saturating_add(ID_CLOCK_TOLERANCE), [0; 10])),
        }
    }

    /// The tables that the conditions use: a text is searched in the names of users too.
    fn source_clause(&self) -> &'static str {
        if self.text.is_some() { "audit LEFT JOIN users ON users.id = audit.user_id" } else { "audit" }
    }
}

/// That the device of an event is in a store.
const IS_IN_STORE: &str = "audit.device_id IN (SELECT devices.id FROM devices WHERE devices.branch_id = ?)";

/// The action and the outcome of an event.
const ACTION_AND_OUTCOME: &str = "audit.action || ' ' || audit.outcome";

/// The conditions of a filter.
fn filter_clause<'a>(connection: &AnyConnection, filter: &'a EventFilter, search: &'a EventSearch) -> WhereClause<'a> {
    let mut all = WhereClause::default();
    all.and_if_some("audit.tenant_id = ?", filter.tenant.as_ref().map(|id| Bind::from(&id.0)));
    all.and_if_some("audit.id = ?", filter.id.as_ref().map(|id| Bind::from(&id.0)));
    all.and_if_some("audit.user_id = ?", filter.user.as_ref().map(|id| Bind::from(&id.0)));
    all.and_if_some("audit.device_id = ?", filter.device.as_ref().map(|id| Bind::from(&id.0)));
    all.and_if_some(IS_IN_STORE, filter.branch.as_ref().map(|id| Bind::from(&id.0)));
    all.and_if_some("audit.session_id = ?", filter.session.as_ref().map(|id| Bind::from(&id.0)));
    let actions: Vec<Bind<'_>> = filter.actions.iter().map(|action| action.name().into()).collect();
    all.and_in("audit.action", &actions);
    if let Some(outcome) = filter.outcome {
        // literally as in the partial index
        all.and(&format!("audit.outcome = '{}'", outcome.name()), &[]);
    }
    all.and_if_some("audit.subject = ?", filter.subject_kind.map(|kind| kind.name().into()));
    all.and_if_some("audit.subject_id = ?", filter.subject_id.as_ref().map(Bind::from));
    all.and_if_some("audit.at >= ?", filter.from.map(Bind::from));
    all.and_if_some("audit.at < ?", filter.until.map(Bind::from));
    all.and_if_some("audit.id >= ?", search.from.as_ref().map(|id| Bind::from(&id.0)));
    all.and_if_some("audit.id < ?", search.until.as_ref().map(|id| Bind::from(&id.0)));
    if let Some(text) = &search.text {
        // most events are searched by their JSON as it is
        let details = if search_text::may_occur_in_json(text) {
            format!("coalesce(audit.searched, {})", lowercase_expression(connection, "audit.details"))
        } else {
            "audit.searched".to_owned()
        };
        let name = first_searched_expression(connection, "users.searched");
        let [name, action, details] =
            [name.as_str(), "audit.action", &details].map(|expression| contains_condition(connection, expression));
        let mut values: Vec<Bind<'_>> = vec![text.as_str().into(); 3];
        let mut condition = format!("{name} OR {action} OR {details}");
        if !search.text_actions.is_empty() {
            let among = vec!["?"; search.text_actions.len()].join(", ");
            condition = format!("{condition} OR {ACTION_AND_OUTCOME} IN ({among})");
            values.extend(search.text_actions.iter().map(|both| Bind::from(both.as_str())));
        }
        all.and(&format!("({condition})"), &values);
    }
    all
}

impl Events for Transaction<'_> {
    fn list(&mut self, filter: &EventFilter, part: &OffsetPageRequest<EventId>) -> StoreResult<Vec<EventView>> {
        const HEAD: &str = "SELECT audit.id, audit.at, audit.tenant_id, audit.user_id, audit.device_id, audit.session_id, \
             audit.address, audit.action, audit.subject, audit.subject_id, audit.outcome, audit.details, audit.approver_id, \
             users.name AS user_name, devices.name AS device_name FROM (";
        const TAIL: &str = ") part JOIN audit ON audit.id = part.id \
             LEFT JOIN users ON users.id = audit.user_id LEFT JOIN devices ON devices.id = audit.device_id \
             ORDER BY audit.id DESC";
        let search = EventSearch::from_filter(filter);
        let mut all = filter_clause(self.connection, filter, &search);
        all.and_if_some("audit.id < ?", part.after.as_ref().map(|id| Bind::from(&id.0)));
        // the ids of a page are read from an index alone, however many events are skipped, and the
        // events afterwards
        let head = format!("SELECT audit.id FROM {}", search.source_clause());
        let (ids, binds) = all.build_page(&head, "audit.id DESC", part);
        let rows: Vec<EventRow> =
            Statement::uncached(format!("{HEAD}{ids}{TAIL}"), binds).load(self.connection).map_err(classify)?;
        rows.into_iter().map(EventRow::into_view).collect()
    }

    fn count_refused(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        since: Instant,
        most: u32,
    ) -> StoreResult<u64> {
        let from = EventId::new(since, [0; 10]);
        let mut all = WhereClause::default();
        all.and("audit.tenant_id = ?", &[Bind::from(&tenant.0)]);
        // literally as in the partial index
        all.and("audit.outcome = 'refused'", &[]);
        all.and("audit.id >= ?", &[Bind::from(&from.0)]);
        all.and_if_some(IS_IN_STORE, branch.as_ref().map(|branch| Bind::from(&branch.0)));
        let (text, mut binds) = all.build_statement("SELECT COUNT(*) AS number FROM (SELECT 1 AS one FROM audit");
        binds.push(Bind::Number(i64::from(most)));
        let text = format!("{text} LIMIT ${}) part", binds.len());
        let counted: CountRow = Statement::uncached(text, binds).get_result(self.connection).map_err(classify)?;
        Ok(counted.count())
    }

    fn count(&mut self, filter: &EventFilter) -> StoreResult<u64> {
        let search = EventSearch::from_filter(filter);
        let head = format!("SELECT COUNT(*) AS number FROM {}", search.source_clause());
        let (text, binds) = filter_clause(self.connection, filter, &search).build_statement(&head);
        let counted: CountRow = Statement::uncached(text, binds).get_result(self.connection).map_err(classify)?;
        Ok(counted.count())
    }

    fn find_change_mark(&mut self) -> StoreResult<ChangeMark> {
        self.read_change_mark()
    }

    fn knows_changes(&mut self, tenant: TenantId, kind: LiveEventKind, since: ChangeMark) -> StoreResult<bool> {
        self.has_countable_changes(tenant, kind, since)
    }
}
