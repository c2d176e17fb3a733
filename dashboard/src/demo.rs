//! The banner of the demo, where the server says that it is one.

use leptos::html::Details;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use crate::client::client;
use crate::rights::Rights;
use crate::ui::Notices;

const PATH: &str = "/local/demo";
const FAULT: &str = "/local/demo/fault";

/// What can be broken.
#[derive(Clone, Debug, Default, Deserialize)]
struct Demo {
    streams: Vec<DemoStream>,
    faults: Vec<DemoFault>,
}

#[derive(Clone, Debug, Deserialize)]
struct DemoStream {
    id: String,
    name: String,
    /// Something was wrong with it at the start.
    #[serde(default)]
    has_own: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct DemoFault {
    id: String,
    label: String,
}

/// A fault for a stream; none heals it.
#[derive(Serialize)]
struct Break {
    stream: String,
    fault: Option<String>,
}

/// The fault that a stream had at the start.
const OWN: &str = "own";

impl Demo {
    /// What may be chosen for a stream.
    fn faults_of(&self, stream: &str) -> Vec<DemoFault> {
        let has_own = self.streams.iter().any(|known| known.id == stream && known.has_own);
        self.faults.iter().filter(|fault| has_own || fault.id != OWN).cloned().collect()
    }
}

/// Asked once: a server does not become a demo.
#[derive(Clone, Copy)]
pub(crate) struct DemoServer(RwSignal<Option<Demo>>);

impl DemoServer {
    /// Only a key of the highest scope may break streams.
    pub(crate) fn start(rights: Rights) {
        let demo = RwSignal::new(None);
        provide_context(Self(demo));
        let client = client();
        let may_break = Memo::new(move |_| rights.is_admin());
        Effect::new(move |_| {
            if !may_break.get() {
                return;
            }
            spawn_local(async move {
                // Anything but streams and faults is no demo.
                let answer = client.get(PATH, None).await.and_then(|answer| answer.json::<Demo>());
                demo.set(answer.ok().filter(|demo| !demo.faults.is_empty() && !demo.streams.is_empty()));
            });
        });
    }
}

/// Says that this is a demo, and lets people break it.
#[component]
pub(crate) fn DemoBanner() -> impl IntoView {
    let demo = use_context::<DemoServer>().map(|demo| demo.0);
    move || demo.and_then(|demo| demo.get()).map(|demo| view! { <Banner demo/> })
}

#[component]
fn Banner(demo: Demo) -> impl IntoView {
    let client = client();
    let notices = Notices::current();
    let stream = RwSignal::new(demo.streams.first().map(|stream| stream.id.clone()).unwrap_or_default());
    let fault = RwSignal::new(demo.faults.first().map(|fault| fault.id.clone()).unwrap_or_default());
    let busy = RwSignal::new(false);
    let names = StoredValue::new(demo.clone());
    let faults = Memo::new(move |_| names.with_value(|demo| demo.faults_of(&stream.get())));
    Effect::new(move |_| {
        let chosen = fault.get_untracked();
        let offered = faults.get();
        if let Some(first) = offered.first().filter(|_| offered.iter().all(|fault| fault.id != chosen)) {
            fault.set(first.id.clone());
        }
    });
    let menu = NodeRef::<Details>::new();
    // Out of the way of the tile that turns.
    let close = move || {
        if let Some(menu) = menu.get_untracked() {
            let _ = menu.remove_attribute("open");
        }
    };
    let send = move |fault: Option<String>| {
        let stream = stream.get_untracked();
        let name = names.with_value(|demo| {
            demo.streams.iter().find(|s| s.id == stream).map_or_else(|| stream.clone(), |s| s.name.clone())
        });
        let heals = fault.is_none();
        close();
        busy.set(true);
        spawn_local(async move {
            let sent = client.post(FAULT, &Break { stream, fault }).await;
            busy.try_set(false);
            match sent {
                Ok(_) if heals => notices.say(format!(
                    "{name} is mended. Its tile turns when two minutes without a fault have passed, and its incident is resolved two minutes later."
                )),
                Ok(_) => notices.say(format!("{name} is broken now. Watch its tile.")),
                Err(failure) => notices.fail("Breaking the stream", &failure),
            }
        });
    };
    view! {
        <section class="demo" aria-label="Demo">
            <p>
                <b>"Demo."</b>" These streams are made on this machine. Break one, watch its tile turn, open it and acknowledge; what people would be told is in the "
                <a href="/inbox">"inbox"</a>"."
            </p>
            <details class="menu" node_ref=menu on:keydown=move |event| {
                if event.key() == "Escape" {
                    close();
                }
            }>
                <summary class="button">"Break a stream"</summary>
                <div class="sheet">
                    <label>"Stream"
                        <select prop:value=move || stream.get() on:change=move |event| stream.set(event_target_value(&event))>
                            {demo.streams.iter().map(|s| view! { <option value=s.id.clone()>{s.name.clone()}</option> }).collect_view()}
                        </select>
                    </label>
                    <label>"What breaks"
                        <select prop:value=move || fault.get() on:change=move |event| fault.set(event_target_value(&event))>
                            {move || faults.get().into_iter().map(|f| view! { <option value=f.id>{f.label}</option> }).collect_view()}
                        </select>
                    </label>
                    <div class="actions">
                        <button type="button" class="primary" disabled=move || busy.get()
                            on:click=move |_| send(Some(fault.get_untracked()))>"Break it"</button>
                        <button type="button" disabled=move || busy.get() on:click=move |_| send(None)>"Heal it"</button>
                    </div>
                </div>
            </details>
            <a href="/streams/new">"Add your own"</a>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_wrong_with_a_stream_is_given_back_to_it() {
        let demo = serde_json::json!({
            "streams": [{"id": "a", "name": "A", "has_own": true}, {"id": "b", "name": "B", "has_own": false}],
            "faults": [{"id": "http_503", "label": "503"}, {"id": "own", "label": "Own"}],
        });
        let demo: Demo = serde_json::from_value(demo).unwrap();
        let offered = |stream| demo.faults_of(stream).into_iter().map(|fault| fault.id).collect::<Vec<_>>();
        assert_eq!(
            (offered("a"), offered("b")),
            (vec!["http_503".into(), "own".into()], vec!["http_503".into()])
        );
    }
}
