//! Sends traces to an OpenTelemetry collector over plain HTTP.

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;

use super::BoxedLayer;
use crate::command::CommandError;

/// Keeps sending traces. Dropping it sends the remaining spans.
pub(super) struct TracesGuard(SdkTracerProvider);

impl Drop for TracesGuard {
    fn drop(&mut self) {
        // the collector may be unreachable, and the log is about to close
        let _ = self.0.shutdown();
    }
}

/// Starts to send spans to a collector, such as `http://127.0.0.1:4318`.
pub(super) fn init_traces(collector: &str, level: &str) -> Result<(TracesGuard, BoxedLayer), CommandError> {
    if !collector.starts_with("http://") {
        return Err(CommandError::usage(
            "log.traces must be the address of a collector over plain HTTP, such as http://127.0.0.1:4318",
        ));
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
        .build()
        .map_err(|why| CommandError::usage(format!("log.traces: {why}")))?;
    let resource = Resource::builder().with_service_name("tillgate").build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let filter = super::build_filter(level, "info")?;
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tillgate")).with_filter(filter).boxed();
    Ok((TracesGuard(provider), layer))
}
