//! The tiles, of which only those around the screen are made.

use std::time::Duration;

use leptos::html::Ul;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusEvent, FocusOptions, HtmlElement, KeyboardEvent, Node};

use super::board::Id;
use super::keys;
use super::store::WallStore;
use super::tile::{Frame, tile};
use super::view::{self, Screen};
use crate::live::Freshness;

/// A pointer that rests for so long was left there: a wall that nobody works at stays in order.
const PARKED: Duration = Duration::from_secs(20);

/// The grid, and who is the one that the Tab key finds.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    store: WallStore,
    list: NodeRef<Ul>,
    screen: RwSignal<Screen>,
    /// The tile that has or had the focus.
    active: RwSignal<Option<Id>>,
    columns: Memo<usize>,
    /// The page itself is giving a tile the focus: that holds nothing, as nobody may be there.
    is_returning: StoredValue<bool>,
}

impl Grid {
    pub(crate) fn new(store: WallStore) -> Self {
        // Until it is measured: a screenful.
        let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(1_000.0);
        let screen = RwSignal::new(Screen { width: 0.0, top: 0.0, height });
        let columns = Memo::new(move |_| screen.get().columns());
        let (active, is_returning) = (RwSignal::new(None), StoredValue::new(false));
        let grid = Self { store, list: NodeRef::new(), screen, active, columns, is_returning };
        grid.welcome_back();
        let scroll = window_event_listener(leptos::ev::scroll, move |_| grid.measure());
        let resize = window_event_listener(leptos::ev::resize, move |_| grid.measure());
        on_cleanup(move || {
            scroll.remove();
            resize.remove();
        });
        Effect::new(move |_| {
            // What stands above the grid moves it.
            store.shown.track();
            store.pending.track();
            if grid.list.get().is_some() {
                request_animation_frame(move || grid.measure());
            }
        });
        grid
    }

    fn measure(self) {
        let Some(list) = self.list.try_get_untracked().flatten() else { return };
        let place = list.get_bounding_client_rect();
        let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
        let screen = Screen { width: place.width(), top: place.top(), height };
        let before = self.screen.get_untracked();
        // A grid that is hidden measures nothing.
        if screen.width > 0.0 && (screen.columns(), screen.rows()) != (before.columns(), before.rows()) {
            self.screen.set(screen);
        }
    }

    /// Puts the focus on the first tile. False if there is none, or the focus is inside already.
    pub(crate) fn enter(self) -> bool {
        let first = self.store.shown.with_untracked(|shown| shown.first().cloned());
        let focused = document().active_element();
        let is_inside = self.list.get_untracked().is_some_and(|list| list.contains(focused.as_deref()));
        match first.filter(|_| !is_inside) {
            Some(first) => {
                self.focus(first);
                true
            }
            None => false,
        }
    }

    /// Puts the focus on the tile that had it last, else on the first. False if there is none.
    pub(crate) fn resume(self) -> bool {
        untrack(|| self.stop()).map(|tile| self.focus(tile)).is_some()
    }

    /// Whoever comes back from a stream finds its tile in focus, where it is shown.
    fn welcome_back(self) {
        let store = self.store;
        Effect::new(move |_| {
            if self.list.get().is_none() || !store.is_loaded.get() {
                return;
            }
            let Some(left) = store.left.get() else { return };
            store.left.set(None);
            if store.shown.with_untracked(|shown| shown.contains(&left)) {
                self.is_returning.set_value(true);
                self.focus(left);
            }
        });
    }

    /// The tile that has the focus.
    pub(crate) fn focused(self) -> Option<Id> {
        let name = document().active_element()?.id();
        self.store.shown.with_untracked(|shown| shown.iter().find(|id| element_id(id) == name).cloned())
    }

    /// The tile gets the focus, if need be in the next frame, when it has been made; the browser scrolls to it.
    fn focus(self, id: Id) {
        let name = element_id(&id);
        self.active.set(Some(id));
        if !focus_on(&name) {
            request_animation_frame(move || {
                focus_on(&name);
            });
        }
    }

    fn steer(self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        let to = self.store.shown.with_untracked(|shown| {
            let active = self.active.get_untracked()?;
            let at = shown.iter().position(|id| *id == active)?;
            let to = keys::target(&event.key(), at, shown.len(), self.columns.get_untracked())?;
            shown.get(to).cloned()
        });
        if let Some(to) = to {
            event.prevent_default();
            self.focus(to);
        }
    }

