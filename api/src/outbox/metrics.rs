//! What becomes of messages, for operators.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Delivery;

/// The kind of the messages, and how a delivery ended.
type Labels = Vec<(&'static str, String)>;

#[derive(Debug, Clone, Default)]
pub(super) struct Metrics {
    deliveries: Family<Labels, Counter>,
    waiting: Gauge,
    refused: Gauge,
}

impl Metrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "outbox_deliveries",
            "Attempts to deliver messages to other services",
            metrics.deliveries.clone(),
        );
        registry.register("outbox_waiting", "Messages that wait to be delivered", metrics.waiting.clone());
        registry.register(
            "outbox_refused",
            "Messages that were refused for good and are kept",
            metrics.refused.clone(),
        );
        metrics
    }

    pub(super) fn ended(&self, kind: &str, delivery: &Delivery) {
        let outcome = match delivery {
            Delivery::Done => "delivered",
            Delivery::Later(_) => "postponed",
            Delivery::Refused(_) => "refused",
        };
        let labels = vec![("kind", kind.to_owned()), ("outcome", outcome.to_owned())];
        self.deliveries.get_or_create(&labels).inc();
    }

    pub(super) fn counted(&self, (waiting, refused): (i64, i64)) {
        self.waiting.set(waiting);
        self.refused.set(refused);
    }
}
