//! A sender that goes on until it is told to end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hlsops_store::Store;
use hlsops_watch::Clock;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::publisher::Publisher;
use crate::sender::{Flights, Sender, Swept};

/// How often a sender looks at the outbox by itself.
const EVERY: Duration = Duration::from_secs(1);
/// How long letters under way may take once it is told to end. What is cut off goes out again later, with the
/// same event id.
const GRACE: Duration = Duration::from_secs(10);

/// Sends what is due every second, and at once when nudged, until `until` ends: [`Sender::run`] with a sender
/// of its own.
pub async fn run_sender<P: Publisher, C: Clock>(
    store: Store,
    publisher: P,
    clock: C,
    nudge: Arc<Notify>,
    until: impl Future<Output = ()> + Send,
) -> Swept {
    Sender::new(store, publisher).run(clock, &nudge, EVERY, until).await
}

impl<P: Publisher> Sender<P> {
    /// Sends what is due, now and every so often, and at once when nudged, until `until` ends; letters under
    /// way then have 10 s. A slow receiver holds up nobody else: sweeps go on while letters are under way.
    /// Also says what it did.
    pub async fn run<C: Clock>(
        &self,
        clock: C,
        nudge: &Notify,
        every: Duration,
        until: impl Future<Output = ()> + Send,
    ) -> Swept {
        let mut flights = Flights::default();
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                () = flights.land() => continue,
                () = nudge.notified() => {}
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.start(&mut flights, clock.now()).await {
                tracing::warn!(error = %error, "the outbox waits for the table");
            }
        }
        if timeout(GRACE, flights.land_all()).await.is_err() {
            tracing::warn!("some events were under way at the end; they go out again with the same id");
        }
        flights.swept
    }
}
