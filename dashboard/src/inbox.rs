//! The built-in inbox: every message as channels get it, whether or not there is a channel.

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
    let entries = move || live.data.with(|list| list.as_ref().map(|l| l.items.clone()).unwrap_or_default());
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
                <For each=entries key=|entry| entry.event_id.clone() let:entry>{row(&entry)}</For>
            </ul>
        </Show>
        <Show when=is_longer><p class="fine">{format!("The newest {LIMIT} are shown.")}</p></Show>
    }
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
fn from(entry: &InboxEntry) -> AnyView {
    let Some(stream) = entry.event.data.stream.as_ref() else {
        return entry.stream_id.clone().into_any();
    };
    let name = stream.name.clone();
    if stream.removed {
        return view! { <span class="from">{name}</span>" "<span class="fine">"(removed)"</span> }.into_any();
    }
    view! { <a class="from" href=format!("/streams/{}", stream.id)>{name}</a> }.into_any()
}

fn row(entry: &InboxEntry) -> impl IntoView + use<> {
    let data = &entry.event.data;
    let (class, word) = kind(&entry.event.kind);
    let from = from(entry);
    let title = if data.title.is_empty() { entry.event.kind.clone() } else { data.title.clone() };
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
    use super::kind;

    #[test]
    fn a_message_of_a_type_to_come_is_named_by_it() {
        assert_eq!(kind("incident.resolved"), ("chip well", "RESOLVED"));
        assert_eq!(kind("alert.firing"), ("chip", "alert.firing"));
    }
}
