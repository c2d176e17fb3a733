//! What goes wrong: messages that nobody can carry out, ticks that come twice, a watcher that is killed, a
//! deployment in the middle of an incident.

use std::time::Duration;

use hlsops_cloud::{Deployment, deploy};
use hlsops_probe::WorkMessage;
use hlsops_store::{Lease, Minute, ShardId};
use serde_json::json;

use crate::error::{Error, expect};
use crate::processes;
use crate::scenario::{Play, STACK, path_of, text, until};

/// Three turns of some seconds.
const DEAD_WITHIN: Duration = Duration::from_secs(60);
/// A dead watcher is missed after 45 s, and the tick comes once a minute.
const REPLACED_WITHIN: Duration = Duration::from_secs(180);
/// What a killed watcher had asked for is answered after this.
const LAST_REQUESTS: Duration = Duration::from_secs(1);
/// Longer than a watcher takes to see that it is superseded.
const SETTLED: Duration = Duration::from_secs(10);

const SHARD: ShardId = ShardId(0);
const POISON: [&str; 2] = ["no work at all", r#"{"shard":-1,"epoch":1,"scheduled_minute":1}"#];

impl Play {
    /// Messages that cannot be carried out end in the dead letters, and disturb nobody.
    pub(crate) async fn poison(&self) -> Result<(), Error> {
        for body in POISON {
            self.services.send(self.output("WorkQueueUrl"), body).await?;
        }
        let mut dead = Vec::new();
        until("the dead letters lack a message", DEAD_WITHIN, async || {
            dead.extend(self.services.take(self.output("WorkDeadLettersUrl")).await?);
            Ok((dead.len() >= POISON.len(), json!(dead)))
        })
        .await?;
        dead.sort();
        expect(dead == POISON, || format!("the dead letters are {dead:?}"))?;
        self.saw("two messages that nobody can read are in the dead letters");
        Ok(())
    }

    /// Two ticks at once, a message twice, and one that is old: one watcher, and the same as before.
    pub(crate) async fn ticks(&self) -> Result<(), Error> {
        let before = self.lease().await?;
        let holder = before.holder.clone().ok_or_else(|| Error::Wrong("nobody holds the lease".into()))?;
        let minute = Minute::of(before.beat.at).0;
        let work = |epoch, scheduled_minute| WorkMessage { shard: SHARD.0, epoch, scheduled_minute };
        let old = work(holder.epoch.saturating_sub(60), minute.saturating_sub(1));
        for message in [work(holder.epoch, minute), old, work(holder.epoch, minute.saturating_sub(10))] {
            let body = json!({
                "shard": message.shard, "epoch": message.epoch, "scheduled_minute": message.scheduled_minute,
            });
            self.services.send(self.output("WorkQueueUrl"), &body.to_string()).await?;
        }
        let dispatch = self.services.resource(STACK, "DispatchFunction").await?;
        let (one, two) = tokio::join!(self.services.invoke(&dispatch), self.services.invoke(&dispatch));
        let (one, two) = (one?, two?);
        tokio::time::sleep(SETTLED).await;
        let now = self.lease().await?;
        let same = now.holder.as_ref() == Some(&holder);
        let relieved = now.holder.as_ref().is_some_and(|newer| newer.epoch > holder.epoch)
            && before.beat.ends.is_some_and(|ends| ends.since(now.beat.at) < Duration::from_secs(151));
        expect(same || relieved, || format!("the lease went from {before:?} to {now:?}"))?;
        self.watched(&format!(
            "two ticks at once ({one}, {two}), a message twice and two old ones: {}",
            if same { "the same watcher goes on" } else { "one watcher, the next" }
        ))
        .await
    }

    /// A deployment that changes nothing, while an incident is open.
    pub(crate) async fn deploys_again(&self, wanted: &Deployment, incident: &str) -> Result<(), Error> {
        let again = deploy(wanted).await?;
        let changes = again.changes;
        expect(changes == 0 && again.first_key.is_none(), || format!("it made {changes} changes"))?;
        self.only_incident(incident, "acknowledged").await?;
        self.saw("a second deployment, in the middle of the incident, changes nothing");
        Ok(())
    }

    /// Watchers end without a word, in the middle of a minute and of an incident, and before there are others
    /// the function is deployed with another memory size.
    pub(crate) async fn watcher_is_killed(
        &self,
        mut wanted: Deployment,
        incident: &str,
    ) -> Result<(), Error> {
        let running = processes::of_role(&self.services.endpoint, "watch")?;
        expect(!running.is_empty(), || "no watcher is running".into())?;
        for pid in &running {
            processes::kill(*pid)?;
        }
        self.saw(&format!("every process of watchers is killed: {}", running.len()));
        wanted.parameters.insert("WatchMemoryMb".into(), "320".into());
        let other = deploy(&wanted).await?;
        expect(other.changes > 0, || "another memory size changed nothing".into())?;
        expect(other.outputs == self.outputs, || format!("the outputs became {:?}", other.outputs))?;
        self.saw(&format!("a third deployment, in the middle of the incident, changes {}", other.changes));
        tokio::time::sleep(LAST_REQUESTS).await;
        let quiet_ms = self.origin.now_ms();
        until("nobody watches", REPLACED_WITHIN, async || {
            let asked = |name: &&String| !self.origin.ledger_since(name, quiet_ms).is_empty();
            let asked: Vec<_> = self.ids.keys().filter(asked).collect();
            Ok((asked.len() == self.ids.len(), json!(asked)))
        })
        .await?;
        self.watched("a tick missed the watcher and sent for another: all streams are fetched again").await?;
        self.only_incident(incident, "acknowledged").await?;
        let incident = self.api.get(&path_of(incident)).await?;
        let by = text(&incident, "acknowledged_by");
        expect(by == "e2e", || format!("acknowledged by `{by}`"))?;
        self.saw("the incident is the same, still open and acknowledged");
        Ok(())
    }

    async fn lease(&self) -> Result<Lease, Error> {
        let store = self.services.store(self.output("Table"));
        Ok(store.lease(SHARD, true).await?.value.unwrap_or_default())
    }
}
