//! The built-in inbox: every message as channels get it, whether or not there is a channel.

use std::collections::HashSet;

use hlsops_wire::{InboxEntry, List};
use leptos::prelude::*;

use crate::acknowledge::encoded;
use crate::client::BASE;
use crate::live::{Live, Role};
use crate::ui::{Skeleton, Trouble, at, set_title};

/// Messages that are shown.
const LIMIT: u32 = 100;

/// `/inbox`
#[component]
pub(crate) fn InboxPage() -> impl IntoView {
    set_title("Inbox");
    let live = Live::<List<InboxEntry>>::follow(
        Role::Main,
        Signal::derive(|| format!("{BASE}/inbox?limit={LIMIT}")),
    );
    let failure = move || live.failure.get().filter(|_| live.data.with(Option::is_none));
    let entries =
        move || live.data.with(|list| list.as_ref().map(|l| with_gone(&l.items)).unwrap_or_default());
    let is_empty = move || live.data.with(|list| list.as_ref().is_some_and(|l| l.items.is_empty()));
    let is_there = move || live.data.with(|list| list.as_ref().is_some_and(|l| !l.items.is_empty()));
    let is_longer = move || live.data.with(|list| list.as_ref().is_some_and(|l| l.next_cursor.is_some()));
    view! {
        <div class="head">
            <h1>"Inbox"</h1>
            <p class="fine">"Every message of the last 90 days, as "<a href="/channels">"channels"</a>" get it."</p>
        </div>
        {move || failure().map(|failure| view! {
            <Trouble failure retry=Callback::new(move |()| live.refresh())/>
        })}
        <Show when=move || failure().is_none() && live.data.with(Option::is_none)><Skeleton/></Show>
        <Show when=is_empty>
            <section class="empty">
                <h2>"No messages"</h2>
                <p>"One comes when an incident opens, when somebody takes it, and when it is over."</p>
                <p><a class="button" href="/">"Back to the wall"</a></p>
            </section>
        </Show>
        <Show when=is_there>
            <ul class="panel inbox" aria-label="Messages, newest first">
                <For each=entries key=|one| (one.0.event_id.clone(), one.1) let:one>{row(&one.0, one.1)}</For>
            </ul>
        </Show>
        <Show when=is_longer><p class="fine">{format!("The newest {LIMIT} are shown.")}</p></Show>
    }
}

/// Each message, and whether its stream is known to be gone: the last one of a stream that was removed says so.
fn with_gone(entries: &[InboxEntry]) -> Vec<(InboxEntry, bool)> {
    let is_last = |entry: &&InboxEntry| entry.event.data.stream.as_ref().is_some_and(|stream| stream.removed);
    let gone: HashSet<&str> = entries.iter().filter(is_last).map(|entry| entry.stream_id.as_str()).collect();
    entries.iter().map(|entry| (entry.clone(), gone.contains(entry.stream_id.as_str()))).collect()
}

/// The colour and the word of a message.
fn kind(event: &str) -> (&'static str, &str) {
    match event {
        "incident.opened" => ("chip open", "OPENED"),
        "incident.acknowledged" => ("chip taken", "ACKNOWLEDGED"),
        "incident.resolved" => ("chip well", "RESOLVED"),
        other => ("chip", other),
    }
}

/// The stream that an event is of, and the way to it where it is still there.
fn from(entry: &InboxEntry, is_gone: bool) -> AnyView {
    let Some(stream) = entry.event.data.stream.as_ref() else {
        return entry.stream_id.clone().into_any();
    };
    let name = stream.name.clone();
    if is_gone {
        return view! { <span class="from">{name}</span>" "<span class="fine">"(removed)"</span> }.into_any();
    }
    view! { <a class="from" href=format!("/streams/{}", stream.id)>{name}</a> }.into_any()
}

fn row(entry: &InboxEntry, is_gone: bool) -> impl IntoView + use<> {
    let data = &entry.event.data;
    let (class, word) = kind(&entry.event.kind);
    let from = from(entry, is_gone);
    let title = match data.title.as_str() {
        "" => entry.event.kind.clone(),
        title if matches!(entry.event.kind.as_str(), "incident.opened" | "test") => title.to_owned(),
        title => format!("began with: {title}"),
    };
    let title = match &data.incident_id {
        Some(id) => view! { <a href=format!("/incidents/{}", encoded(id))>{title}</a> }.into_any(),
        None => title.into_any(),
    };
    let by = data.acknowledged_by.as_ref().filter(|_| entry.event.kind == "incident.acknowledged");
    let is_open = RwSignal::new(false);
    let message = StoredValue::new(entry.event.clone());
    // Spelt out only where somebody looks.
    let text = move || message.with_value(|event| serde_json::to_string_pretty(event).unwrap_or_default());
    view! {
        <li>
            <span class=class>{word.to_owned()}</span>
            <span class="when">{at(&entry.event.timestamp)}</span>
            <p class="what">
                {from}" "{title}
                {by.map(|by| view! { <span class="of">"by "{by.clone()}</span> })}
            </p>
            <button type="button" class="bare" aria-expanded=move || is_open.get().to_string()
                on:click=move |_| is_open.update(|open| *open = !*open)>
                {move || if is_open.get() { "Hide" } else { "Message" }}
            </button>
            {move || is_open.get().then(|| view! {
                <pre tabindex="0" role="region" aria-label="Message">{text()}</pre>
            })}
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_a_type_to_come_is_named_by_it() {
        assert_eq!(kind("incident.resolved"), ("chip well", "RESOLVED"));
        assert_eq!(kind("alert.firing"), ("chip", "alert.firing"));
    }

    #[test]
    fn no_message_of_a_stream_that_is_gone_leads_to_it() {
        let entry = |id: &str, stream: &str, removed: bool| -> InboxEntry {
            serde_json::from_value(serde_json::json!({
                "event_id": id, "stream_id": stream,
                "event": {"type": "incident.opened", "timestamp": "", "data": {
                    "dedup_key": "", "severity": "critical", "title": "", "test": false,
                    "stream": {"id": stream, "name": "A", "manifest_url": "", "removed": removed},
                }},
            }))
            .unwrap()
        };
        let all = [entry("3", "str_1", true), entry("2", "str_2", false), entry("1", "str_1", false)];
        let told = with_gone(&all).into_iter().map(|(entry, is_gone)| (entry.event_id, is_gone));
        assert_eq!(told.collect::<Vec<_>>(), [("3".into(), true), ("2".into(), false), ("1".into(), true)]);
    }
}
