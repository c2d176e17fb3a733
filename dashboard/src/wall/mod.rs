//! The wall: is everything healthy now?

mod board;
mod grid;
mod keys;
pub(crate) mod query;
mod sorted;
mod store;
mod take;
mod tile;
mod view;

use std::time::Duration;

use hlsops_wire::{State, Wall};
use leptos::html::Input;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use grid::{Grid, Tiles};
pub(crate) use store::WallStore;
use take::Taking;

use crate::client::{BASE, client};
use crate::demo::DemoBanner;
use crate::live::{Poller, Role, browser_now};
use crate::rights::Changing;
use crate::ui::{Shortcuts, Skeleton, Trouble, mark, set_title};
use query::{Query, STATES, Sort, slug};

/// A filter that is being typed gets into the URL when the typing pauses.
const URL_AFTER: Duration = Duration::from_millis(400);

/// `/`
#[component]
pub(crate) fn WallPage() -> impl IntoView {
    set_title("Wall");
    let store = WallStore::current();
    follow_url(store);
    let poller = poll(store);
    let field = NodeRef::<Input>::new();
    let grid = Grid::new(store);
    let taking = Taking::new(store, grid, poller);
    Shortcuts::current().listen(move |key| match key {
        "a" => taking.take(),
        _ => press(key, store, field, grid),
    });
    on_cleanup(move || store.hold(false));
    view! {
        <h1 class="unseen">"Wall"</h1>
        <DemoBanner/>
        <Bar store field grid/>
        <p class="unseen" role="status">{move || store.said.get()}</p>
        {move || store.failure.get().filter(|_| !store.is_loaded.get()).map(|failure| view! {
            <Trouble failure retry=Callback::new(move |()| poller.refresh())/>
        })}
        <Show when=move || !store.is_loaded.get() && store.failure.with(Option::is_none)>
            <Skeleton of="wall"/>
        </Show>
        <Emptiness store/>
        <UnderBar store/>
        <Tiles grid/>
    }
}

fn press(key: &str, store: WallStore, field: NodeRef<Input>, grid: Grid) -> bool {
    match key {
        "/" => field.get_untracked().is_some_and(|field| field.focus().is_ok()),
        "p" => {
            store.amend(|query| query.problems = !query.problems);
            true
        }
        "r" => {
            store.arrange(true);
            true
        }
        "j" | "k" | "ArrowDown" => grid.enter(),
        _ => false,
    }
}

fn poll(store: WallStore) -> Poller {
    let client = client();
    let etag = StoredValue::new(None::<String>);
    Poller::start(Role::Main, move || async move {
        // Where the page was left and entered again, what it knew is still good to ask for changes.
        let path = match store.version() {
            Some(version) => format!("{BASE}/wall?since={version}"),
            None => format!("{BASE}/wall"),
        };
        let known = etag.try_get_value().flatten();
        let answer = client.get(&path, known.as_deref()).await.and_then(|answer| {
            if !answer.is_unchanged() {
                store.apply(answer.json::<Wall>()?, browser_now());
                etag.try_set_value(answer.etag.clone());
            }
            Ok(answer)
        });
        store.failure.set(answer.as_ref().err().cloned());
        answer
    })
}

/// The URL and the query say the same: what is typed gets into the URL, and what the URL says is shown.
fn follow_url(store: WallStore) {
    let parameters = use_query_map();
    let navigate = use_navigate();
    Effect::new(move |_| {
        let said = parameters.with(|all| Query::read(|name| all.get(name)));
        store.ask(said);
    });
    let timer = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |_| {
        let asked = store.query.get();
        let in_url = parameters.with_untracked(|all| Query::read(|name| all.get(name)));
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
        if asked != in_url {
            let (navigate, url) = (navigate.clone(), url(&asked));
            let write = move || {
                navigate(&url, NavigateOptions { replace: true, scroll: false, ..Default::default() })
            };
            timer.set_value(set_timeout_with_handle(write, URL_AFTER).ok());
        }
    });
    on_cleanup(move || {
        if let Some(timer) = timer.try_get_value().flatten() {
            timer.clear();
        }
    });
}

fn url(query: &Query) -> String {
    let encoded = |value: &str| String::from(js_sys::encode_uri_component(value));
    let all: Vec<_> =
        query.parameters().iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if all.is_empty() { "/".to_owned() } else { format!("/?{}", all.join("&")) }
}

