//! A stream on the wall: few nodes and few effects, as there may be thousands.

use std::sync::Arc;

use hlsops_wire::{IncidentStatus, WallTile};
use leptos::prelude::*;

use super::board::Entry;
use super::query::slug;
use super::store::Cell;
use crate::live::Freshness;
use crate::time;
use crate::ui::{mark, playlist_chip};

/// The tile, in its place of the list.
pub(crate) fn tile(cell: Cell, fresh: Freshness) -> impl IntoView {
    let Cell { entry, shown } = cell;
    view! { <li hidden=move || !shown.get()>{move || body(&entry.get(), fresh)}</li> }
}

fn body(entry: &Arc<Entry>, fresh: Freshness) -> impl IntoView + use<> {
    let tile = &entry.tile;
    let class = format!("tile {}{}", slug(tile.state), if entry.worsened { " fresh" } else { "" });
    let since = entry.since_ms;
    view! {
        <a class=class href=format!("/streams/{}", tile.id) tabindex="-1">
            <span class="top">
                {mark(tile.state)}
                <b>{tile.state.name()}</b>
                <span class="age">{move || since.map(|since| time::length(fresh.server_now() - since))}</span>
            </span>
            <strong title=tile.name.clone()>{tile.name.clone()}</strong>
            <span class="why">{tile.reason.clone()}</span>
            <span class="chips">
                {tile.playlist_state.as_deref().map(playlist_chip)}
                {incident_chip(tile)}
            </span>
        </a>
    }
}

fn incident_chip(tile: &WallTile) -> Option<impl IntoView + use<>> {
    let (class, text) = match tile.incident? {
        IncidentStatus::Open => ("chip open", "Incident open".to_owned()),
        IncidentStatus::Acknowledged => {
            let by = tile.acknowledged_by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
            ("chip taken", format!("Ack{by}"))
        }
        IncidentStatus::Resolved => return None,
    };
    Some(view! { <span class=class>{text}</span> })
}
