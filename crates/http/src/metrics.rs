//! Metrics in the Prometheus text format. Labels contain mounts, routes, methods, statuses and
//! codes, which are sets that the server fixes; never a user, a device or anything else that a
//! client chooses.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ::metrics::{Counter, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, Unit};
use actix_web::http::{Method, StatusCode};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;
use tillgate_auth_core::{AuthDenied, LoginDenied};

use crate::error::{ApiError, StreamLimit};

const REQUESTS_METRIC: &str = "tillgate_http_requests_total";
const DURATION_METRIC: &str = "tillgate_http_request_duration_seconds";
const LOGINS_METRIC: &str = "tillgate_logins_total";
const REFRESHES_METRIC: &str = "tillgate_refreshes_total";
const UNITS_METRIC: &str = "tillgate_unit_of_work_seconds";
const UNIT_CONFLICTS_METRIC: &str = "tillgate_unit_of_work_conflicts_total";
const CLOSED_METRIC: &str = "tillgate_connections_closed_total";
const STREAMS_METRIC: &str = "tillgate_event_streams";
const REFUSED_STREAMS_METRIC: &str = "tillgate_event_streams_refused_total";
const RESETS_METRIC: &str = "tillgate_event_resets_total";
/// Reasons why connections were closed.
const REASON_UNREAD: &str = "unread";
const REASON_NETWORK: &str = "network";
const REASON_NOT_PROXY: &str = "not_proxy";

/// Upper bounds of the duration buckets in seconds, from responses out of memory to the deadline.
const DURATION_BUCKETS: &[f64] =
    &[0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The number of durations after which they are folded into their buckets even if nobody scrapes;
/// otherwise they would accumulate in memory.
const UPKEEP_OBSERVATIONS: u64 = 8192;

/// A current value that is read at each scrape, such as the length of a queue or an age.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    /// Name of the metric, such as `tillgate_hash_queue_waiting`.
    pub name: Cow<'static, str>,
    /// What the metric measures, in a sentence.
    pub help: Cow<'static, str>,
    /// Labels and their values, from fixed sets.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The current value.
    pub value: f64,
}

/// The metrics of the server.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    gauges: Box<dyn Fn() -> Vec<Gauge> + Send + Sync>,
    /// Collector of the operating system's metrics of the process.
    process: Collector,
    observed: AtomicU64,
    /// Units of work by name and outcome.
    units: RwLock<HashMap<(&'static str, &'static str), UnitMetrics>>,
}

