//! A sender that stays: slow receivers, nudges, the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hlsops_notify::{PER_CHANNEL, run_sender};
use hlsops_watch::SystemClock;
use tokio::sync::{Notify, oneshot};

use crate::support::{NOW, Receiver, Table, channel, event, webhooks};

async fn until(what: &str, done: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    began.elapsed()
}

/// How long the slow receiver takes.
const SLOW: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_holds_up_nobody_else_and_the_end_waits_for_what_is_under_way() {
    let table = Table::new().await;
    let slow = Receiver::start_slow(&[], SLOW).await;
    let fast = Receiver::start(&[]).await;
    for (id, receiver) in [("chn_slow", &slow), ("chn_fast", &fast)] {
        let _ = table.store.save_channel(&channel(id, &receiver.url())).await.unwrap();
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let nudge = Arc::new(Notify::new());
    let sender = run_sender(
        table.store.clone(),
        webhooks(&[&slow, &fast]),
        SystemClock::anchored(NOW),
        Arc::clone(&nudge),
        async {
            let _ = stopped.await;
        },
    );
    let sender = tokio::spawn(sender);
    for n in 0..8 {
        event(&table.store, &format!("inc:{n}"), 1, "incident.opened", NOW).await;
    }
    nudge.notify_one();
    until("the fast one has them all", || fast.got().len() == 8).await;
    assert!(slow.got().len() <= PER_CHANNEL, "{}", slow.got().len());
    event(&table.store, "inc:late", 1, "incident.opened", NOW).await;
    nudge.notify_one();
    let took = until("a late one", || fast.got().len() == 9).await;
    assert!(took < SLOW, "{took:?}: without waiting for the slow one");
    until("the slow one has begun", || slow.got().len() >= PER_CHANNEL).await;
    stop.send(()).unwrap();
    let swept = sender.await.unwrap();
    assert!(swept.delivered >= 9 + PER_CHANNEL as u64, "{swept:?}");
    let due = table.store.due_letters(NOW + Duration::from_secs(3_600), 100).await.unwrap().value;
    assert_eq!(due.items.len() as u64, 18 - swept.delivered, "the rest is there for the next sender");
}
