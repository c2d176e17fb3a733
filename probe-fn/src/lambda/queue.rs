//! The work queue.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::dispatch::WorkMessage;

/// Where work is sent, and comes from.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// Why work was not sent.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The queue did not take messages, also when asked again.
    #[error("the work queue did not take {left} messages: {reason}")]
    NotSent {
        /// How many.
        left: usize,
        /// Its last words.
        reason: String,
    },
    /// The queue keeps a message hidden.
    #[error("the work queue keeps a message hidden until its time is over: {0}")]
    NotAgain(String),
}

impl Queue {
    /// Messages of one request.
    const BATCH: usize = 10;
    const TRIES: u32 = 4;
    const PAUSE: Duration = Duration::from_millis(100);
    /// Seconds after which a message that could not be carried out comes again.
    const AGAIN_S: i32 = 5;

    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Lets a message that could not be carried out come again in a moment, and in the end to the dead
    /// letters. Otherwise it would stay hidden for as long as the longest run takes.
    ///
    /// # Errors
    /// The queue's words. The message comes again then as well, but late.
    pub async fn again(&self, receipt: &str) -> Result<(), QueueError> {
        let change = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let changed = change.visibility_timeout(Self::AGAIN_S).send().await;
        let refused = |error| QueueError::NotAgain(DisplayErrorContext(&error).to_string());
        changed.map(drop).map_err(refused)
    }

    /// Sends all messages, in batches of ten. What the queue did not take is sent again, a few times with
    /// growing pauses. A message may arrive twice; a watcher makes nothing of that.
    ///
    /// # Errors
    /// If messages are left; the next tick finds their shards again.
    pub async fn send(&self, messages: &[WorkMessage]) -> Result<(), QueueError> {
        let (mut left, mut reason) = (messages.to_vec(), String::new());
        for attempt in 0..Self::TRIES {
            if attempt > 0 {
                tokio::time::sleep(Self::PAUSE * 2_u32.pow(attempt)).await;
            }
            let mut again = Vec::new();
            for batch in left.chunks(Self::BATCH) {
                let taken = self.send_batch(batch).await.unwrap_or_else(|why| {
                    reason = why;
                    BTreeSet::new()
                });
                again.extend(batch.iter().filter(|message| !taken.contains(&message.shard.to_string())));
            }
            left = again;
            if left.is_empty() {
                return Ok(());
            }
        }
        Err(QueueError::NotSent { left: left.len(), reason })
    }

    /// The shards whose messages were taken.
    async fn send_batch(&self, batch: &[WorkMessage]) -> Result<BTreeSet<String>, String> {
        let entries = batch.iter().map(|message| {
            let body = serde_json::to_string(message).map_err(|error| error.to_string())?;
            let entry =
                SendMessageBatchRequestEntry::builder().id(message.shard.to_string()).message_body(body);
            entry.build().map_err(|error| error.to_string())
        });
        let entries: Vec<_> = entries.collect::<Result<_, String>>()?;
        let send = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let sent = send.send().await;
        let sent = sent.map_err(|error| DisplayErrorContext(&error).to_string())?;
        Ok(sent.successful().iter().map(|entry| entry.id().to_owned()).collect())
    }
}
