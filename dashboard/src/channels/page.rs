//! A channel: what it is told, whether it arrives, and trying it.

use std::sync::Arc;

use hlsops_wire::{Channel, ChannelPatch, ChannelWithSecret};
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};

use super::deliveries::{Deliveries, follow};
use super::secret::SecretPanel;
use super::test::Trial;
use super::{enabled, kind, told_of};
use crate::client::{BASE, client};
use crate::live::{Live, Role};
use crate::rights::Changing;
use crate::ui::{Notices, Skeleton, Trouble, at, set_title};

/// `/channels/:id`
#[component]
pub(crate) fn ChannelPage() -> impl IntoView {
    let parameters = use_params_map();
    let id = Signal::derive(move || parameters.with(|all| all.get("id").unwrap_or_default()));
    let live =
        Live::<Channel>::follow(Role::Main, Signal::derive(move || format!("{BASE}/channels/{}", id.get())));
    let failure = move || live.failure.get().filter(|_| live.data.with(Option::is_none));
    let is_there = Memo::new(move |_| live.data.with(Option::is_some));
    Effect::new(move |_| {
        if let Some(channel) = live.data.get() {
            set_title(&channel.name);
        }
    });
    view! {
        <nav class="crumb" aria-label="Breadcrumb"><a href="/channels">"Channels"</a></nav>
        {move || failure().map(|failure| view! {
            <h1 class="unseen">"Channel"</h1>
            <Trouble failure retry=Callback::new(move |()| live.refresh())/>
        })}
        <Show when=move || failure().is_none() && !is_there.get()><h1 class="unseen">"Channel"</h1><Skeleton/></Show>
        <Show when=move || is_there.get()><Page live id/></Show>
    }
}

#[component]
fn Page(live: Live<Channel>, id: Signal<String>) -> impl IntoView {
    let deliveries = follow();
    let trial = Trial::new(Callback::new(move |()| deliveries.refresh()));
    let dialog = NodeRef::<Dialog>::new();
    let ask = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            let _ = dialog.show_modal();
        }
    };
    view! {
        <div class="head">
            <h1>{move || live.data.with(|channel| channel.as_ref().map(|c| c.name.clone()))}</h1>
            {move || live.data.with(|channel| channel.as_ref().map(|c| enabled(c)))}
            <div class="actions"><Changing>
                {trial.button(id)}
                <EnableButton live/>
                <a class="button" href=move || format!("/channels/{}/settings", id.get())>"Settings"</a>
                <button type="button" class="danger" on:click=ask>"Remove"</button>
                <RemoveDialog live dialog/>
            </Changing></div>
        </div>
        {trial.result()}
        {move || live.data.get().and_then(|channel| channel.disabled_reason.clone()).map(|why| view! {
            <p class="verdict unhealthy">{why}</p>
        })}
        <div class="columns">
            <Deliveries deliveries of=id/>
            <div>
                {move || live.data.get().map(|channel| facts(&channel))}
                <Signing live/>
            </div>
        </div>
    }
}

fn facts(channel: &Arc<Channel>) -> impl IntoView + use<> {
    let headers: Vec<_> = channel.headers.iter().map(|header| header.name.clone()).collect();
    view! {
        <section class="panel" aria-labelledby="facts">
            <header><h2 id="facts">"Channel"</h2></header>
            <dl class="facts">
                <div><dt>"Kind"</dt><dd>{kind(channel.format)}</dd></div>
                <div><dt>"Posts to"</dt><dd class="url">{channel.url.clone()}</dd></div>
                <div><dt>"Told of"</dt><dd>{told_of(&channel.events)}</dd></div>
                {(!headers.is_empty()).then(|| view! { <div><dt>"Headers"</dt><dd>{headers.join(", ")}</dd></div> })}
                <div><dt>"Added"</dt><dd>{at(&channel.created_at)}</dd></div>
            </dl>
        </section>
    }
}

