//! A word from whoever changes configuration to the watchers and the dispatcher of the same process.

use tokio::sync::watch;

/// Tells everybody in this process that configuration has changed: they look at once, instead of within
/// seconds. Clones are the same bell. Where the watchers run elsewhere nobody listens, and nothing is lost.
#[derive(Clone, Debug, Default)]
pub struct Nudge(watch::Sender<()>);

impl Nudge {
    /// Rings.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Hears every ring from now on.
    #[must_use]
    pub fn listen(&self) -> Nudged {
        Nudged(self.0.subscribe())
    }
}

/// Hears a [`Nudge`].
#[derive(Debug)]
pub struct Nudged(watch::Receiver<()>);

impl Nudged {
    /// Waits until it was rung since the last time this returned; several rings count as one. Cancel-safe.
    pub async fn rung(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could ring.
            std::future::pending::<()>().await;
        }
    }
}
