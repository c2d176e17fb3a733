//! What was sent, and every attempt at it.

use std::collections::HashMap;

use hlsops_wire::{Channel, Delivery, InboxEntry, List};
use leptos::prelude::*;

use crate::acknowledge::encoded;
use crate::client::BASE;
use crate::live::{Live, Role};
use crate::ui::{Skeleton, at};

/// Attempts that are asked for.
const LIMIT: u32 = 200;

/// A message to a channel with its attempts, newest first; never empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    attempts: Vec<Delivery>,
}

impl Sent {
    /// The newest attempt.
    pub(crate) fn last(&self) -> Option<&Delivery> {
        self.attempts.first()
    }
}

/// Attempts, newest first, put together by message and channel; the message tried last comes first.
pub(crate) fn messages(deliveries: &[Delivery]) -> Vec<Sent> {
    let mut places = HashMap::new();
    let mut messages: Vec<Sent> = Vec::new();
    for delivery in deliveries {
        let next = messages.len();
        let place = *places.entry((delivery.event_id.as_str(), delivery.channel_id.as_str())).or_insert(next);
        if place == next {
            messages.push(Sent { attempts: Vec::new() });
        }
        messages[place].attempts.push(delivery.clone());
    }
    messages
}

/// What messages are about, by their ids.
type Subjects = HashMap<String, Subject>;

#[derive(Clone, Debug, PartialEq)]
struct Subject {
    stream: Option<String>,
    incident: Option<String>,
}

/// The inbox knows what was sent; it is asked again when something was.
fn subjects(deliveries: Live<List<Delivery>>) -> Memo<Subjects> {
    let inbox = Live::<List<InboxEntry>>::follow(
        Role::Slow,
        Signal::derive(|| format!("{BASE}/inbox?limit={LIMIT}")),
    );
    let newest = Memo::new(move |_| {
        deliveries.data.with(|list| list.as_ref()?.items.first().map(|delivery| delivery.id.clone()))
    });
    Effect::new(move |before: Option<Option<String>>| {
        let now = newest.get();
        if before.flatten().is_some_and(|before| Some(&before) != now.as_ref()) {
            inbox.refresh();
        }
        now
    });
    let subject = |entry: &InboxEntry| {
        let data = &entry.event.data;
        let stream = data.stream.as_ref().map(|stream| stream.name.clone());
        (entry.event_id.clone(), Subject { stream, incident: data.incident_id.clone() })
    };
    Memo::new(move |_| {
        inbox
            .data
            .with(|list| list.as_ref().map(|l| l.items.iter().map(subject).collect()).unwrap_or_default())
    })
}

/// The newest attempts at all channels, kept up to date.
pub(crate) fn follow() -> Live<List<Delivery>> {
    Live::follow(Role::Side, Signal::derive(|| format!("{BASE}/deliveries?limit={LIMIT}")))
}

/// What came of an attempt.
pub(crate) fn outcome(delivery: &Delivery) -> impl IntoView + use<> {
    let (class, word) = if delivery.delivered { ("chip well", "delivered") } else { ("chip ill", "failed") };
    view! { <span class=class>{word}</span> }
}

/// Status and time of an attempt, and why it failed.
pub(crate) fn told(delivery: &Delivery) -> String {
    let answer = delivery.status.map(|status| format!("answered {status}"));
    let error = delivery.error.clone().filter(|error| !delivery.delivered && !error.is_empty());
    let said = match (error, answer) {
        // The error names the status where there is one.
        (Some(error), _) => error,
        (None, Some(answer)) => answer,
        (None, None) => "no answer".to_owned(),
    };
    format!("{said}, {} ms", delivery.duration_ms)
}

/// What was sent lately: to one channel, or to all of them with their names.
#[component]
pub(crate) fn Deliveries(
    deliveries: Live<List<Delivery>>,
    /// Only those to this channel.
    #[prop(optional, into)]
    of: Option<Signal<String>>,
    /// The channels by which deliveries are named.
    #[prop(optional)]
    channels: Option<Live<List<Channel>>>,
) -> impl IntoView {
    let shown = Memo::new(move |_| {
        let list = deliveries.data.get()?;
        let mut sent = messages(&list.items);
        if let Some(of) = of {
            let id = of.get();
            sent.retain(|sent| sent.last().is_some_and(|last| last.channel_id == id));
        }
        Some(sent)
    });
    let names = channels.map(|channels| Memo::new(move |_| named(channels.data.get().as_deref())));
    let subjects = subjects(deliveries);
    let is_empty = move || shown.with(|shown| shown.as_ref().is_some_and(Vec::is_empty));
    // Attempts are added to what is there; a row is made anew when it has another.
    let key = |sent: &Sent| sent.last().map(|last| last.id.clone());
    view! {
        <section class="panel" aria-labelledby="deliveries">
            <header><h2 id="deliveries">"Deliveries"</h2><span class="fine">"newest first; a failed one is repeated for 24 h"</span></header>
            {move || match (shown.with(Option::is_some), deliveries.failure.get()) {
                (true, _) => None,
                (false, None) => Some(view! { <Skeleton of="rows"/> }.into_any()),
                (false, Some(failure)) => Some(view! { <p class="bad">{failure.title()}</p> }.into_any()),
            }}
            <Show when=is_empty><p class="none">"Nothing has been sent yet: \"Send a test\" does."</p></Show>
            <ul class="sent">
                <For each=move || shown.get().unwrap_or_default() key=key let:sent>{message(&sent, names, subjects)}</For>
            </ul>
        </section>
    }
}

