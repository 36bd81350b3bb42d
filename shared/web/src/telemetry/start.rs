//! Switching the log on.

use std::io::{self, IsTerminal as _, Write};
use std::panic::PanicHookInfo;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use super::json::{JsonLine, JsonPairs};
use super::{Reports, reports};
use crate::config::{LogFormat, TelemetryConfig};

/// Lines that may wait for a slow disk or terminal. When more do, lines are dropped and counted: a request is never
/// kept waiting for the log.
const WAITING_LINES: usize = 32_768;
/// What is switched off unless the operator asks for it by name: a library's word for a client that went away, and for
/// each worker it starts.
const QUIET: &str = "actix_http::h1::dispatcher=off,actix_server=warn";

/// Why the log could not be switched on.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("the log filter is not valid")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The log of this process is on already.
    #[error("the log is on already")]
    AlreadyOn(#[from] TryInitError),
}

/// The log of the process. Keep it until the end: what is still to be written is written when it is dropped.
#[derive(Debug)]
pub struct Telemetry {
    _writer: WorkerGuard,
    dropped: ErrorCounter,
}

impl Telemetry {
    /// Lines that were not written because the log could not keep up.
    pub fn dropped_lines(&self) -> usize {
        self.dropped.dropped_lines()
    }

    /// Adds `log_lines_dropped_total` to the metrics of the service.
    pub fn register(&self, registry: &mut prometheus_client::registry::Registry) {
        registry.register_collector(Box::new(DroppedLines(self.dropped.clone())));
    }
}

#[derive(Debug)]
struct DroppedLines(ErrorCounter);

impl Collector for DroppedLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counter = ConstCounter::new(self.0.dropped_lines() as u64);
        let metric = encoder.encode_descriptor(
            "log_lines_dropped",
            "Log lines that were not written because the log could not keep up",
            None,
            counter.metric_type(),
        )?;
        counter.encode(metric)
    }
}

/// Switches the log on, to standard error, and sends errors to `reports`. Once in a process, by `main`.
///
/// # Errors
/// When the filter is not valid or the log is on already.
pub fn init(config: &TelemetryConfig, reports: Option<&Reports>) -> Result<Telemetry, TelemetryError> {
    let colours = io::stderr().is_terminal();
    init_to(config, reports, io::stderr(), colours)
}

/// The same, to any writer: for tests.
///
/// # Errors
/// As [`init`].
pub fn init_to(
    config: &TelemetryConfig,
    reports: Option<&Reports>,
    writer: impl Write + Send + 'static,
    colours: bool,
) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.filter))?;
    let buffered = io::BufWriter::with_capacity(64 * 1024, writer);
    let (writer, guard) =
        NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).thread_name("log").finish(buffered);
    let dropped = writer.error_counter();
    tracing_subscriber::registry()
        .with(filter)
        .with(lines(config.format, writer, colours))
        .with(reports.map(|_| reports::layer()))
        .try_init()?;
    if let Some(reports) = reports {
        reports.make_global();
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(Telemetry { _writer: guard, dropped })
}

type Filtered = tracing_subscriber::layer::Layered<EnvFilter, Registry>;

fn lines(format: LogFormat, writer: NonBlocking, colours: bool) -> Box<dyn Layer<Filtered> + Send + Sync> {
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Json => layer.fmt_fields(JsonPairs).event_format(JsonLine).boxed(),
        LogFormat::Pretty => layer.with_ansi(colours).boxed(),
    }
}

/// A panic is logged inside the span of its request, as every other error.
fn log_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked: {message}");
}