/// How many streams are in which state, and what is shown of them.
#[component]
fn Bar(store: WallStore, field: NodeRef<Input>, grid: Grid) -> impl IntoView {
    let asked = move |read: fn(&Query) -> bool| store.query.with(read);
    let enter = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Enter" | "ArrowDown" => {
            event.prevent_default();
            grid.enter();
        }
        "Escape" if store.query.with_untracked(|query| query.text.is_empty()) => {
            event.prevent_default();
            if !grid.resume()
                && let Some(field) = field.get_untracked()
            {
                let _ = field.blur();
            }
        }
        "Escape" => store.amend(|query| query.text.clear()),
        _ => {}
    };
    view! {
        <section class="bar" aria-label="Overview and filter">
            <div class="counts" role="group" aria-label="Streams by state">
                {STATES.map(|state| view! { <Count store state/> }).collect_view()}
            </div>
            <div class="tools">
                <label class="switch">
                    <input type="checkbox" prop:checked=move || asked(|query| query.problems)
                        on:change=move |event| {
                            let on = event_target_checked(&event);
                            store.amend(|query| query.problems = on);
                        }/>
                    "Problems only"<kbd>"p"</kbd>
                </label>
                <label class="search">
                    <span class="unseen">"Filter by name, reason or tag"</span>
                    <input node_ref=field type="search" placeholder="Filter" autocomplete="off" spellcheck="false"
                        prop:value=move || store.query.with(|query| query.text.clone())
                        on:input=move |event| {
                            let text = event_target_value(&event);
                            store.amend(|query| query.text = text);
                        }
                        on:keydown=enter/>
                    <kbd>"/"</kbd>
                </label>
                <label class="sort">
                    <span class="unseen">"Order"</span>
                    <select prop:value=move || store.query.with(|query| query.sort.slug())
                        on:change=move |event| {
                            let sort = Sort::from_slug(&event_target_value(&event));
                            store.amend(|query| query.sort = sort);
                        }>
                        {Sort::ALL.map(|sort| view! { <option value=sort.slug()>{sort.label()}</option> }).collect_view()}
                    </select>
                </label>
                <Changing><a class="button primary" href="/streams/new">"Add a stream"</a></Changing>
            </div>
        </section>
    }
}

/// The count of a state; pressed, only its streams are shown.
#[component]
fn Count(store: WallStore, state: State) -> impl IntoView {
    let count = move || {
        store.counts.with(|counts| match state {
            State::Unhealthy => counts.unhealthy,
            State::Degraded => counts.degraded,
            State::NoData => counts.no_data,
            State::Healthy => counts.healthy,
            State::Paused => counts.paused,
        })
    };
    let pressed = move || store.query.with(|query| query.states.contains(&state));
    view! {
        <button type="button" class=format!("count {}", slug(state)) class:none=move || count() == 0
            aria-pressed=move || pressed().to_string()
            on:click=move |_| store.amend(|query| query.toggle(state))>
            {mark(state)}<b>{count}</b>" "<span>{state.name()}</span>
        </button>
    }
}

/// What stands in place of tiles where there are none.
#[component]
fn Emptiness(store: WallStore) -> impl IntoView {
    let total = move || store.total.get();
    let none_shown = move || store.is_loaded.get() && store.shown.with(|shown| shown.is_empty());
    let all_well = move || {
        let counts = store.counts.get();
        let only_problems =
            store.query.with(|query| query.problems && query.text.is_empty() && query.states.is_empty());
        only_problems && counts.unhealthy + counts.degraded + counts.no_data == 0
    };
    view! {
        <Show when=none_shown>
            <section class="empty">
                {move || if total() == 0 {
                    view! {
                        <h2>"No streams yet"</h2>
                        <p>"Paste the URL of an HLS playlist. It is looked at once before anything is saved."</p>
                        <p><Changing><a class="button primary" href="/streams/new">"Add a stream"</a></Changing></p>
                    }.into_any()
                } else {
                    view! {
                        <h2>{move || if all_well() {
                            format!("No problems: {} streams are as they should be", total())
                        } else {
                            format!("0 of {} streams match", total())
                        }}</h2>
                        <p><button type="button" on:click=move |_| {
                            store.amend(|query| *query = Query { sort: query.sort, ..Query::default() });
                        }>{move || if all_well() { "Show all" } else { "Clear the filter" }}</button></p>
                    }.into_any()
                }}
            </section>
        </Show>
    }
}

/// How many streams are shown, and whether their order is held.
#[component]
fn UnderBar(store: WallStore) -> impl IntoView {
    let shown = move || match (store.shown.with(|shown| shown.len()), store.total.get()) {
        (shown, total) if store.query.with(Query::is_filter) => format!("{shown} of {total} streams"),
        (_, 1) => "1 stream".to_owned(),
        (_, total) => format!("{total} streams"),
    };
    view! {
        <div class="under-bar" hidden=move || store.shown.with(|shown| shown.is_empty())>
            <span role="status">{shown}</span>
            <button type="button" class="resort" hidden=move || !store.pending.get()
                on:click=move |_| store.arrange(true)>
                "The order has changed: put it in order"<kbd>"r"</kbd>
            </button>
        </div>
    }
}