#[component]
fn EnableButton(live: Live<Channel>) -> impl IntoView {
    let (client, notices) = (client(), Notices::current());
    let busy = RwSignal::new(false);
    let is_on = move || live.data.with(|channel| channel.as_ref().is_some_and(|c| c.enabled));
    let toggle = move |_| {
        let Some(channel) = live.data.get_untracked() else { return };
        let patch = ChannelPatch { enabled: Some(!channel.enabled), ..ChannelPatch::default() };
        let (path, etag) = (format!("{BASE}/channels/{}", channel.id), live.etag());
        busy.set(true);
        spawn_local(async move {
            match client.patch(&path, &etag, &patch).await {
                Ok(_) if channel.enabled => notices.say(format!("{} is told nothing now", channel.name)),
                Ok(_) => notices.say(format!("{} is told again", channel.name)),
                Err(failure) => notices.fail("The change", &failure),
            }
            busy.try_set(false);
            live.refresh();
        });
    };
    view! {
        <button type="button" disabled=move || busy.get() on:click=toggle>
            {move || if is_on() { "Turn off" } else { "Turn on" }}
        </button>
    }
}

/// The secrets: a new one, and letting go of the one before.
#[component]
fn Signing(live: Live<Channel>) -> impl IntoView {
    let (client, notices) = (client(), Notices::current());
    let busy = RwSignal::new(false);
    let fresh = RwSignal::new(None::<String>);
    let has_two = move || live.data.with(|channel| channel.as_ref().is_some_and(|c| c.secret_count > 1));
    let path = move || {
        live.data
            .with_untracked(|channel| channel.as_ref().map(|c| format!("{BASE}/channels/{}/secret", c.id)))
    };
    let renew = move |_| {
        let Some(path) = path() else { return };
        busy.set(true);
        spawn_local(async move {
            let answer = client.post_empty(&path).await.and_then(|answer| answer.json::<ChannelWithSecret>());
            match answer {
                Ok(renewed) => {
                    fresh.try_set(Some(renewed.secret));
                }
                Err(failure) => notices.fail("Making a secret", &failure),
            }
            busy.try_set(false);
            live.refresh();
        });
    };
    let let_go = move |_| {
        let Some(path) = path() else { return };
        busy.set(true);
        spawn_local(async move {
            match client.delete(&path, "*").await {
                Ok(_) => notices.say("The old secret is gone"),
                Err(failure) => notices.fail("Dropping the old secret", &failure),
            }
            busy.try_set(false);
            live.refresh();
        });
    };
    view! {
        <section class="panel" aria-labelledby="signing">
            <header><h2 id="signing">"Signing"</h2></header>
            <p class="fine">{move || if has_two() {
                "Messages are signed with the new secret and with the one before, so that the receiver can change over."
            } else {
                "Messages are signed. A new secret is added beside the present one, so that the receiver can change over."
            }}</p>
            <div class="actions"><Changing>
                <button type="button" disabled=move || busy.get() on:click=renew>"New secret"</button>
                <Show when=has_two>
                    <button type="button" disabled=move || busy.get() on:click=let_go>"Drop the old one"</button>
                </Show>
            </Changing></div>
        </section>
        {move || fresh.get().map(|secret| view! { <SecretPanel secret/> })}
    }
}

#[component]
fn RemoveDialog(live: Live<Channel>, dialog: NodeRef<Dialog>) -> impl IntoView {
    let (client, notices) = (client(), Notices::current());
    let navigate = use_navigate();
    let name = move || live.data.with(|channel| channel.as_ref().map(|c| c.name.clone()).unwrap_or_default());
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let remove = move |_| {
        let Some(channel) = live.data.get_untracked() else { return };
        let navigate = navigate.clone();
        close();
        spawn_local(async move {
            match client.delete(&format!("{BASE}/channels/{}", channel.id), "*").await {
                Ok(_) => {
                    notices.say(format!("{} is removed", channel.name));
                    navigate("/channels", NavigateOptions::default());
                }
                Err(failure) => notices.fail("Removing", &failure),
            }
        });
    };
    view! {
        <dialog node_ref=dialog aria-labelledby="remove-title">
            <h2 id="remove-title">{move || format!("Remove {}?", name())}</h2>
            <p>"It is told nothing any more; what is on its way to it is given up."</p>
            <div class="actions">
                <button type="button" on:click=move |_| close()>"Keep it"</button>
                <button type="button" class="danger" on:click=remove>"Remove"</button>
            </div>
        </dialog>
    }
}
