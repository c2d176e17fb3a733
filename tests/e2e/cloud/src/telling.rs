//! Who is told: a queue and an endpoint subscribed to the topic, and a channel of the product.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Error, expect};
use crate::scenario::{Play, items, text, until};

/// A watcher sends what it opens at once and looks for the rest every few seconds; what the channel refuses
/// twice is due after 22 s at most.
const TOLD_WITHIN: Duration = Duration::from_secs(60);
const CONFIRMED_WITHIN: Duration = Duration::from_secs(10);

/// What subscribers have to hear of an incident, in order.
const EVENTS: [&str; 3] = ["incident.opened", "incident.acknowledged", "incident.resolved"];

impl Play {
    /// Subscribes a queue and an endpoint, and adds a channel.
    pub(crate) async fn subscriptions(&mut self) -> Result<(), Error> {
        let topic = self.output("EventsTopicArn").to_owned();
        self.subscribed = self.services.subscribe_queue("e2e-events", &topic).await?;
        self.services.subscribe_http(&self.receiver.url("sns"), &topic).await?;
        until("SNS asked for no confirmation", CONFIRMED_WITHIN, async || {
            let asked =
                self.receiver.posted("sns").into_iter().find(|p| p.says == "SubscriptionConfirmation");
            let token = asked.map(|posted| text(&posted.body, "Token")).unwrap_or_default();
            if !token.is_empty() {
                self.services.confirm(&topic, &token).await?;
            }
            Ok((!token.is_empty(), Value::Null))
        })
        .await?;
        let channel = json!({ "name": "e2e", "url": self.receiver.url("channel") });
        self.channel = text(&self.api.post("/channels", &channel).await?, "id");
        expect(!self.channel.is_empty(), || "the channel has no id".into())?;
        self.saw("a queue and an endpoint are subscribed to the topic, and a channel posts to the endpoint");
        Ok(())
    }

    /// Waits until everybody has been told of an event of an incident.
    pub(crate) async fn hears(&self, incident: &str, nth: usize, kind: &str) -> Result<(), Error> {
        let id = format!("{incident}.{nth}");
        until("not everybody was told", TOLD_WITHIN, async || {
            let queue = self.heard_by_queue().await?;
            let ways = [
                queue.iter().any(|(told, event)| *event == id && told == kind),
                self.heard_by_endpoint().iter().any(|(told, event)| *event == id && told == kind),
                self.receiver.posted("channel").iter().any(|post| post.taken && post.says == id),
            ];
            Ok((ways == [true; 3], json!({ "queue, endpoint, channel": ways })))
        })
        .await?;
        self.saw(&format!("{kind}: heard by the queue, by the endpoint, and by the channel"));
        Ok(())
    }

    /// Everybody has heard every event, in order; the channel at the third try of the first one.
    pub(crate) async fn told(&self, incident: &str) -> Result<(), Error> {
        let wanted: Vec<(String, String)> =
            (1..).zip(EVENTS).map(|(nth, kind)| (kind.to_owned(), format!("{incident}.{nth}"))).collect();
        let distinct = |heard: Vec<(String, String)>| {
            let mut known = BTreeSet::new();
            heard.into_iter().filter(|one| known.insert(one.clone())).collect::<Vec<_>>()
        };
        let queue = self.heard_by_queue().await?;
        let again = queue.len() - EVENTS.len().min(queue.len());
        for (who, heard) in [("queue", queue), ("endpoint", self.heard_by_endpoint())] {
            let heard = distinct(heard);
            expect(heard == wanted, || format!("the {who} heard {heard:?} instead of {wanted:?}"))?;
        }
        let deliveries = self.api.get("/deliveries").await?;
        let mine = items(&deliveries).filter(|delivery| text(delivery, "channel_id") == self.channel);
        let mut tries: Vec<(String, Option<u64>, bool)> = mine
            .map(|one| (text(one, "event_id"), one["attempt"].as_u64(), one["delivered"] == json!(true)))
            .collect();
        tries.sort();
        let wanted = [(1, 1, false), (1, 2, false), (1, 3, true), (2, 1, true), (3, 1, true)];
        let wanted = wanted.map(|(nth, attempt, taken)| (format!("{incident}.{nth}"), Some(attempt), taken));
        expect(tries == wanted, || format!("deliveries are {tries:?} instead of {wanted:?}"))?;
        self.saw(&format!(
            "everybody heard the three events in order ({again} came twice); the channel refused the first twice"
        ));
        Ok(())
    }

    /// Kinds and ids of the events that have come to the queue.
    async fn heard_by_queue(&self) -> Result<Vec<(String, String)>, Error> {
        let bodies = self.services.take(&self.subscribed).await?;
        let mut heard = self.queue.borrow_mut();
        heard.extend(bodies.iter().filter_map(|body| of_envelope(&serde_json::from_str(body).ok()?)));
        Ok(heard.clone())
    }

    fn heard_by_endpoint(&self) -> Vec<(String, String)> {
        let posted = self.receiver.posted("sns").into_iter().filter(|post| post.says == "Notification");
        posted.filter_map(|post| of_envelope(&post.body)).collect()
    }
}

/// Kind and id of the event in what SNS sends.
fn of_envelope(envelope: &Value) -> Option<(String, String)> {
    let attribute = |name: &str| envelope["MessageAttributes"][name]["Value"].as_str().map(str::to_owned);
    let event: Value = serde_json::from_str(envelope["Message"].as_str()?).ok()?;
    let kind = attribute("event")?;
    (event["type"] == json!(kind)).then_some((kind, attribute("event_id")?))
}
