//! What an import answers.

use actix_web::web::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value, json};
use tenantry_types::{InputError, UserId};

/// What became of a line.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) line: usize,
    pub(super) status: &'static str,
    pub(super) id: Option<UserId>,
    pub(super) errors: Vec<InputError>,
}

impl Outcome {
    pub(super) fn failed(line: usize, errors: Vec<InputError>) -> Self {
        Self { line, status: "failed", id: None, errors }
    }

    fn text(&self) -> String {
        let mut value = json!({ "line": self.line, "status": self.status });
        if let Some(id) = self.id {
            value["id"] = json!(id);
        }
        if !self.errors.is_empty() {
            value["errors"] = json!(self.errors);
        }
        format!("{value}\n")
    }
}

/// The statuses that are summed up.
const STATUSES: [&str; 5] = ["created", "updated", "skipped", "valid", "failed"];

/// The lines of the answer, and a last one that sums them up; `end` is done before it.
pub(super) fn with_summary(
    outcomes: impl stream::Stream<Item = Outcome> + 'static,
    end: impl AsyncFn() + 'static,
) -> impl stream::Stream<Item = Result<Bytes, std::convert::Infallible>> + 'static {
    let counts: Option<[usize; STATUSES.len()]> = Some([0; STATUSES.len()]);
    stream::unfold((Box::pin(outcomes), counts, end), |(mut outcomes, counts, end)| async move {
        let mut counts = counts?;
        let Some(outcome) = outcomes.next().await else {
            end().await;
            let mut summary: Map<String, Value> =
                STATUSES.iter().zip(counts).map(|(status, count)| ((*status).to_owned(), json!(count))).collect();
            summary.insert("lines".to_owned(), json!(counts.iter().sum::<usize>()));
            let text = format!("{}\n", json!({ "summary": summary }));
            return Some((Ok(Bytes::from(text)), (outcomes, None, end)));
        };
        for (status, count) in STATUSES.iter().zip(&mut counts) {
            *count += usize::from(*status == outcome.status);
        }
        Some((Ok(Bytes::from(outcome.text())), (outcomes, Some(counts), end)))
    })
}