/// The metrics of the units of work of one name and outcome.
struct UnitMetrics {
    durations: Histogram,
    conflicts: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Creates metrics that start at zero. `gauges` is called at each scrape, on a thread of the
    /// web server, so it must not block.
    pub fn new(gauges: impl Fn() -> Vec<Gauge> + Send + Sync + 'static) -> Arc<Self> {
        let builder =
            PrometheusBuilder::new().set_buckets(DURATION_BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        for (name, unit, help) in [
            (REQUESTS_METRIC, Unit::Count, "Requests by mount, route, method and status."),
            (LOGINS_METRIC, Unit::Count, "Logins by mount and outcome."),
            (REFRESHES_METRIC, Unit::Count, "Refreshes by mount and verdict."),
            (UNIT_CONFLICTS_METRIC, Unit::Count, "Runs of units of work that a conflict undid, by unit."),
            (CLOSED_METRIC, Unit::Count, "Connections closed by the server, by reason."),
            (REFUSED_STREAMS_METRIC, Unit::Count, "Event streams refused, by the limit that was reached."),
            (RESETS_METRIC, Unit::Count, "`reset` events sent on event streams."),
        ] {
            recorder.describe_counter(KeyName::from_const_str(name), Some(unit), help.into());
        }
        recorder.describe_histogram(
            KeyName::from_const_str(DURATION_METRIC),
            Some(Unit::Seconds),
            "Duration of requests by mount and route.".into(),
        );
        recorder.describe_histogram(
            KeyName::from_const_str(UNITS_METRIC),
            Some(Unit::Seconds),
            "Duration of units of work, waiting included, by unit and outcome.".into(),
        );
        recorder.describe_gauge(KeyName::from_const_str(STREAMS_METRIC), None, "Open event streams.".into());
        let handle = recorder.handle();
        let process = Collector::default();
        ::metrics::with_local_recorder(&recorder, || process.describe());
        let metrics = Self {
            recorder,
            handle,
            gauges: Box::new(gauges),
            process,
            observed: AtomicU64::new(0),
            units: RwLock::default(),
        };
        // a rate includes the first closure only if the counter was zero before
        for reason in [REASON_UNREAD, REASON_NETWORK, REASON_NOT_PROXY] {
            drop(metrics.closed_counter(reason));
        }
        for limit in [StreamLimit::Principal, StreamLimit::Tenant, StreamLimit::Process] {
            drop(metrics.refused_stream_counter(limit));
        }
        drop(metrics.counter(RESETS_METRIC, Vec::new()));
        Arc::new(metrics)
    }

    /// Renders all metrics in the Prometheus text format.
    pub fn render(&self) -> String {
        for gauge in (self.gauges)() {
            self.recorder.describe_gauge(KeyName::from(gauge.name.clone()), None, gauge.help.into());
            let labels: Vec<Label> =
                gauge.labels.into_iter().map(|(name, value)| Label::from_static_parts(name, value)).collect();
            self.recorder.register_gauge(&Key::from_parts(gauge.name, labels), &METRIC_METADATA).set(gauge.value);
        }
        ::metrics::with_local_recorder(&self.recorder, || self.process.collect());
        self.handle.render()
    }

    /// Counts a login by its outcome.
    pub(crate) fn count_login(&self, mount: &'static str, outcome: &'static str) {
        self.counter(
            LOGINS_METRIC,
            vec![Label::from_static_parts("mount", mount), Label::from_static_parts("outcome", outcome)],
        )
        .increment(1);
    }

    /// Counts a refresh by its outcome.
    pub(crate) fn count_refresh(&self, mount: &'static str, verdict: &'static str) {
        self.counter(
            REFRESHES_METRIC,
            vec![Label::from_static_parts("mount", mount), Label::from_static_parts("verdict", verdict)],
        )
        .increment(1);
    }

    /// Counts a unit of work of the store that has ended: its name, `ok` or the kind of its error,
    /// the runs that conflicts undid, and its duration.
    pub fn count_unit(&self, name: &'static str, outcome: &'static str, conflicts: u32, duration: Duration) {
        let units = self.units.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(unit) = units.get(&(name, outcome)) {
            unit.record(conflicts, duration);
        } else {
            drop(units);
            let mut units = self.units.write().unwrap_or_else(PoisonError::into_inner);
            units
                .entry((name, outcome))
                .or_insert_with(|| self.unit_metrics(name, outcome))
                .record(conflicts, duration);
        }
        self.note_observation();
    }

    fn unit_metrics(&self, name: &'static str, outcome: &'static str) -> UnitMetrics {
        let unit = Label::from_static_parts("unit", name);
        let key = Key::from_parts(UNITS_METRIC, vec![unit.clone(), Label::from_static_parts("outcome", outcome)]);
        UnitMetrics {
            durations: self.recorder.register_histogram(&key, &METRIC_METADATA),
            conflicts: self.counter(UNIT_CONFLICTS_METRIC, vec![unit]),
        }
    }

    /// Counts a recorded duration, and folds the durations into their buckets from time to time.
    fn note_observation(&self) {
        if self.observed.fetch_add(1, Ordering::Relaxed) % UPKEEP_OBSERVATIONS == UPKEEP_OBSERVATIONS - 1 {
            self.handle.run_upkeep();
        }
    }

    /// Counts a connection that the server closed because its client did not read the response.
    pub fn count_unread_connection(&self) {
        self.closed_counter(REASON_UNREAD).increment(1);
    }

    /// Counts a connection that the server closed because its network has too many.
    pub fn count_crowded_connection(&self) {
        self.closed_counter(REASON_NETWORK).increment(1);
    }

    /// Counts a connection that the server closed because its peer is not a trusted proxy, if only
    /// those may connect.
    pub fn count_foreign_connection(&self) {
        self.closed_counter(REASON_NOT_PROXY).increment(1);
    }

    /// Sets the number of open event streams.
    pub(crate) fn set_event_streams(&self, count: usize) {
        let gauge = self.recorder.register_gauge(&Key::from_static_name(STREAMS_METRIC), &METRIC_METADATA);
        gauge.set(u32::try_from(count).map_or(f64::MAX, f64::from));
    }

    /// Counts an event stream that was refused.
    pub(crate) fn count_refused_stream(&self, limit: StreamLimit) {
        self.refused_stream_counter(limit).increment(1);
    }

    fn refused_stream_counter(&self, limit: StreamLimit) -> Counter {
        let limit = match limit {
            StreamLimit::Principal => "principal",
            StreamLimit::Tenant => "tenant",
            StreamLimit::Process => "process",
        };
        self.counter(REFUSED_STREAMS_METRIC, vec![Label::from_static_parts("limit", limit)])
    }

    /// Counts an event `reset`.
    pub(crate) fn count_event_reset(&self) {
        self.counter(RESETS_METRIC, Vec::new()).increment(1);
    }

    fn closed_counter(&self, reason: &'static str) -> Counter {
        self.counter(CLOSED_METRIC, vec![Label::from_static_parts("reason", reason)])
    }

    fn counter(&self, name: &'static str, labels: Vec<Label>) -> Counter {
        self.recorder.register_counter(&Key::from_parts(name, labels), &METRIC_METADATA)
    }
}

impl UnitMetrics {
    fn record(&self, conflicts: u32, duration: Duration) {
        self.durations.record(duration.as_secs_f64());
        self.conflicts.increment(u64::from(conflicts));
    }
}

const METRIC_METADATA: Metadata<'static> = Metadata::new("tillgate", Level::INFO, None);

/// Returns the label of a login's outcome. Outcomes with the same response have the same label,
/// otherwise the metrics would reveal that a password was correct. A required password change has
/// its own label if the contract reports it.
pub(crate) fn login_outcome_label<T>(
    response: &Result<T, tillgate_auth_core::Error>,
    reports_password_change: bool,
) -> &'static str {
    match response {
        Err(tillgate_auth_core::Error::Denied(AuthDenied::Login(denial @ LoginDenied::PasswordChangeRequired)))
            if reports_password_change =>
        {
            denial.code()
        }
        Err(tillgate_auth_core::Error::Denied(AuthDenied::Login(_))) => LoginDenied::Mismatch.code(),
        _ => outcome_label(response, |_| "ok"),
    }
}

