//! The probe as a Lambda: one program, deployed twice.
//!
//! As `dispatch` it is invoked by the Scheduler once a minute and sends work to the queue; as `watch` it is
//! invoked by the queue and watches a shard until it is relieved or its time is up. Both send what is in the
//! outbox: a watcher within seconds, a tick what is left. What it needs stands in the environment ([`Config`]);
//! each invocation ends with one line of JSON on the standard output, which is also its metrics ([`Line`]).

mod aws;
mod config;
mod line;
mod queue;

pub use aws::{Clients, clients};
pub use config::{Config, ConfigError, Role};
pub use line::Line;
pub use queue::{Queue, QueueError};

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use hlsops_domain::EpochMs;
use hlsops_fetch::Fetcher;
use hlsops_notify::{Sender, Topic, Webhooks};
use hlsops_store::{Spent, Store, StoreError};
use hlsops_watch::{Cadences, Clock, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::dispatch::{Scope, WorkMessage, dispatch};
use crate::shard::{Ended, Shared, watch_shard};

/// A watcher stops this long before Lambda would end it: requests under way end, the last pages are stored,
/// and events under way arrive.
const MARGIN: Duration = Duration::from_secs(20);
/// How often a watcher looks into the outbox by itself, for what the API has put there and for what a channel
/// did not take.
const SEND: Duration = Duration::from_secs(5);
/// A tick stops sending events this long before Lambda would end it.
const TICK_MARGIN: Duration = Duration::from_secs(5);

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The event is not what the queue sends.
    #[error("the event is none of a queue: {0}; connect the function to the work queue")]
    Event(#[source] serde_json::Error),
    /// A message is not what `dispatch` sends.
    #[error("the message is no work: {0}; after some tries it is with the dead letters")]
    Message(#[source] serde_json::Error),
}

/// What Lambda says of an invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Its request id.
    pub request_id: String,
    /// When it is ended by force.
    pub deadline: EpochMs,
}

/// The function, ready to be invoked.
#[derive(Debug)]
pub struct Function {
    config: Config,
    store: Store,
    queue: Queue,
    sender: Sender<Topic>,
    fetcher: Fetcher,
    stop: watch::Sender<bool>,
}

#[derive(Deserialize)]
struct QueueEvent {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "messageId")]
    id: String,
    #[serde(rename = "receiptHandle")]
    receipt: String,
    body: String,
}

impl Function {
    /// From what it works with. `fetcher` reaches streams and channels.
    #[must_use]
    pub fn new(config: Config, clients: Clients, fetcher: Fetcher) -> Self {
        let store = Store::new(clients.table, &config.table);
        let queue = Queue::new(clients.queue, &config.queue_url);
        let topic = Topic::new(clients.topic, &config.topic_arn, Webhooks::new(fetcher.clone()));
        let sender = Sender::new(store.clone(), topic);
        Self { config, store, queue, sender, fetcher, stop: watch::Sender::new(false) }
    }

    /// Lets watchers end now; also those of invocations to come.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Handles one event, and says what is to be logged of it.
    pub async fn invoke(&self, event: Value, invocation: &Invocation) -> (Result<Value, Failure>, Line) {
        let mut line = Line::new(self.config.role, &self.config.deployment, &invocation.request_id);
        let answer = match self.config.role {
            Role::Dispatch => self.tick(invocation, &mut line).await,
            Role::Watch => self.work(event, invocation, &mut line).await,
        };
        if let Err(error) = &answer {
            line.failed(error);
        }
        (answer, line)
    }

    /// One tick of the Scheduler; what it says does not matter.
    async fn tick(&self, invocation: &Invocation, line: &mut Line) -> Result<Value, Failure> {
        let now = SystemClock::new().now();
        let found = dispatch(&self.store, now, Scope::Missing).await?;
        self.queue.send(&found.messages).await?;
        line.spent(found.spent);
        line.count("Heartbeat", 1);
        line.count("WorkSent", found.messages.len() as u64);
        line.count("StreamsWatched", found.streams);
        line.say("shards", found.shards.into());
        line.say("shards_watched", found.watched.into());
        line.say("streams_moved", found.moved.into());
        self.send_events(invocation, line).await;
        Ok(json!({ "sent": found.messages.len() }))
    }

