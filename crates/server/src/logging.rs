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

use crate::command::Stop;
use crate::configuration::{LogFormat, Settings};
use crate::near;

#[cfg(feature = "otlp")]
mod otlp;

/// Keeps the log open; what is still to be written is written when it is dropped.
#[must_use]
pub(crate) struct Log {
    _lines: WorkerGuard,
    #[cfg(feature = "otlp")]
    _traces: Option<otlp::Traces>,
}

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

/// Begins to log as the settings say. Once in the life of a process.
pub(crate) fn begin(settings: &Settings) -> Result<Log, Stop> {
    let level = &settings.log.level;
    let filter = filter(level, "off")?;
    let waiting = usize::try_from(settings.log.waiting).unwrap_or(usize::MAX);
    let (writer, lines) = NonBlockingBuilder::default().buffered_lines_limit(waiting).finish(std::io::stderr());
    let printed = tracing_subscriber::fmt::layer().with_writer(writer);
    let printed: Boxed = match settings.log.format {
        LogFormat::Text => printed.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => printed.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let mut layers =
        vec![printed, Unparsable.with_filter(filter_fn(|event| event.target().starts_with(FRAMEWORK))).boxed()];
    #[cfg(feature = "otlp")]
    let traces = match &settings.log.traces {
        Some(collector) => {
            let (traces, layer) = otlp::begin(collector, level)?;
            layers.push(layer);
            Some(traces)
        }
        None => None,
    };
    #[cfg(not(feature = "otlp"))]
    if settings.log.traces.is_some() {
        return Err(Stop::usage("log.traces is set, but this program was built without the feature otlp"));
    }
    layers.shrink_to_fit();
    tracing_subscriber::registry().with(layers).try_init().map_err(Stop::failed)?;
    Ok(Log {
        _lines: lines,
        #[cfg(feature = "otlp")]
        _traces: traces,
    })
}

/// Says in the log which migration runs.
pub(crate) fn migration(name: &str) {
    tracing::info!(migration = name, "bringing the database up to date");
}

/// Says in a log of JSON why the server could not start or go on, so that whoever reads it finds no other kind of line.
pub(crate) fn ended(settings: &Settings, outcome: Result<(), Stop>) -> Result<(), Stop> {
    outcome.map_err(|stop| {
        if settings.log.format == LogFormat::Json {
            tracing::error!(error = %stop, "the server ends");
            Stop::Logged { usage: matches!(stop, Stop::Usage(_)) }
        } else {
            stop
        }
    })
}

/// The web framework's own target. For each request that it cannot parse it writes a line with the client's bytes.
const FRAMEWORK: &str = "actix_http";

/// Requests that could not be parsed since they were last reported.
static UNPARSABLE: AtomicU64 = AtomicU64::new(0);

/// How often they are reported.
const REPORT: Duration = Duration::from_secs(10);

/// Counts the framework's errors, which are requests that it could not parse.
struct Unparsable;

impl<S: tracing::Subscriber> Layer<S> for Unparsable {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::ERROR {
            UNPARSABLE.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Reports the requests that could not be parsed: one line with their number, and nothing that a client has sent.
pub(crate) async fn report_unparsable() {
    loop {
        actix_web::rt::time::sleep(REPORT).await;
        let requests = UNPARSABLE.swap(0, Ordering::Relaxed);
        if requests > 0 {
            tracing::warn!(requests, "requests could not be parsed as HTTP and were refused with 400");
        }
    }
}

/// The levels by their names; `off` logs nothing.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What a layer hears: the settings' directives, nothing of the framework's own unless they name it, and of the spans of requests,
/// which are made for traces alone, this much.
fn filter(level: &str, spans: &str) -> Result<EnvFilter, Stop> {
    // tracing takes a word that is no level for the name of a target, and then logs nothing else
    for word in level.split(',').filter(|word| !word.contains(['=', '['])) {
        if !LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word)) {
            let near = near::is_it(&word.to_ascii_lowercase(), LEVELS.iter().copied());
            return Err(Stop::usage(format!("log.level: \"{word}\" is no level such as info or warn{near}")));
        }
    }
    EnvFilter::try_new(format!("{FRAMEWORK}=off,{level},tillgate::trace={spans}"))
        .map_err(|why| Stop::usage(format!("log.level \"{level}\": {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_checked() {
        assert!(filter("info", "off").is_ok());
        assert!(filter("warn,tillgate_http=debug", "info").is_ok());
        assert!(filter("tillgate=loud", "off").is_err());
        assert!(filter("WARN,tillgate_http=debug", "off").is_ok());
        let said = |level: &str| filter(level, "off").unwrap_err().to_string();
        assert_eq!(said("debg"), "log.level: \"debg\" is no level such as info or warn; is it \"debug\"?");
        assert_eq!(said("info,loud"), "log.level: \"loud\" is no level such as info or warn");
        assert!(said("").contains("is no level"));
    }
}
