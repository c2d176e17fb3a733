//! Adding a channel, and changing one.

use hlsops_wire::{Channel, ChannelFormat, ChannelWithSecret};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};

use super::draft::{Draft, EVENTS};
use super::secret::SecretPanel;
use super::test::Trial;
use crate::client::{BASE, client};
use crate::form::{Form, HeaderRows, Line, Unplaced, Wrong};
use crate::live::{Live, Role};
use crate::ui::{Notices, Skeleton, Trouble, set_title};

#[component]
fn Fields(form: Form<Draft>) -> impl IntoView {
    let format = move |event: &web_sys::Event| {
        let lines = event_target_value(event) == "lines";
        let format = if lines { ChannelFormat::Lines } else { ChannelFormat::Event };
        form.set("/format", |draft| draft.format = format);
    };
    view! {
        <Line form label="Name" pointer="/name" hint="For people: who is told."
            read=|d| d.name.clone() write=|d, text| d.name = text/>
        <Line form label="URL" pointer="/url" hint="Messages are posted to it. Addresses of your own network need --allow-target HOST:PORT at the server's start."
            read=|d| d.url.clone() write=|d, text| d.url = text/>
        <div class="field">
            <label for="format">"Messages"</label>
            <select id="format" on:change=move |event| format(&event)
                prop:value=move || form.read(|d| if d.format == ChannelFormat::Lines { "lines" } else { "event" })>
                <option value="event">"JSON: the event with all its fields"</option>
                <option value="lines">"Text: a subject and lines, in JSON"</option>
            </select>
            <Wrong form pointer="/format" id="format-wrong"/>
        </div>
        <fieldset class="field">
            <legend>"Told when"</legend>
            <div class="switches">
                {EVENTS.iter().enumerate().map(|(index, (_, label))| view! {
                    <label class="switch">
                        <input type="checkbox" prop:checked=move || form.read(|d| d.events[index])
                            on:change=move |event| {
                                let on = event_target_checked(&event);
                                form.set("/events", |draft| draft.events[index] = on);
                            }/>
                        {*label}
                    </label>
                }).collect_view()}
            </div>
            <Wrong form pointer="/events" id="events-wrong"/>
        </fieldset>
    }
}

#[component]
fn Headers(form: Form<Draft>) -> impl IntoView {
    view! {
        <HeaderRows form legend="Request headers" pointer="/headers"
            hint="What the receiver asks for, such as an access token. Values are not shown again."
            read=|draft| &draft.headers rows=|draft| &mut draft.headers/>
    }
}

/// `/channels/new`: what is needed, then the secret, once, and a test.
#[component]
pub(crate) fn NewChannelPage() -> impl IntoView {
    set_title("Add a channel");
    let added = RwSignal::new(None::<ChannelWithSecret>);
    view! {
        <nav class="crumb" aria-label="Breadcrumb"><a href="/channels">"Channels"</a></nav>
        {move || match added.get() {
            Some(added) => view! { <Added added/> }.into_any(),
            None => view! { <NewChannel added/> }.into_any(),
        }}
    }
}

#[component]
fn NewChannel(added: RwSignal<Option<ChannelWithSecret>>) -> impl IntoView {
    let form = Form::new(Draft::default());
    let client = client();
    let busy = RwSignal::new(false);
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(body) = form.body(Draft::create) else { return };
        busy.set(true);
        spawn_local(async move {
            let answer = client.post(&format!("{BASE}/channels"), &body).await;
            match answer.and_then(|answer| answer.json::<ChannelWithSecret>()) {
                Ok(channel) => {
                    added.try_set(Some(channel));
                }
                Err(failure) => form.refuse(&failure),
            }
            busy.try_set(false);
        });
    };
    view! {
        <div class="head"><h1>"Add a channel"</h1></div>
        <form class="panel form" novalidate=true on:submit=save>
            <Fields form/>
            <details class="more">
                <summary>"More"<span class="fine">" headers, a secret of your own"</span></summary>
                <Headers form/>
                <Line form label="Secret" pointer="/secret" hint="Left empty, one is made and shown once."
                    read=|d| d.secret.clone() write=|d, text| d.secret = text/>
            </details>
            <Unplaced form/>
            <div class="actions">
                <button type="submit" class="primary" disabled=move || busy.get()>"Add the channel"</button>
                <a class="button" href="/channels">"Cancel"</a>
            </div>
        </form>
    }
}

#[component]
fn Added(added: ChannelWithSecret) -> impl IntoView {
    let trial = Trial::new(Callback::new(|()| ()));
    let ChannelWithSecret { channel, secret } = added;
    let (id, page) = (channel.id.clone(), super::href(&channel));
    view! {
        <div class="head"><h1>{channel.name.clone()}" is added"</h1></div>
        <SecretPanel secret/>
        {trial.result()}
        <div class="actions">
            {trial.button(Signal::derive(move || id.clone()))}
            <a class="button" href=page>"Done"</a>
        </div>
    }
}

/// `/channels/:id/settings`
#[component]
pub(crate) fn ChannelSettingsPage() -> impl IntoView {
    let parameters = use_params_map();
    let path = Signal::derive(move || {
        format!("{BASE}/channels/{}", parameters.with(|all| all.get("id").unwrap_or_default()))
    });
    let live = Live::<Channel>::follow(Role::Main, path);
    let failure = move || live.failure.get().filter(|_| live.data.with(Option::is_none));
    // The form is made once of the first answer: a poll must not overwrite what is being typed.
    let is_there = Memo::new(move |before: Option<&bool>| {
        before.copied().unwrap_or_default() || live.data.with(Option::is_some)
    });
    view! {
        {move || failure().map(|failure| view! {
            <h1 class="unseen">"Settings"</h1>
            <Trouble failure retry=Callback::new(move |()| live.refresh())/>
        })}
        <Show when=move || failure().is_none() && !is_there.get()><h1 class="unseen">"Settings"</h1><Skeleton/></Show>
        <Show when=move || is_there.get()><Settings live/></Show>
    }
}

#[component]
fn Settings(live: Live<Channel>) -> AnyView {
    let Some(channel) = live.data.get_untracked() else { return ().into_any() };
    // Changes of others since then are refused by the API, not overwritten.
    let etag = live.etag();
    set_title(&format!("Settings of {}", channel.name));
    let form = Form::new(Draft::of(&channel));
    let (client, notices, navigate) = (client(), Notices::current(), use_navigate());
    let busy = RwSignal::new(false);
    let (name, back) = (channel.name.clone(), super::href(&channel));
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(patch) = form.body(|draft| draft.patch(&channel)) else { return };
        let (navigate, etag, href) = (navigate.clone(), etag.clone(), super::href(&channel));
        let path = format!("{BASE}/channels/{}", channel.id);
        busy.set(true);
        spawn_local(async move {
            match client.patch(&path, &etag, &patch).await {
                Ok(_) => {
                    notices.say("Saved; the next message goes that way");
                    navigate(&href, NavigateOptions::default());
                }
                Err(failure) if failure.status() == 412 => form.outdated("channel"),
                Err(failure) => form.refuse(&failure),
            }
            busy.try_set(false);
        });
    };
    view! {
        <nav class="crumb" aria-label="Breadcrumb"><a href="/channels">"Channels"</a><a href=back.clone()>{name.clone()}</a></nav>
        <div class="head"><h1>"Settings of "{name}</h1></div>
        <form class="panel form" novalidate=true on:submit=save>
            <Fields form/>
            <Headers form/>
            <Unplaced form/>
            <div class="actions">
                <button type="submit" class="primary" disabled=move || busy.get()>"Save"</button>
                <a class="button" href=back>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}
