//! The work queue.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::dispatch::WorkMessage;

/// Where work is sent.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: Option<String>,
}

/// Why work was not sent.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// There is no queue.
    #[error("HLSOPS_QUEUE_URL is not set: there is nowhere to send work to")]
    NoQueue,
    /// The queue did not take messages, also when asked again.
    #[error("the work queue did not take {left} messages: {reason}")]
    NotSent {
        /// How many.
        left: usize,
        /// Its last words.
        reason: String,
    },
}

impl Queue {
    /// Messages of one request.
    const BATCH: usize = 10;
    const TRIES: u32 = 4;
    const PAUSE: Duration = Duration::from_millis(100);

    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: Option<String>) -> Self {
        Self { client, url }
    }

    /// Sends all messages, in batches of ten. What the queue did not take is sent again, a few times with
    /// growing pauses. A message may arrive twice; a watcher makes nothing of that.
    ///
    /// # Errors
    /// If messages are left; the next tick finds their shards again.
    pub async fn send(&self, messages: &[WorkMessage]) -> Result<(), QueueError> {
        let Some(url) = self.url.as_deref() else {
            return if messages.is_empty() { Ok(()) } else { Err(QueueError::NoQueue) };
        };
        let (mut left, mut reason) = (messages.to_vec(), String::new());
        for attempt in 0..Self::TRIES {
            if attempt > 0 {
                tokio::time::sleep(Self::PAUSE * 2_u32.pow(attempt)).await;
            }
            let mut again = Vec::new();
            for batch in left.chunks(Self::BATCH) {
                let taken = self.send_batch(url, batch).await.unwrap_or_else(|why| {
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
    async fn send_batch(&self, url: &str, batch: &[WorkMessage]) -> Result<BTreeSet<String>, String> {
        let entries = batch.iter().map(|message| {
            let body = serde_json::to_string(message).map_err(|error| error.to_string())?;
            let entry =
                SendMessageBatchRequestEntry::builder().id(message.shard.to_string()).message_body(body);
            entry.build().map_err(|error| error.to_string())
        });
        let entries: Vec<_> = entries.collect::<Result<_, String>>()?;
        let sent = self.client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
        let sent = sent.map_err(|error| DisplayErrorContext(&error).to_string())?;
        Ok(sent.successful().iter().map(|entry| entry.id().to_owned()).collect())
    }
}
