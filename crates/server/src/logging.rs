//! The log: structured lines on standard error, written by a thread of their own so that no request waits for them, and with the
//! feature `otlp` traces to a collector.

use std::io::IsTerminal;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::command::Stop;
use crate::configuration::{LogFormat, Settings};

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
    let (writer, lines) = tracing_appender::non_blocking(std::io::stderr());
    let printed = tracing_subscriber::fmt::layer().with_writer(writer);
    let printed: Boxed = match settings.log.format {
        LogFormat::Text => printed.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => printed.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let mut layers = vec![printed];
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

/// What a layer hears: the settings' directives, and of the spans of requests, which are made for traces alone, this much.
fn filter(level: &str, spans: &str) -> Result<EnvFilter, Stop> {
    EnvFilter::try_new(format!("{level},tillgate::trace={spans}"))
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
    }
}
