//! The log: structured lines on standard error, written by a thread of their own so that no request waits for them, and with the
//! feature `otlp` traces to a collector.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::command::CommandError;
use crate::configuration::{LogFormat, Settings};
use crate::suggestions;

#[cfg(feature = "otlp")]
mod otlp;

/// Keeps the log open; what is still to be written is written when it is dropped.
#[must_use]
pub(crate) struct LogGuard {
    _lines: WorkerGuard,
    #[cfg(feature = "otlp")]
    _traces: Option<otlp::TracesGuard>,
}

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Begins to log as the settings say. Once in the life of a process.
pub(crate) fn init_logging(settings: &Settings) -> Result<LogGuard, CommandError> {
    let level = &settings.log.level;
    let filter = build_filter(level, "off")?;
    let waiting = usize::try_from(settings.log.waiting).unwrap_or(usize::MAX);
    let (writer, lines) = NonBlockingBuilder::default().buffered_lines_limit(waiting).finish(std::io::stderr());
    let printed = tracing_subscriber::fmt::layer().with_writer(writer);
    let printed: BoxedLayer = match settings.log.format {
        LogFormat::Text => printed.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => printed.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let mut layers = vec![
        printed,
        UnparsableRequestLayer.with_filter(filter_fn(|event| event.target().starts_with(FRAMEWORK_TARGET))).boxed(),
    ];
    #[cfg(feature = "otlp")]
    let traces = match &settings.log.traces {
        Some(collector) => {
            let (traces, layer) = otlp::init_traces(collector, level)?;
            layers.push(layer);
            Some(traces)
        }
        None => None,
    };
    #[cfg(not(feature = "otlp"))]
    if settings.log.traces.is_some() {
        return Err(CommandError::usage("log.traces is set, but this program was built without the feature otlp"));
    }
    layers.shrink_to_fit();
    tracing_subscriber::registry().with(layers).try_init().map_err(CommandError::failed)?;
    Ok(LogGuard {
        _lines: lines,
        #[cfg(feature = "otlp")]
        _traces: traces,
    })
}

/// Says in the log which migration runs.
pub(crate) fn log_migration(name: &str) {
    tracing::info!(migration = name, "bringing the database up to date");
}

/// Says in a log of JSON why the server could not start or go on, so that whoever reads it finds no other kind of line.
pub(crate) fn log_outcome(settings: &Settings, outcome: Result<(), CommandError>) -> Result<(), CommandError> {
    outcome.map_err(|stop| {
        if settings.log.format == LogFormat::Json {
            tracing::error!(error = %stop, "the server ends");
            CommandError::AlreadyLogged { usage: matches!(stop, CommandError::Usage(_)) }
        } else {
            stop
        }
    })
}

/// The web framework's own target. For each request that it cannot parse it writes a line with the client's bytes.
const FRAMEWORK_TARGET: &str = "actix_http";

/// Requests that could not be parsed since they were last reported.
static UNPARSABLE_REQUESTS: AtomicU64 = AtomicU64::new(0);

/// How often they are reported.
const UNPARSABLE_REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Counts the framework's errors, which are requests that it could not parse.
struct UnparsableRequestLayer;

impl<S: tracing::Subscriber> Layer<S> for UnparsableRequestLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::ERROR {
            UNPARSABLE_REQUESTS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Reports the requests that could not be parsed: one line with their number, and nothing that a client has sent.
pub(crate) async fn report_unparsable() {
    loop {
        actix_web::rt::time::sleep(UNPARSABLE_REPORT_INTERVAL).await;
        let requests = UNPARSABLE_REQUESTS.swap(0, Ordering::Relaxed);
        if requests > 0 {
            tracing::warn!(requests, "requests could not be parsed as HTTP and were refused with 400");
        }
    }
}

/// The levels by their names; `off` logs nothing.
const LEVEL_NAMES: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What a layer hears: the settings' directives, nothing of the framework's own unless they name it, and of the spans of requests,
/// which are made for traces alone, this much.
fn build_filter(level: &str, spans: &str) -> Result<EnvFilter, CommandError> {
    // tracing takes a word that is no level for the name of a target, and then logs nothing else
    for word in level.split(',').filter(|word| !word.contains(['=', '['])) {
        if !LEVEL_NAMES.iter().any(|level| level.eq_ignore_ascii_case(word)) {
            let near = suggestions::did_you_mean(&word.to_ascii_lowercase(), LEVEL_NAMES.iter().copied());
            return Err(CommandError::usage(format!("log.level: \"{word}\" is no level such as info or warn{near}")));
        }
    }
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
        let said = |level: &str| build_filter(level, "off").unwrap_err().to_string();
        assert_eq!(said("debg"), "log.level: \"debg\" is no level such as info or warn; is it \"debug\"?");
        assert_eq!(said("info,loud"), "log.level: \"loud\" is no level such as info or warn");
        assert!(said("").contains("is no level"));
    }
}
