//! Taking the incident of the tile with the focus, without leaving the wall.

use hlsops_wire::{IncidentStatus, StreamDetail, WallTile};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::grid::Grid;
use super::store::WallStore;
use crate::acknowledge::Acknowledging;
use crate::client::{BASE, Client, client};
use crate::live::Poller;
use crate::rights::person_of;
use crate::ui::Notices;

/// What the key does.
#[derive(Clone, Copy)]
pub(super) struct Taking {
    store: WallStore,
    grid: Grid,
    acknowledging: Acknowledging,
    client: Client,
    notices: Notices,
}

impl Taking {
    pub(super) fn new(store: WallStore, grid: Grid, poller: Poller) -> Self {
        let acknowledging = Acknowledging::new(Callback::new(move |()| poller.refresh()));
        Self { store, grid, acknowledging, client: client(), notices: Notices::current() }
    }

    /// Takes the open incident of the tile with the focus, or says why there is nothing to take.
    pub(super) fn take(self) -> bool {
        let cell = self.grid.focused().and_then(|id| self.store.cell(&id));
        let Some(cell) = cell else {
            self.notices.say("No stream is chosen: the arrows move in the wall");
            return true;
        };
        let entry = cell.entry.get_untracked();
        match nothing_to_take(&entry.tile) {
            Some(why) => self.notices.say(why),
            None => self.take_of(entry.id.to_string()),
        }
        true
    }

    /// A tile tells that there is an incident; which one, the stream does.
    fn take_of(self, stream: String) {
        spawn_local(async move {
            let answer = self.client.get(&format!("{BASE}/streams/{stream}"), None).await;
            match answer.and_then(|answer| answer.json::<StreamDetail>()) {
                Ok(detail) => {
                    let incident = detail.active_incident.filter(|i| i.status == IncidentStatus::Open);
                    if incident.is_none() {
                        self.notices.say(format!("{} has no open incident any more", detail.stream.name));
                    }
                    self.acknowledging.take(incident.as_ref());
                }
                Err(failure) => self.notices.fail("Acknowledging", &failure),
            }
        });
    }
}

/// Why the incident of a tile cannot be taken.
fn nothing_to_take(tile: &WallTile) -> Option<String> {
    match (tile.incident, &tile.acknowledged_by) {
        (Some(IncidentStatus::Open), _) => None,
        (Some(IncidentStatus::Acknowledged), Some(by)) => {
            Some(format!("{} looks after the incident of {} already", person_of(by), tile.name))
        }
        _ => Some(format!("{} has no open incident", tile.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::board::tests::tile;
    use super::*;
    use hlsops_wire::State;

    #[test]
    fn where_nothing_can_be_taken_it_is_said_why() {
        let of = |incident, by: Option<&str>| {
            let acknowledged_by = by.map(str::to_owned);
            nothing_to_take(&WallTile { incident, acknowledged_by, ..tile("a", State::Unhealthy) })
        };
        assert_eq!(of(Some(IncidentStatus::Open), None), None);
        assert_eq!(of(None, None).as_deref(), Some("Stream a has no open incident"));
        let taken = of(Some(IncidentStatus::Acknowledged), Some("Maria (key “night”)"));
        assert_eq!(taken.as_deref(), Some("Maria looks after the incident of Stream a already"));
    }
}