/// The names of channels by their ids.
fn named(channels: Option<&List<Channel>>) -> HashMap<String, String> {
    let all = channels.iter().flat_map(|list| &list.items);
    all.map(|channel| (channel.id.clone(), channel.name.clone())).collect()
}

fn message(
    sent: &Sent,
    names: Option<Memo<HashMap<String, String>>>,
    subjects: Memo<Subjects>,
) -> impl IntoView + use<> {
    let last = sent.last()?;
    let count = sent.attempts.len();
    let (event, channel) = (last.event_id.clone(), last.channel_id.clone());
    let subject = Memo::new(move |_| subjects.with(|known| known.get(&event).cloned()));
    let to = move || {
        let known = names?.with(|names| names.get(&channel).cloned());
        Some(format!(" to {}", known.as_deref().unwrap_or("a channel that was removed")))
    };
    let stream = move || Some(view! { <b>{subject.get()?.stream?}</b>" " });
    let incident = move || {
        let href = format!("/incidents/{}", encoded(&subject.get()?.incident?));
        Some(view! { " of "<a href=href>"its incident"</a> })
    };
    Some(view! {
        <li>
            <details>
                <summary>
                    {outcome(last)}
                    <span class="when">{at(&last.started_at)}</span>
                    <span class="what">
                        {stream}{last.event_type.clone()}{to}
                        <span class="of">{told(last)}{(count > 1).then(|| format!(", {count} attempts"))}</span>
                    </span>
                </summary>
                <ol class="attempts">{sent.attempts.iter().map(attempt).collect_view()}</ol>
                <p class="fine">"Message "<code>{last.event_id.clone()}</code>{incident}</p>
            </details>
        </li>
    })
}

fn attempt(delivery: &Delivery) -> impl IntoView + use<> {
    let answer = (!delivery.answer.is_empty()).then(|| delivery.answer.clone());
    view! {
        <li>
            <span class="fine">"Attempt "{delivery.attempt}</span>
            <span class="when">{at(&delivery.started_at)}</span>
            <span class="what">
                {told(delivery)}
                {answer.map(|answer| view! { <code class="answer">{answer}</code> })}
            </span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(event: &str, channel: &str, attempt: u64) -> Delivery {
        Delivery {
            id: format!("dlv_{event}{channel}{attempt}"),
            event_id: event.into(),
            event_type: "test".into(),
            channel_id: channel.into(),
            attempt,
            started_at: "2026-11-22T03:04:05.678Z".into(),
            duration_ms: 12,
            delivered: false,
            status: None,
            answer: String::new(),
            error: None,
        }
    }

    #[test]
    fn attempts_at_one_message_to_one_channel_belong_together() {
        let all =
            [delivery("b", "x", 2), delivery("a", "x", 1), delivery("b", "y", 1), delivery("b", "x", 1)];
        let sent = messages(&all);
        let attempts: Vec<Vec<_>> =
            sent.iter().map(|sent| sent.attempts.iter().map(|d| d.attempt).collect()).collect();
        assert_eq!(attempts, [vec![2, 1], vec![1], vec![1]]);
        assert!(messages(&[]).is_empty());
    }

    #[test]
    fn an_attempt_says_what_came_of_it() {
        let well = Delivery { delivered: true, status: Some(204), ..delivery("a", "x", 1) };
        assert_eq!(told(&well), "answered 204, 12 ms");
        let refused = Delivery {
            status: Some(500),
            error: Some("the receiver answered 500".into()),
            ..delivery("a", "x", 1)
        };
        assert_eq!(told(&refused), "the receiver answered 500, 12 ms");
        assert_eq!(told(&delivery("a", "x", 1)), "no answer, 12 ms");
    }
}
