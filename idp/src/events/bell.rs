//! How a change wakes the worker.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes the worker of this process, so that an event does not wait for the next look at the table. Clones are the same
/// bell.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Something was committed that may have to be delivered.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until it rings. A ring while nobody waited is not lost.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}
