//! The page: its frame, and which part of it a URL shows.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::{A, Route, Router, Routes};
use leptos_router::hooks::{use_location, use_navigate};
use leptos_router::path;

use crate::channels::{ChannelPage, ChannelSettingsPage, ChannelsPage, NewChannelPage};
use crate::demo::DemoServer;
use crate::edit::{NewStreamPage, SettingsPage};
use crate::inbox::InboxPage;
use crate::incidents::{IncidentPage, IncidentsPage};
use crate::live::{Freshness, Silence};
use crate::rights::{ChangingPage, NameDialog, NameField, Person, Rights};
use crate::session::{Session, Theme};
use crate::stream::StreamPage;
use crate::time;
use crate::ui::{NoticeBox, Notices, Shapes, Shortcuts, set_title};
use crate::wall::{WallPage, WallStore};

/// All of it.
#[component]
pub(crate) fn App() -> impl IntoView {
    let session = Session::start();
    Freshness::start();
    Notices::start();
    Shortcuts::start();
    let wall = WallStore::start();
    let signed_in = Memo::new(move |_| session.is_signed_in());
    Effect::new(move |before: Option<bool>| {
        let now = signed_in.get();
        if before == Some(true) && !now {
            wall.clear();
        }
        now
    });
    view! {
        <Shapes/>
        <Show when=move || signed_in.get() fallback=move || view! { <SignIn session/> }>
            <Router><Frame session/></Router>
        </Show>
        <NoticeBox/>
    }
}

/// Where a letter after `g` goes.
const GO: [(&str, &str); 4] = [("w", "/"), ("i", "/incidents"), ("n", "/inbox"), ("c", "/channels")];

#[component]
fn Frame(session: Session) -> impl IntoView {
    let rights = Rights::start();
    Person::start(rights);
    DemoServer::start(rights);
    follow_path(WallStore::current());
    let help = NodeRef::<Dialog>::new();
    let open_help = move || help.get_untracked().is_some_and(|help| help.show_modal().is_ok());
    let navigate = use_navigate();
    let go = StoredValue::new(false);
    Shortcuts::current().listen(move |key| {
        let after_g = go.get_value();
        go.set_value(key == "g");
        let to = GO.iter().find(|(letter, _)| after_g && *letter == key);
        match (key, to) {
            ("?", _) => open_help(),
            (_, Some((_, path))) => {
                navigate(path, NavigateOptions::default());
                true
            }
            _ => false,
        }
    });
    view! {
        <a class="skip" href="#main" on:click=|event| {
            event.prevent_default();
            if let Some(main) = document().get_element_by_id("main") {
                use wasm_bindgen::JsCast;
                let _ = main.unchecked_ref::<web_sys::HtmlElement>().focus();
            }
        }>"Skip to the content"</a>
        <header class="site">
            <a class="brand" href="/"><svg viewBox="0 0 20 16" aria-hidden="true"><path d="M1 9h4l2.500-7 4 12 2.500-5h5"/></svg>"HLS Ops"</a>
            <nav aria-label="Main">
                <A href="/" exact=true>"Wall"</A>
                <A href="/incidents">"Incidents"</A>
                <A href="/inbox">"Inbox"</A>
                <A href="/channels">"Channels"</A>
            </nav>
            <Ages/>
            <div class="tools">
                <ThemeButton/>
                <button type="button" class="bare" on:click=move |_| { open_help(); } aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">"?"</button>
                <button type="button" class="bare" on:click=move |_| session.sign_out()>"Sign out"</button>
            </div>
        </header>
        <StaleBar/>
        <main id="main" tabindex="-1">
            <Routes fallback=NotFound>
                <Route path=path!("/") view=WallPage/>
                <Route path=path!("/incidents") view=IncidentsPage/>
                <Route path=path!("/incidents/:id") view=IncidentPage/>
                <Route path=path!("/inbox") view=InboxPage/>
                <Route path=path!("/channels") view=ChannelsPage/>
                <Route path=path!("/channels/new") view=|| view! { <ChangingPage><NewChannelPage/></ChangingPage> }/>
                <Route path=path!("/channels/:id") view=ChannelPage/>
                <Route path=path!("/channels/:id/settings") view=|| view! { <ChangingPage><ChannelSettingsPage/></ChangingPage> }/>
                <Route path=path!("/streams/new") view=|| view! { <ChangingPage><NewStreamPage/></ChangingPage> }/>
                <Route path=path!("/streams/:id") view=StreamPage/>
                <Route path=path!("/streams/:id/settings") view=|| view! { <ChangingPage><SettingsPage/></ChangingPage> }/>
            </Routes>
        </main>
        <Help dialog=help/>
        <NameDialog/>
    }
}

fn follow_path(wall: WallStore) {
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if let Some(before) = before.filter(|before| *before != now) {
            wall.go(&before, &now);
        }
        now
    });
}

