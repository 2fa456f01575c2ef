//! What the server counts, in Prometheus' text format. Labels name mounts, routes, methods, statuses and codes: sets that the
//! server fixes; never a person, a device or anything else that a caller chooses.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::metrics::{Counter, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, Unit};
use actix_web::http::{Method, StatusCode};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;
use tillgate_auth_core::{AuthDenied, LoginDenied};

use crate::error::ApiError;

const REQUESTS_METRIC: &str = "tillgate_http_requests_total";
const DURATION_METRIC: &str = "tillgate_http_request_duration_seconds";
const LOGINS_METRIC: &str = "tillgate_logins_total";
const REFRESHES_METRIC: &str = "tillgate_refreshes_total";
const CLOSED_METRIC: &str = "tillgate_connections_closed_total";
/// Why connections were closed.
const REASON_UNREAD: &str = "unread";
const REASON_NETWORK: &str = "network";
const REASON_NOT_PROXY: &str = "not_proxy";

/// Upper bounds of the duration's buckets, in seconds: from what memory answers to the deadline.
const DURATION_BUCKETS: &[f64] =
    &[0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// After how many requests the durations are folded into their buckets where nobody scrapes: they would pile up in memory.
const UPKEEP_REQUESTS: u64 = 8192;

/// A value of now that the composition reads at each scrape: a queue, a pool, an age.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    /// Its name, such as `tillgate_hash_queue_waiting`.
    pub name: Cow<'static, str>,
    /// What it says, in a sentence.
    pub help: Cow<'static, str>,
    /// What tells it from others of its name: labels and their values, from fixed sets.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The value.
    pub value: f64,
}

/// What the server counts.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    gauges: Box<dyn Fn() -> Vec<Gauge> + Send + Sync>,
    /// What the system knows of the process.
    process: Collector,
    observed: AtomicU64,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Counts from zero. `gauges` is asked at each scrape, on a thread of the web server: it answers from memory.
    pub fn new(gauges: impl Fn() -> Vec<Gauge> + Send + Sync + 'static) -> Arc<Self> {
        let builder =
            PrometheusBuilder::new().set_buckets(DURATION_BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        for (name, unit, help) in [
            (REQUESTS_METRIC, Unit::Count, "Requests by mount, route, method and status."),
            (LOGINS_METRIC, Unit::Count, "Logins by mount and outcome."),
            (REFRESHES_METRIC, Unit::Count, "Refreshes by mount and verdict."),
            (CLOSED_METRIC, Unit::Count, "Connections that the server closed by itself, by reason."),
        ] {
            recorder.describe_counter(KeyName::from_const_str(name), Some(unit), help.into());
        }
        recorder.describe_histogram(
            KeyName::from_const_str(DURATION_METRIC),
            Some(Unit::Seconds),
            "How long requests took, by mount and route.".into(),
        );
        let handle = recorder.handle();
        let process = Collector::default();
        ::metrics::with_local_recorder(&recorder, || process.describe());
        let metrics = Self { recorder, handle, gauges: Box::new(gauges), process, observed: AtomicU64::new(0) };
        // a rate is one from the first closure on if the count stood at zero before
        for reason in [REASON_UNREAD, REASON_NETWORK, REASON_NOT_PROXY] {
            drop(metrics.closed_counter(reason));
        }
        Arc::new(metrics)
    }

    /// Everything, in Prometheus' text format.
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

    /// A login, by what came of it.
    pub(crate) fn count_login(&self, mount: &'static str, outcome: &'static str) {
        self.counter(
            LOGINS_METRIC,
            vec![Label::from_static_parts("mount", mount), Label::from_static_parts("outcome", outcome)],
        )
        .increment(1);
    }

    /// A refresh, by what came of it.
    pub(crate) fn count_refresh(&self, mount: &'static str, verdict: &'static str) {
        self.counter(
            REFRESHES_METRIC,
            vec![Label::from_static_parts("mount", mount), Label::from_static_parts("verdict", verdict)],
        )
        .increment(1);
    }

    /// A connection that the server closed since its client took nothing of an answer.
    pub fn count_unread_connection(&self) {
        self.closed_counter(REASON_UNREAD).increment(1);
    }

    /// A connection that the server closed since its network has enough.
    pub fn count_crowded_connection(&self) {
        self.closed_counter(REASON_NETWORK).increment(1);
    }

    /// A connection that the server closed since its peer is none of the proxies, and only they may connect.
    pub fn count_foreign_connection(&self) {
        self.closed_counter(REASON_NOT_PROXY).increment(1);
    }

    fn closed_counter(&self, reason: &'static str) -> Counter {
        self.counter(CLOSED_METRIC, vec![Label::from_static_parts("reason", reason)])
    }

    fn counter(&self, name: &'static str, labels: Vec<Label>) -> Counter {
        self.recorder.register_counter(&Key::from_parts(name, labels), &METRIC_METADATA)
    }
}

