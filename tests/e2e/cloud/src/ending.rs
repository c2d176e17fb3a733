//! The end: what the table says of it all, and what is left.

use std::time::Duration;

use hlsops_bench::killed::examine;
use hlsops_cloud::destroy;
use serde_json::json;

use crate::error::{Error, expect};
use crate::scenario::{Play, STACK, text, tiles, until};

const PAUSED_WITHIN: Duration = Duration::from_secs(30);
/// A watcher has learnt of a change within 5 s, and stores the last pages at once.
const LAST_PAGES: Duration = Duration::from_secs(10);

impl Play {
    /// Nobody watches any more, and what was seen is stored.
    pub(crate) async fn pause(&self) -> Result<(), Error> {
        for id in self.ids.values() {
            self.api.patch(&format!("/streams/{id}"), &json!({ "enabled": false })).await?;
        }
        until("the streams are not paused", PAUSED_WITHIN, async || {
            let wall = self.api.get("/wall").await?;
            let states: Vec<String> = tiles(&wall).map(|tile| text(tile, "state")).collect();
            Ok((states.iter().all(|state| state == "paused"), json!(states)))
        })
        .await?;
        tokio::time::sleep(LAST_PAGES).await;
        self.saw("the streams are paused");
        Ok(())
    }

    /// Destroys; the table stays, and holds everything once.
    pub(crate) async fn ends(self) -> Result<(), Error> {
        destroy(STACK, true).await?;
        let table = self.output("Table").to_owned();
        let mine = self.subscribed.clone();
        let left = self.services.inventory().await?;
        let wanted = [format!("table {table}"), format!("queue {mine}")];
        expect(left == wanted, || format!("left are {left:?} instead of {wanted:?}"))?;
        self.saw("destroyed: the table is left, and the test's own queue");
        let verdict = examine(&self.services.store(&table), &self.ids, &self.origin).await?;
        let faults: Vec<&str> = verdict.faults().collect();
        expect(faults.is_empty(), || format!("the table is wrong: {}", faults.join("; ")))?;
        expect(verdict.results > 0 && verdict.incidents == 1, || format!("the table has {verdict:?}"))?;
        self.saw(&format!(
            "the table has each of {} media sequences once ({} more as not watched), in {} minutes without a hole, \
             and {} incident",
            verdict.results, verdict.not_watched, verdict.minutes, verdict.incidents
        ));
        self.origin.stop().await;
        Ok(())
    }
}
