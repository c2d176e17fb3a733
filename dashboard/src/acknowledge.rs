//! Taking an incident: one key, no dialog, and a way back.

use hlsops_wire::{Acknowledge, Incident, IncidentStatus, IncidentTaken};
use leptos::either::Either;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::client::{BASE, Client, client};
use crate::form::errors::capitalized;
use crate::live::Freshness;
use crate::rights::{Person, READ_ONLY, Rights};
use crate::time;
use crate::ui::{Notices, at, status_chip};

/// Takes incidents and gives them back.
#[derive(Clone, Copy)]
pub(crate) struct Acknowledging {
    client: Client,
    notices: Notices,
    person: Person,
    rights: Rights,
    busy: RwSignal<bool>,
    done: Callback<()>,
}

impl Acknowledging {
    /// `done` is called when something has changed.
    pub(crate) fn new(done: Callback<()>) -> Self {
        let (client, notices) = (client(), Notices::current());
        let (person, rights) = (Person::current(), Rights::current());
        Self { client, notices, person, rights, busy: RwSignal::new(false), done }
    }

    /// Takes an open incident. Whether there was one.
    pub(crate) fn take(self, incident: Option<&Incident>) -> bool {
        let open = incident.filter(|incident| incident.status == IncidentStatus::Open);
        // Of a page that was left meanwhile there is nothing any more.
        let (Some(incident), Some(false)) = (open, self.busy.try_get_untracked()) else { return false };
        if !untrack(|| self.rights.may_change()) {
            self.notices.say(READ_ONLY);
            return true;
        }
        let id = incident.id.clone();
        self.person.known(move || self.send(id.clone()));
        true
    }

    fn send(self, id: String) {
        self.busy.set(true);
        spawn_local(async move {
            let answer = self.client.post(&action(&id, "acknowledge"), &self.signed()).await;
            match answer.and_then(|answer| answer.json::<IncidentTaken>()) {
                // Somebody else was faster.
                Ok(IncidentTaken { note: Some(note), .. }) => self.notices.say(capitalized(&note)),
                Ok(_) => {
                    let undo = Callback::new(move |()| self.give_back(id.clone()));
                    self.notices.say_with_undo("Incident acknowledged", undo);
                }
                Err(failure) => self.notices.fail("Acknowledging", &failure),
            }
            self.finish();
        });
    }

    fn signed(self) -> Acknowledge {
        Acknowledge { by: self.person.by() }
    }

    fn give_back(self, id: String) {
        self.busy.set(true);
        spawn_local(async move {
            match self.client.post(&action(&id, "unacknowledge"), &self.signed()).await {
                Ok(_) => self.notices.say("The incident is open again"),
                Err(failure) => self.notices.fail("Giving back", &failure),
            }
            self.finish();
        });
    }

    fn finish(self) {
        self.busy.try_set(false);
        self.done.try_run(());
    }

    /// The button: to take an incident, or to give it back.
    pub(crate) fn button(self, incident: &Incident) -> impl IntoView + use<> {
        let incident = incident.clone();
        let is_busy = move || self.busy.get();
        match incident.status {
            IncidentStatus::Open => Some(Either::Left(view! {
                <button type="button" class="primary" disabled=is_busy
                    on:click=move |_| { self.take(Some(&incident)); }>
                    "Acknowledge"<kbd>"a"</kbd>
                </button>
            })),
            IncidentStatus::Acknowledged => Some(Either::Right(view! {
                <button type="button" disabled=is_busy title="Nobody looks after it any more"
                    on:click=move |_| self.give_back(incident.id.clone())>
                    "Give back"
                </button>
            })),
            IncidentStatus::Resolved => None,
        }
    }
}

fn action(id: &str, verb: &str) -> String {
    format!("{BASE}/incidents/{}/{verb}", encoded(id))
}

/// What the API gave, as a part of a path or a query: ids have colons.
pub(crate) fn encoded(id: &str) -> String {
    js_sys::encode_uri_component(id).into()
}

/// The open incident of a stream in one line: who has it, and how it began.
pub(crate) fn incident_line(incident: &Incident) -> impl IntoView + use<> {
    let fresh = Freshness::current();
    let opened = time::parse(&incident.opened_at);
    let by = incident.acknowledged_by.as_deref().map(|by| format!(" by {by};"));
    view! {
        <p class="incident-line">
            {status_chip(incident.status)}{by}" began with: "
            <a href=format!("/incidents/{}", encoded(&incident.id))>{incident.title.clone()}</a>
            <span class="fine">
                " at " {at(&incident.opened_at)}
                {move || opened.map(|opened| format!(", {} ago", time::length(fresh.shown_now() - opened)))}
            </span>
        </p>
    }
}
