//! Channels: who is told of incidents, and whether that works.

pub(crate) mod deliveries;
mod draft;
mod edit;
mod page;
mod secret;
mod test;

use hlsops_wire::{Channel, ChannelFormat, Delivery, List};
use leptos::prelude::*;

use crate::client::BASE;
use crate::live::{Live, Role};
use crate::rights::Changing;
use crate::ui::{Skeleton, Trouble, at, set_title};
use deliveries::{Deliveries, follow, outcome};
use draft::{EVENTS, host};
pub(crate) use edit::{ChannelSettingsPage, NewChannelPage};
pub(crate) use page::ChannelPage;

/// `/channels`
#[component]
pub(crate) fn ChannelsPage() -> impl IntoView {
    set_title("Channels");
    let channels = Live::<List<Channel>>::follow(Role::Main, Signal::derive(|| format!("{BASE}/channels")));
    let deliveries = follow();
    let failure = move || channels.failure.get().filter(|_| channels.data.with(Option::is_none));
    let is_empty = move || channels.data.with(|list| list.as_ref().is_some_and(|l| l.items.is_empty()));
    let is_there = move || channels.data.with(|list| list.as_ref().is_some_and(|l| !l.items.is_empty()));
    view! {
        <div class="head">
            <h1>"Channels"</h1>
            <div class="actions"><Changing><a class="button primary" href="/channels/new">"Add a channel"</a></Changing></div>
        </div>
        {move || failure().map(|failure| view! {
            <Trouble failure retry=Callback::new(move |()| channels.refresh())/>
        })}
        <Show when=move || failure().is_none() && channels.data.with(Option::is_none)><Skeleton/></Show>
        <Show when=is_empty>
            <section class="empty">
                <h2>"Nobody is told yet"</h2>
                <p>"A channel posts a signed message to your URL when an incident opens, is taken, or is over."</p>
                <p>"Until then every message is in the "<a href="/inbox">"inbox"</a>"."</p>
                <p><Changing><a class="button primary" href="/channels/new">"Add a channel"</a></Changing></p>
            </section>
        </Show>
        <Show when=is_there>
            {move || channels.data.get().map(|list| table(&list.items, deliveries))}
            <Deliveries deliveries channels/>
        </Show>
    }
}

fn table(channels: &[Channel], deliveries: Live<List<Delivery>>) -> impl IntoView + use<> {
    view! {
        <div class="panel scroll" tabindex="0" role="region" aria-label="Channels">
            <table class="listing stack">
                <thead><tr>
                    <th scope="col">"Channel"</th><th scope="col">"Kind"</th><th scope="col">"Posts to"</th>
                    <th scope="col">"Told of"</th><th scope="col">"State"</th><th scope="col">"Last delivery"</th>
                </tr></thead>
                <tbody>{channels.iter().map(|channel| row(channel, deliveries)).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn row(channel: &Channel, deliveries: Live<List<Delivery>>) -> impl IntoView + use<> {
    let id = channel.id.clone();
    let last = Memo::new(move |_| {
        let list = deliveries.data.get()?;
        list.items.iter().find(|delivery| delivery.channel_id == id).cloned()
    });
    view! {
        <tr>
            <th scope="row"><a href=href(channel)>{channel.name.clone()}</a></th>
            <td class="nowrap" data-label="Kind">{kind(channel.format)}</td>
            <td data-label="Posts to"><code>{host(&channel.url).to_owned()}</code></td>
            <td data-label="Told of">{told_of(&channel.events)}</td>
            <td data-label="State">{enabled(channel)}</td>
            <td class="nowrap" data-label="Last delivery">{move || match last.get() {
                Some(last) => view! { <span>{outcome(&last)}" "{at(&last.started_at)}</span> }.into_any(),
                None => view! { <span class="fine">"none yet"</span> }.into_any(),
            }}</td>
        </tr>
    }
}

fn href(channel: &Channel) -> String {
    format!("/channels/{}", channel.id)
}

const fn kind(format: ChannelFormat) -> &'static str {
    match format {
        ChannelFormat::Event => "Webhook, JSON",
        ChannelFormat::Lines => "Webhook, lines of text",
    }
}

/// The last word of each type, which says it; none are all.
fn told_of(events: &[String]) -> String {
    if events.is_empty() || events.len() == EVENTS.len() {
        return "all incidents".to_owned();
    }
    let word = |event: &String| event.rsplit('.').next().unwrap_or_default().to_owned();
    events.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Whether it is told; why not, where nobody did that by hand.
fn enabled(channel: &Channel) -> impl IntoView + use<> {
    let (class, word) = match (channel.enabled, &channel.disabled_reason) {
        (true, _) => ("chip well", "on"),
        (false, None) => ("chip", "off"),
        (false, Some(_)) => ("chip ill", "off"),
    };
    view! { <span class=class title=channel.disabled_reason.clone()>{word}</span> }
}

#[cfg(test)]
mod tests {
    use super::told_of;

    #[test]
    fn events_are_named_by_what_happens() {
        assert_eq!(told_of(&[]), "all incidents");
        assert_eq!(told_of(&["incident.opened".into(), "incident.resolved".into()]), "opened, resolved");
    }
}