/// Returns the label of the outcome of an engine call.
pub(crate) fn outcome_label<T>(
    response: &Result<T, tillgate_auth_core::Error>,
    done: impl Fn(&T) -> &'static str,
) -> &'static str {
    match response {
        Ok(response) => done(response),
        Err(error) => ApiError::from(error.clone()).code(),
    }
}

/// The metrics of one route, which exist from its first request on: most servers have many routes
/// that nobody calls. Counters are looked up once per method and status.
#[derive(Debug)]
pub(crate) struct RouteMetrics {
    metrics: Arc<Metrics>,
    mount: &'static str,
    route: String,
    durations: OnceLock<Histogram>,
    counters: RwLock<Vec<(&'static str, StatusCode, Counter)>>,
}

impl RouteMetrics {
    pub(crate) fn new(metrics: &Arc<Metrics>, mount: &'static str, route: &str) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            mount,
            route: route.to_owned(),
            durations: OnceLock::new(),
            counters: RwLock::default(),
        }
    }

    fn register_durations(&self) -> Histogram {
        let labels = vec![Label::from_static_parts("mount", self.mount), Label::new("route", self.route.clone())];
        self.metrics.recorder.register_histogram(&Key::from_parts(DURATION_METRIC, labels), &METRIC_METADATA)
    }

    /// Counts one request.
    pub(crate) fn count_request(&self, method: &Method, status: StatusCode, took: Duration) {
        self.durations.get_or_init(|| self.register_durations()).record(took.as_secs_f64());
        self.metrics.note_observation();
        let method = method_label(method);
        let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, counter)) = counters.iter().find(|(of, with, _)| (*of, *with) == (method, status)) {
            return counter.increment(1);
        }
        drop(counters);
        let counter = self.metrics.counter(
            REQUESTS_METRIC,
            vec![
                Label::from_static_parts("mount", self.mount),
                Label::new("route", self.route.clone()),
                Label::from_static_parts("method", method),
                Label::new("status", status.as_str().to_owned()),
            ],
        );
        counter.increment(1);
        let mut counters = self.counters.write().unwrap_or_else(PoisonError::into_inner);
        counters.push((method, status, counter));
    }
}

/// Returns the label of a method: clients can invent methods, but not labels.
fn method_label(method: &Method) -> &'static str {
    ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| method.as_str() == *known)
        .unwrap_or("other")
}
