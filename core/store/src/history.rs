//! The past of a stream, newest first.

use crate::Store;
use crate::call::{Select, Terms};
use crate::error::StoreError;
use crate::ids::{Minute, StreamId};
use crate::keys;
use crate::minute_item::read_minute;
use crate::minutes::StoredMinute;
use crate::spent::Paid;

impl Store {
    /// The stored minutes from `to` back to `from`, both included, newest first, at most `most`, and whether
    /// there are older ones.
    ///
    /// Concurrent writers: eventually consistent, so the newest second may be missing.
    ///
    /// # Errors
    /// As [`Store::minutes`].
    pub async fn history(
        &self,
        stream: &StreamId,
        from: Minute,
        to: Minute,
        most: u32,
    ) -> Result<Paid<(Vec<StoredMinute>, bool)>, StoreError> {
        let (from, to) = keys::minutes(from, to);
        let terms = Terms::default().text(":s", keys::of_stream(stream)).text(":a", from).text(":b", to);
        let mut select = Select::new("pk = :s AND sk BETWEEN :a AND :b", terms);
        (select.newest_first, select.limit) = (true, Some(most.max(1)));
        let page = self.query("read minutes", &select).await?;
        page.try_map(|(items, more)| {
            Ok((items.iter().map(read_minute).collect::<Result<_, _>>()?, more.is_some()))
        })
    }
}