/// How old what is shown is: the data by our own asking, the probes by their last word.
#[component]
fn Ages() -> impl IntoView {
    let fresh = Freshness::current();
    let seconds = |ms: f64| format!("{:.0} s old", (ms / 1_000.0).floor());
    let probes = move || fresh.probe_age().map(|age| format!("{} old", time::length(age)));
    let is_stale = move || fresh.is_stale();
    view! {
        <p class="ages">
            <span>"UTC "<b>{move || time::clock(fresh.server_now())}</b></span>
            <span class:stale=is_stale>{move || fresh.data_age().map(|age| view! { "Data "<b>{seconds(age)}</b> })}</span>
            {move || probes().map(|_| view! { <span>"Probes "<b>{move || probes()}</b></span> })}
        </p>
    }
}

/// Says that what is shown is not the present.
#[component]
fn StaleBar() -> impl IntoView {
    let fresh = Freshness::current();
    Effect::new(move |_| {
        let stale = fresh.is_stale();
        if let Some(body) = document().body() {
            let _ = body.class_list().toggle_with_force("stale", stale);
        }
    });
    let silence = Memo::new(move |_| {
        let silence = fresh.silence()?;
        let (what, class, role) = match silence {
            Silence { is_stale: true, .. } => ("Not updating", "stale-bar", "alert"),
            Silence { was_refused: true, .. } => ("No good answer", "stale-bar calm", "status"),
            _ => ("No answer", "stale-bar calm", "status"),
        };
        Some((format!("{what} since {} UTC", time::clock(silence.since_ms)), class, role))
    });
    view! {
        {move || silence.get().map(|(text, class, role)| view! {
            <p class=class role=role>
                {text}
                <span aria-hidden="true">{move || fresh.retry_in().map(|ms| format!(" \u{2013} retrying in {:.0} s", (ms / 1_000.0).ceil()))}</span>
            </p>
        })}
    }
}

#[component]
fn ThemeButton() -> impl IntoView {
    let theme = RwSignal::new(Theme::remembered());
    let next = move |_| {
        theme.update(|theme| *theme = theme.next());
        theme.get_untracked().choose();
    };
    view! {
        <button type="button" class="bare" on:click=next title="Theme: system, dark, light">
            <span aria-hidden="true">"\u{25d0}"</span><span class="unseen">"Theme: "</span><span class="theme">{move || theme.get().name()}</span>
        </button>
    }
}

/// What the keys do.
const KEYS: [(&str, &str); 11] = [
    ("/", "filter the wall"),
    ("p", "problems only"),
    ("r", "put the wall in order again"),
    ("arrows, j, k", "move in the wall"),
    ("Enter", "open the stream"),
    ("a", "acknowledge its incident"),
    ("g w", "go to the wall"),
    ("g i", "go to the incidents"),
    ("g n", "go to the inbox"),
    ("g c", "go to the channels"),
    ("?", "this list"),
];

#[component]
fn Help(dialog: NodeRef<Dialog>) -> impl IntoView {
    let shortcuts = Shortcuts::current();
    view! {
        <dialog class="help" node_ref=dialog aria-labelledby="help-title">
            <h2 id="help-title">"Keyboard"</h2>
            <dl class="keys">
                {KEYS.map(|(key, what)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div> }).collect_view()}
            </dl>
            <label class="switch">
                <input type="checkbox" prop:checked=move || shortcuts.are_on()
                    on:change=move |event| shortcuts.turn(event_target_checked(&event))/>
                "Single keys do something"
            </label>
            <NameField/>
            // The server's own page: not one of these views.
            <p><a href="/docs" rel="external">"The API's documentation"</a></p>
            <div class="actions">
                <button type="button" on:click=move |_| {
                    if let Some(dialog) = dialog.get_untracked() {
                        dialog.close();
                    }
                }>"Close"</button>
            </div>
        </dialog>
    }
}

#[component]
fn NotFound() -> impl IntoView {
    set_title("Not found");
    view! {
        <section class="empty">
            <h1>"There is no such page"</h1>
            <p><a class="button" href="/">"To the wall"</a></p>
        </section>
    }
}

#[component]
fn SignIn(session: Session) -> impl IntoView {
    set_title("Sign in");
    let key = RwSignal::new(String::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let key = key.get_untracked();
        if !key.trim().is_empty() {
            session.sign_in(key.trim());
        }
    };
    view! {
        <main class="sign-in">
            <form class="panel form" on:submit=submit>
                <h1>"HLS Stream Operations"</h1>
                <div class="field">
                    <label for="key">"API key"</label>
                    <input id="key" type="password" autocomplete="off" autofocus=true aria-describedby="key-hint key-wrong"
                        on:input=move |event| key.set(event_target_value(&event))/>
                    <span class="hint" id="key-hint">
                        "The program prints a link with the key when it starts; "<code>"hlsops key new"</code>" makes another. It is kept in this tab only."
                    </span>
                    {move || session.refusal().map(|why| view! { <span class="wrong" id="key-wrong" role="alert">{why}</span> })}
                </div>
                <div class="actions"><button type="submit" class="primary">"Sign in"</button></div>
            </form>
        </main>
    }
}
