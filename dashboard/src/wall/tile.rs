//! A stream on the wall.

use std::sync::Arc;

use hlsops_wire::{IncidentStatus, State, WallTile};
use leptos::prelude::*;

use super::board::Entry;
use super::query::slug;
use super::store::Cell;
use crate::live::Freshness;
use crate::rights::person_of;
use crate::time;
use crate::ui::{mark, playlist_chip};

/// What a tile knows of the grid around it.
pub(crate) struct Frame {
    /// Name of its link in the document.
    pub(crate) name: String,
    pub(crate) columns: Memo<usize>,
    /// Tiles in all, made or not.
    pub(crate) count: Memo<usize>,
    /// The Tab key finds it.
    pub(crate) is_stop: Memo<bool>,
}

/// The tile, in its place of the grid. Its neighbours may not have been made, so it says itself where it stands.
pub(crate) fn tile(cell: Cell, frame: Frame, fresh: Freshness) -> impl IntoView {
    let Cell { entry, place } = cell;
    let Frame { name, columns, count, is_stop } = frame;
    let (row, column, position) = (place.clone(), place.clone(), place);
    view! {
        <li style:grid-row=move || (row.get() / columns.get() + 1).to_string()
            style:grid-column=move || (column.get() % columns.get() + 1).to_string()
            aria-setsize=move || count.get().to_string()
            aria-posinset=move || (position.get() + 1).to_string()>
            {move || body(&entry.get(), name.clone(), is_stop, fresh)}
        </li>
    }
}

fn body(entry: &Arc<Entry>, name: String, is_stop: Memo<bool>, fresh: Freshness) -> impl IntoView + use<> {
    let tile = &entry.tile;
    let class = format!("tile {}{}", slug(tile.state), if entry.worsened { " fresh" } else { "" });
    let since = entry.since_ms;
    let why = why(tile);
    view! {
        <a class=class id=name href=format!("/streams/{}", tile.id)
            tabindex=move || if is_stop.get() { "0" } else { "-1" }>
            <span class="top">
                {mark(tile.state)}
                <b>{tile.state.name()}</b>
                <span class="age">{move || since.map(|since| time::length(fresh.shown_now() - since))}</span>
            </span>
            <strong title=tile.name.clone()>{tile.name.clone()}</strong>
            <span class="why" title=why.clone()>{why.clone()}</span>
            <span class="chips">
                {tile.playlist_state.as_deref().map(playlist_chip)}
                {incident_chip(tile)}
                {tile.reason_as_of.as_deref().map(of_time)}
            </span>
        </a>
    }
}

/// Why it is as it is. An incident outlasts what opened it.
fn why(tile: &WallTile) -> String {
    if tile.reason.is_empty() && tile.state == State::Healthy && tile.incident.is_some() {
        return "healthy again; the incident is resolved when that has held".to_owned();
    }
    tile.reason.clone()
}

/// As of when the figures in its reason are.
fn of_time(text: &str) -> impl IntoView + use<> {
    let shown = time::when(text, Freshness::current().server_now_untracked());
    let title = format!("figures as of {shown} UTC");
    view! { <time class="of-time" datetime=text.to_owned() title=title><span>"as of "</span>{shown}</time> }
}

fn incident_chip(tile: &WallTile) -> Option<impl IntoView + use<>> {
    let (class, text) = match tile.incident? {
        IncidentStatus::Open => ("chip open", "Incident".to_owned()),
        IncidentStatus::Acknowledged => {
            let by = tile
                .acknowledged_by
                .as_deref()
                .map(|by| format!(" by {}", person_of(by)))
                .unwrap_or_default();
            ("chip taken", format!("Ack{by}"))
        }
        IncidentStatus::Resolved => return None,
    };
    Some(view! { <span class=class>{text}</span> })
}

#[cfg(test)]
mod tests {
    use super::super::board::tests::tile;
    use super::*;

    #[test]
    fn an_incident_of_a_healthy_stream_is_explained() {
        let of = |state, incident| why(&WallTile { incident, ..tile("a", state) });
        let explained = of(State::Healthy, Some(IncidentStatus::Open));
        assert_eq!(explained, "healthy again; the incident is resolved when that has held");
        assert_eq!(of(State::Healthy, None), "");
        let reason = "3 segments lost".to_owned();
        assert_eq!(why(&WallTile { reason: reason.clone(), ..tile("a", State::Unhealthy) }), reason);
    }
}
