//! Log lines as JSON.
//!
//! `tracing-subscriber` has a JSON format, which parses and re-serialises the fields of every span for every event.
//! Here the fields of a span are serialised once, when they are recorded, and copied into each line. A line is `timestamp`, `level`, `target`, `message`, the fields of
//! the root span at the top (where people look for `request_id`), the event's own in `fields`, inner spans in `spans`.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Formats the fields of a span as `"name":value` pairs with commas between.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonPairs;

impl<'writer> FormatFields<'writer> for JsonPairs {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut pairs = Pairs::new(&mut writer, true);
        fields.record(&mut pairs);
        pairs.result
    }

    fn add_fields(&self, current: &'writer mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        let first = current.fields.is_empty();
        let mut pairs = Pairs::new(&mut current.fields, first);
        fields.record(&mut pairs);
        pairs.result
    }
}

/// Formats an event as one line of JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonLine;

impl<S> FormatEvent<S, JsonPairs> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonPairs>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, "\",\"level\":\"{}\",\"target\":", metadata.level())?;
        text(&mut writer, metadata.target())?;
        let mut message = Message { writer: &mut writer, result: Ok(()) };
        event.record(&mut message);
        message.result?;

        let mut spans = context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root);
        if let Some(root) = spans.next()
            && let Some(pairs) = root.extensions().get::<FormattedFields<JsonPairs>>().filter(|p| !p.is_empty())
        {
            write!(writer, ",{pairs}")?;
        }
        // Only what has fields of its own gets the member.
        let mut fields = String::new();
        let mut pairs = Pairs::new(&mut fields, true);
        event.record(&mut pairs);
        pairs.result?;
        if !fields.is_empty() {
            write!(writer, ",\"fields\":{{{fields}}}")?;
        }
        let mut opening = ",\"spans\":[";
        for span in spans {
            write!(writer, "{opening}{{\"name\":\"{}\"", span.name())?;
            if let Some(pairs) = span.extensions().get::<FormattedFields<JsonPairs>>().filter(|p| !p.is_empty()) {
                write!(writer, ",{pairs}")?;
            }
            writer.write_str("}")?;
            opening = ",";
        }
        writer.write_str(if opening == "," { "]}\n" } else { "}\n" })
    }
}

/// Writes the event's message, which every event has at most once.
struct Message<'a, W> {
    writer: &'a mut W,
    result: fmt::Result,
}

impl<W: Write> Visit for Message<'_, W> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.result = self.writer.write_str(",\"message\":").and_then(|()| debug(self.writer, value));
        }
    }
}

/// Writes fields as `"name":value`.
struct Pairs<'a, W> {
    writer: &'a mut W,
    first: bool,
    result: fmt::Result,
}

impl<'a, W: Write> Pairs<'a, W> {
    fn new(writer: &'a mut W, first: bool) -> Self {
        Self { writer, first, result: Ok(()) }
    }

    fn pair(&mut self, field: &Field, value: impl FnOnce(&mut W) -> fmt::Result) {
        let name = field.name();
        // The message has its own place; `log.` fields repeat what the line says already.
        if self.result.is_err() || name == "message" || name.starts_with("log.") {
            return;
        }
        let comma = if std::mem::take(&mut self.first) { "" } else { "," };
        let name = name.strip_prefix("r#").unwrap_or(name);
        self.result = write!(self.writer, "{comma}\"{name}\":").and_then(|()| value(self.writer));
    }
}

impl<W: Write> Visit for Pairs<'_, W> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinities.
        self.pair(field, |w| if value.is_finite() { write!(w, "{value}") } else { w.write_str("null") });
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.pair(field, |w| write!(w, "{value}"));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.pair(field, |w| write!(w, "{value}"));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.pair(field, |w| write!(w, "{value}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.pair(field, |w| text(w, value));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.pair(field, |w| debug(w, value));
    }
}

fn text(writer: &mut impl Write, value: &str) -> fmt::Result {
    writer.write_char('"')?;
    Escaping(writer).write_str(value)?;
    writer.write_char('"')
}

fn debug(writer: &mut impl Write, value: &dyn fmt::Debug) -> fmt::Result {
    writer.write_char('"')?;
    write!(Escaping(writer), "{value:?}")?;
    writer.write_char('"')
}

/// Escapes what goes through it for a JSON string (RFC 8259 §7).
struct Escaping<'a, W>(&'a mut W);

impl<W: Write> Write for Escaping<'_, W> {
    fn write_str(&mut self, value: &str) -> fmt::Result {
        let mut rest = value;
        while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\' || b == 0x7f) {
            self.0.write_str(&rest[..at])?;
            match rest.as_bytes()[at] {
                b'"' => self.0.write_str("\\\"")?,
                b'\\' => self.0.write_str("\\\\")?,
                b'\n' => self.0.write_str("\\n")?,
                b'\r' => self.0.write_str("\\r")?,
                b'\t' => self.0.write_str("\\t")?,
                other => write!(self.0, "\\u{other:04x}")?,
            }
            rest = &rest[at + 1..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = tracing_subscriber::fmt::layer()
            .fmt_fields(JsonPairs)
            .event_format(JsonLine)
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let bytes = buffer.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    #[test]
    fn a_line_holds_the_event_and_its_spans() {
        let lines = lines(|| {
            let root = tracing::info_span!("request", request_id = "r1", tenant = tracing::field::Empty);
            let _root = root.enter();
            tracing::info!("begun");
            root.record("tenant", "demo");
            let inner = tracing::info_span!("store", table = "users", r#type = 1);
            let _inner = inner.enter();
            tracing::warn!(rows = 3_u64, ratio = 0.5, nan = f64::NAN, ok = true, who = ?Some("x"), "slow {}", "query");
        });
        assert_eq!(lines[0]["request_id"], "r1");
        assert!(
            lines[0].get("tenant").is_none() && lines[0].get("fields").is_none() && lines[0].get("spans").is_none()
        );
        assert_eq!(lines[1]["message"], "slow query");
        assert_eq!(lines[1]["level"], "WARN");
        assert_eq!(lines[1]["tenant"], "demo");
        assert_eq!(lines[1]["spans"], json!([{"name": "store", "table": "users", "type": 1}]));
        let fields = json!({"rows": 3, "ratio": 0.5, "nan": null, "ok": true, "who": "Some(\"x\")"});
        assert_eq!(lines[1]["fields"], fields);
        assert!(lines[1]["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn nothing_that_is_logged_can_forge_a_line() {
        let evil = "a\"b\\c\r\n{\"level\":\"ERROR\"}\u{0}\u{1b}[31m\u{7f}\u{2028}é";
        let lines = lines(|| tracing::info!(evil, shown = %evil, "{evil}"));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], evil);
        assert_eq!(lines[0]["fields"], json!({"evil": evil, "shown": evil}));
    }
}