    fn focus_in(self, event: &FocusEvent) {
        if !self.is_returning.try_update_value(std::mem::take).unwrap_or_default() {
            self.store.hold(true);
        }
        let element = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
        let name = element.map(|element| element.id()).unwrap_or_default();
        let id =
            self.store.shown.with_untracked(|shown| shown.iter().find(|id| element_id(id) == name).cloned());
        if id.is_some() && self.active.get_untracked() != id {
            self.active.set(id);
        }
    }

    fn focus_out(self, event: &FocusEvent) {
        let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
        let stays = self.list.get_untracked().is_some_and(|list| to.is_some() && list.contains(to.as_ref()));
        if !stays {
            self.store.hold(false);
        }
    }

    /// A tile that is moved in the document loses the focus: it gets it back, and the page stays where it is.
    fn keep_focus(self) {
        let is_tile = |element: &Element| {
            self.list.get_untracked().is_some_and(|list| list.contains(Some(element.as_ref())))
        };
        let Some(tile) = document().active_element().filter(is_tile) else { return };
        let was_held = self.store.is_held();
        request_animation_frame(move || {
            let is_lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
            if is_lost && tile.is_connected() {
                self.is_returning.try_set_value(!was_held);
                let still = FocusOptions::new();
                still.set_prevent_scroll(true);
                let _ = tile.unchecked_ref::<HtmlElement>().focus_with_options(&still);
            }
        });
    }

    /// The tiles that are made: those around the screen, and the one with the focus wherever it is.
    fn made(self) -> Vec<Id> {
        self.keep_focus();
        let (rows, columns) = (self.screen.get().rows(), self.columns.get());
        let active = self.active.get();
        self.store.shown.with(|shown| {
            let from = (rows.start * columns).min(shown.len());
            let to = (rows.end * columns).min(shown.len());
            let kept = active.and_then(|active| shown.iter().position(|id| *id == active));
            let before = kept.filter(|place| *place < from);
            let after = kept.filter(|place| *place >= to);
            let places = before.into_iter().chain(from..to).chain(after);
            let put = |place: usize| {
                self.store.put(&shown[place], place);
                shown[place].clone()
            };
            places.map(put).collect()
        })
    }

    /// The one that the Tab key finds: the last that had the focus, else the first of all.
    fn stop(self) -> Option<Id> {
        self.store.shown.with(|shown| {
            let active = self.active.get().filter(|active| shown.contains(active));
            active.or_else(|| shown.first().cloned())
        })
    }
}

/// The name of a tile's link in the document.
fn element_id(id: &str) -> String {
    format!("tile-{id}")
}

/// Whether the element is there.
fn focus_on(name: &str) -> bool {
    let element = document().get_element_by_id(name);
    element.is_some_and(|element| element.unchecked_ref::<HtmlElement>().focus().is_ok())
}

/// The tiles.
#[component]
pub(crate) fn Tiles(grid: Grid) -> impl IntoView {
    let fresh = Freshness::current();
    let store = grid.store;
    let count = Memo::new(move |_| store.shown.with(|shown| shown.len()));
    let stop = Memo::new(move |_| grid.stop());
    let one = move |id: Id| {
        let frame = Frame {
            name: element_id(&id),
            columns: grid.columns,
            count,
            is_stop: Memo::new({
                let id = id.clone();
                move |_| stop.with(|stop| stop.as_ref() == Some(&id))
            }),
        };
        store.cell(&id).map(|cell| tile(cell, frame, fresh))
    };
    let still = StoredValue::new(None::<TimeoutHandle>);
    let wait = move |next: Option<TimeoutHandle>| {
        if let Some(before) = still.try_update_value(|still| std::mem::replace(still, next)).flatten() {
            before.clear();
        }
    };
    let let_go = move || {
        wait(None);
        store.hold(false);
    };
    let point = move || {
        store.hold(true);
        wait(set_timeout_with_handle(move || store.hold(false), PARKED).ok());
    };
    view! {
        <ul class="grid" node_ref=grid.list aria-label="Streams" hidden=move || count.get() == 0
            style:grid-template-columns=move || format!("repeat({}, minmax(0, 1fr))", grid.columns.get())
            style:height=move || format!("{}px", view::height(count.get(), grid.columns.get()))
            on:pointerenter=move |_| point()
            on:pointermove=move |_| point()
            on:pointerleave=move |_| let_go()
            on:focusin=move |event| grid.focus_in(&event)
            on:focusout=move |event| grid.focus_out(&event)
            on:keydown=move |event| grid.steer(&event)>
            <For each=move || grid.made() key=Clone::clone let:id>{one(id)}</For>
        </ul>
    }
}