    /// Sends what is in the outbox, as far as there is time, and measures what stays. Watchers have been sent
    /// for by now: whatever fails here, the tick was a tick.
    async fn send_events(&self, invocation: &Invocation, line: &mut Line) {
        let now = SystemClock::new().now();
        let time = (invocation.deadline - TICK_MARGIN).since(now);
        match timeout(time, self.sender.sweep(now)).await {
            Ok(Ok(swept)) => line.count("EventsPublished", swept.delivered),
            Ok(Err(error)) => line.failed(&error),
            // What was under way is claimed for a minute, and comes up again.
            Err(_) => line.failed(&"there was no time for all events"),
        }
        match self.sender.waiting(SystemClock::new().now()).await {
            Ok(waiting) => line.measure("OutboxAgeSeconds", waiting.as_secs_f64()),
            Err(error) => line.failed(&error),
        }
    }

    /// Messages of the queue, one as a rule. Those that failed are named, and come again.
    async fn work(&self, event: Value, invocation: &Invocation, line: &mut Line) -> Result<Value, Failure> {
        let event: QueueEvent = serde_json::from_value(event).map_err(Failure::Event)?;
        let (notice, done) = (Arc::new(Notify::new()), Notify::new());
        let runs = event.records.iter().map(|record| self.record(record, invocation, Arc::clone(&notice)));
        let watching = async {
            let runs = join_all(runs).await;
            done.notify_one();
            runs
        };
        let sending = self.sender.run(SystemClock::new(), &notice, SEND, done.notified());
        let (runs, swept) = join(watching, sending).await;
        line.count("EventsPublished", swept.delivered);
        let mut spent = Spent::default();
        let (mut failed, mut superseded, mut streams) = (Vec::new(), 0, 0);
        for (record, run) in event.records.iter().zip(runs) {
            match run {
                Ok(Some(ended)) => {
                    spent += ended.spent;
                    superseded += u64::from(ended.superseded);
                    streams += ended.streams.len() as u64;
                }
                Ok(None) => line.count("StaleWork", 1),
                Err(error) => {
                    line.failed(&error);
                    failed.push(json!({ "itemIdentifier": record.id }));
                    if let Err(error) = self.queue.again(&record.receipt).await {
                        tracing::warn!("{error}");
                    }
                }
            }
        }
        line.spent(spent);
        line.count("RunsRelieved", superseded);
        line.say("streams", streams.into());
        Ok(json!({ "batchItemFailures": failed }))
    }

    /// Watches the shard of a message; none for a message whose time has passed.
    async fn record(
        &self,
        record: &Record,
        invocation: &Invocation,
        notice: Arc<Notify>,
    ) -> Result<Option<Ended>, Failure> {
        let message: WorkMessage = serde_json::from_str(&record.body).map_err(Failure::Message)?;
        let clock = SystemClock::new();
        if message.is_stale(clock.now()) {
            return Ok(None);
        }
        let ends = invocation.deadline - MARGIN;
        let shard = message.shard(run_name(&invocation.request_id, &record.id), Some(ends));
        let mut stop = self.stop.subscribe();
        let until = async move {
            tokio::select! {
                () = clock.sleep_until(ends) => {}
                // An error cannot be: the function holds the sender.
                _ = stop.wait_for(|stop| *stop) => {}
            }
        };
        let shared = Shared {
            store: self.store.clone(),
            network: self.fetcher.clone(),
            clock,
            nudge: crate::nudge::Nudge::default(),
            notice,
            cadences: Cadences::default(),
        };
        Ok(Some(watch_shard(shared, shard, until).await?))
    }
}

/// Unique to a try of a message, and short, since it stands in every item.
fn run_name(request_id: &str, message_id: &str) -> String {
    let hash = hlsops_domain::id::StableHash::new();
    format!("{:016x}", hash.with(request_id.as_bytes()).with(message_id.as_bytes()).finish())
}