const METRIC_METADATA: Metadata<'static> = Metadata::new("tillgate", Level::INFO, None);

/// The word for what came of a login. What answers alike is counted alike: otherwise whoever reads the metrics could tell a right
/// password from a wrong one. A password that must be changed is counted apart where the contract says so.
pub(crate) fn login_outcome_label<T>(
    answer: &Result<T, tillgate_auth_core::Error>,
    reports_password_change: bool,
) -> &'static str {
    match answer {
        Err(tillgate_auth_core::Error::Denied(AuthDenied::Login(refusal @ LoginDenied::PasswordChangeRequired)))
            if reports_password_change =>
        {
            refusal.code()
        }
        Err(tillgate_auth_core::Error::Denied(AuthDenied::Login(_))) => LoginDenied::Mismatch.code(),
        _ => outcome_label(answer, |_| "ok"),
    }
}

/// The word for what came of a call of the engine.
pub(crate) fn outcome_label<T>(
    answer: &Result<T, tillgate_auth_core::Error>,
    done: impl Fn(&T) -> &'static str,
) -> &'static str {
    match answer {
        Ok(answer) => done(answer),
        Err(error) => ApiError::from(error.clone()).code(),
    }
}

/// Counts the requests of one route. Its counters are looked up once per method and status.
#[derive(Debug)]
pub(crate) struct RouteMetrics {
    metrics: Arc<Metrics>,
    mount: &'static str,
    route: String,
    durations: Histogram,
    counters: std::sync::RwLock<Vec<(&'static str, StatusCode, Counter)>>,
}

impl RouteMetrics {
    pub(crate) fn new(metrics: &Arc<Metrics>, mount: &'static str, route: &str) -> Self {
        let labels = vec![Label::from_static_parts("mount", mount), Label::new("route", route.to_owned())];
        let seconds = metrics.recorder.register_histogram(&Key::from_parts(DURATION_METRIC, labels), &METRIC_METADATA);
        Self {
            metrics: Arc::clone(metrics),
            mount,
            route: route.to_owned(),
            durations: seconds,
            counters: std::sync::RwLock::default(),
        }
    }

    /// Counts one request.
    pub(crate) fn count_request(&self, method: &Method, status: StatusCode, took: Duration) {
        self.durations.record(took.as_secs_f64());
        if self.metrics.observed.fetch_add(1, Ordering::Relaxed) % UPKEEP_REQUESTS == UPKEEP_REQUESTS - 1 {
            self.metrics.handle.run_upkeep();
        }
        let method = method_label(method);
        let counters = self.counters.read().unwrap_or_else(std::sync::PoisonError::into_inner);
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
        let mut counters = self.counters.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        counters.push((method, status, counter));
    }
}

/// The method as a label: a caller may invent methods, not labels.
fn method_label(method: &Method) -> &'static str {
    ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| method.as_str() == *known)
        .unwrap_or("other")
}
