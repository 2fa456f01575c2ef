//! The log: structured lines on standard error. A thread of its own writes them, so that no request
//! waits for them. With the feature `otlp`, traces are sent to a collector.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::command::CommandError;
use crate::configuration::{LogFormat, Settings};
use crate::suggestions;

#[cfg(feature = "otlp")]
mod otlp;
mod targets;

/// Keeps the log open. Dropping it writes the remaining lines.
#[must_use]
pub(crate) struct LogGuard {
    _lines: WorkerGuard,
    #[cfg(feature = "otlp")]
    _traces: Option<otlp::TracesGuard>,
}

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Checks the settings of the log.
pub(crate) fn check_log_settings(settings: &Settings) -> Result<(), CommandError> {
    build_filter(&settings.log.level, "off")?;
    if cfg!(not(feature = "otlp")) && settings.log.traces.is_some() {
        return Err(CommandError::usage("log.traces is set, but this program was built without the feature otlp"));
    }
    Ok(())
}

/// Initializes the log as configured. Call it once per process.
pub(crate) fn init_logging(settings: &Settings) -> Result<LogGuard, CommandError> {
    check_log_settings(settings)?;
    let level = &settings.log.level;
    let filter = build_filter(level, "off")?;
    let waiting = usize::try_from(settings.log.waiting).unwrap_or(usize::MAX);
    let (writer, lines) = NonBlockingBuilder::default().buffered_lines_limit(waiting).finish(std::io::stderr());
    let printed = tracing_subscriber::fmt::layer().with_writer(writer);
    let printed: BoxedLayer = match settings.log.format {
        LogFormat::Text => printed.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => printed.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let mut layers = vec![printed, count_unparsable_requests()];
    #[cfg(feature = "otlp")]
    let traces = match &settings.log.traces {
        Some(collector) => {
            let (traces, layer) = otlp::init_traces(collector, level)?;
            layers.push(layer);
            Some(traces)
        }
        None => None,
    };
    layers.shrink_to_fit();
    tracing_subscriber::registry().with(layers).try_init().map_err(CommandError::failed)?;
    Ok(LogGuard {
        _lines: lines,
        #[cfg(feature = "otlp")]
        _traces: traces,
    })
}

/// Logs the migration that is about to run.
pub(crate) fn log_migration(name: &str) {
    tracing::info!(migration = name, "updating the database");
}

/// Logs the error with which the server ends if the log is in JSON, so that standard error contains
/// nothing but JSON lines.
pub(crate) fn log_outcome(settings: &Settings, outcome: Result<(), CommandError>) -> Result<(), CommandError> {
    outcome.map_err(|error| log_end(settings.log.format, error))
}

/// Logs the error with which a server does not start if the log is in JSON, also while there is no
/// log yet.
pub(crate) fn log_start_error(format: LogFormat, error: CommandError) -> CommandError {
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_writer(std::io::stderr).finish();
    tracing::subscriber::with_default(lines, || log_end(format, error))
}

fn log_end(format: LogFormat, error: CommandError) -> CommandError {
    if format == LogFormat::Text {
        return error;
    }
    tracing::error!(%error, "the server stops");
    CommandError::AlreadyLogged { usage: matches!(error, CommandError::Usage(_)) }
}

/// The target of the web framework, which logs an error with bytes of the client for each request
/// it cannot parse.
const FRAMEWORK_TARGET: &str = "actix_http";

/// The number of unparsable requests since the last report.
static UNPARSABLE_REQUESTS: AtomicU64 = AtomicU64::new(0);

/// The interval between two reports.
const UNPARSABLE_REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Counts the events that reach it.
struct UnparsableRequestLayer;

impl<S: tracing::Subscriber> Layer<S> for UnparsableRequestLayer {
    fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        UNPARSABLE_REQUESTS.fetch_add(1, Ordering::Relaxed);
    }
}

/// A layer that counts the framework's errors, which are unparsable requests. Without its maximum
/// level, the framework's events at all levels would be created and passed to the layers: several
/// for each step of a connection.
fn count_unparsable_requests() -> BoxedLayer {
    let is_framework_error =
        filter_fn(|event| *event.level() == tracing::Level::ERROR && event.target().starts_with(FRAMEWORK_TARGET));
    UnparsableRequestLayer.with_filter(is_framework_error.with_max_level_hint(LevelFilter::ERROR)).boxed()
}

/// Logs the number of unparsable requests, without any bytes from clients.
pub(crate) async fn report_unparsable() {
    loop {
        actix_web::rt::time::sleep(UNPARSABLE_REPORT_INTERVAL).await;
        let requests = UNPARSABLE_REQUESTS.swap(0, Ordering::Relaxed);
        if requests > 0 {
            tracing::warn!(requests, "requests that are not valid HTTP were answered 400");
        }
    }
}

/// The names of the log levels; `off` logs nothing.
const LEVEL_NAMES: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The filter of a layer: the configured directives, the framework's own events only if they are
/// configured, and the spans of requests, which are only for traces, at level `spans`.
fn build_filter(level: &str, spans: &str) -> Result<EnvFilter, CommandError> {
    // tracing takes an unknown word for a target, and then logs nothing else
    for word in level.split(',').filter(|word| !word.contains(['=', '['])) {
        if !LEVEL_NAMES.iter().any(|level| level.eq_ignore_ascii_case(word)) {
            let suggestion = suggestions::did_you_mean(&word.to_ascii_lowercase(), LEVEL_NAMES.iter().copied());
            return Err(CommandError::usage(format!(
                "log.level: \"{word}\" is not a level such as info or warn{suggestion}"
            )));
        }
    }
    targets::check_targets(level)?;
    EnvFilter::try_new(format!("{FRAMEWORK_TARGET}=off,{level},tillgate::trace={spans}"))
        .map_err(|why| CommandError::usage(format!("log.level \"{level}\": {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_validated() {
        assert!(build_filter("info", "off").is_ok());
        assert!(build_filter("warn,tillgate_http=debug", "info").is_ok());
        assert!(build_filter("tillgate=loud", "off").is_err());
        assert!(build_filter("WARN,tillgate_http=debug", "off").is_ok());
        let error = |level: &str| build_filter(level, "off").unwrap_err().to_string();
        assert_eq!(error("debg"), "log.level: \"debg\" is not a level such as info or warn; did you mean \"debug\"?");
        assert_eq!(error("info,loud"), "log.level: \"loud\" is not a level such as info or warn");
        assert!(error("").contains("is not a level"));
        let misspelled = error("info,tillgate::acess=debug");
        assert!(misspelled.starts_with("log.level: nothing is logged as \"tillgate::acess\""), "{misspelled}");
    }

    #[test]
    fn counter_of_unparsable_requests_enables_no_other_events() {
        let counter = count_unparsable_requests();
        assert_eq!(counter.max_level_hint(), Some(LevelFilter::ERROR), "a higher level makes every request slower");
        tracing::subscriber::with_default(tracing_subscriber::registry().with(vec![counter]), || {
            let count = || UNPARSABLE_REQUESTS.load(Ordering::Relaxed);
            let before = count();
            tracing::trace!(target: "actix_http", "a step of a connection");
            tracing::error!(target: "tillgate", "an error of the server");
            assert_eq!(count(), before);
            tracing::error!(target: "actix_http", "a request that cannot be parsed");
            assert_eq!(count(), before + 1);
        });
    }
}
