//! The grid is one stop of the Tab key; arrows move inside.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

const TILES: &str = "li:not([hidden]) > a";

/// Where a key leads from place `at` of `count` in rows of `columns`.
pub(crate) fn target(key: &str, at: usize, count: usize, columns: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    let columns = columns.max(1);
    let to = match key {
        "ArrowRight" | "j" => at + 1,
        "ArrowLeft" | "k" => at.checked_sub(1)?,
        "ArrowDown" => at + columns,
        "ArrowUp" => at.checked_sub(columns)?,
        "Home" => 0,
        "End" => last,
        _ => return None,
    };
    (to <= last).then_some(to)
}

/// Moves the focus inside the grid, if the key does that.
pub(crate) fn steer(grid: &HtmlElement, event: &KeyboardEvent) {
    if event.ctrl_key() || event.alt_key() || event.meta_key() {
        return;
    }
    let tiles = tiles(grid);
    let focused = document().active_element();
    let Some(at) = tiles.iter().position(|tile| focused.as_ref() == Some(tile.as_ref())) else { return };
    if let Some(to) = target(&event.key(), at, tiles.len(), columns(grid)).and_then(|to| tiles.get(to)) {
        event.prevent_default();
        settle(grid, to);
        let _ = to.focus();
    }
}

/// Puts the focus on the first tile.
pub(crate) fn enter(grid: &HtmlElement) {
    if let Some(first) = tiles(grid).first() {
        settle(grid, first);
        let _ = first.focus();
    }
}

/// Makes sure that the Tab key finds a tile.
pub(crate) fn ensure_stop(grid: &HtmlElement) {
    let stop = grid.query_selector("li:not([hidden]) > a[tabindex='0']").ok().flatten();
    if stop.is_none()
        && let Ok(Some(first)) = grid.query_selector(TILES)
    {
        settle(grid, first.unchecked_ref());
    }
}

/// Makes `tile` the one that the Tab key finds.
pub(crate) fn settle(grid: &HtmlElement, tile: &HtmlElement) {
    if let Ok(Some(before)) = grid.query_selector("a[tabindex='0']") {
        let _ = before.set_attribute("tabindex", "-1");
    }
    let _ = tile.set_attribute("tabindex", "0");
}

fn tiles(grid: &HtmlElement) -> Vec<HtmlElement> {
    let Ok(list) = grid.query_selector_all(TILES) else { return Vec::new() };
    (0..list.length()).filter_map(|index| list.get(index)?.dyn_into().ok()).collect()
}

fn columns(grid: &HtmlElement) -> usize {
    let element: &Element = grid;
    let style = window().get_computed_style(element).ok().flatten();
    let tracks = style.and_then(|style| style.get_property_value("grid-template-columns").ok());
    tracks.map_or(1, |tracks| tracks.split_whitespace().count())
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn arrows_stay_inside_the_grid() {
        // 3 columns: 0 1 2 / 3 4 5 / 6
        let to = |key, at| target(key, at, 7, 3);
        assert_eq!((to("ArrowRight", 2), to("j", 2), to("ArrowRight", 6)), (Some(3), Some(3), None));
        assert_eq!((to("ArrowLeft", 3), to("k", 3), to("ArrowLeft", 0)), (Some(2), Some(2), None));
        assert_eq!((to("ArrowDown", 3), to("ArrowDown", 4)), (Some(6), None));
        assert_eq!((to("ArrowUp", 3), to("ArrowUp", 2)), (Some(0), None));
        assert_eq!((to("Home", 5), to("End", 0), to("x", 0)), (Some(0), Some(6), None));
        assert_eq!(target("End", 0, 0, 3), None);
        assert_eq!(target("ArrowDown", 0, 2, 0), Some(1));
    }
}
