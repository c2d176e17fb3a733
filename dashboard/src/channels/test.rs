//! Trying a channel.

use hlsops_wire::Delivery;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::deliveries::{outcome, told};
use crate::client::{BASE, client};
use crate::ui::Notices;

/// Sends tests and keeps what came of the last.
#[derive(Clone, Copy)]
pub(crate) struct Trial {
    busy: RwSignal<bool>,
    result: RwSignal<Option<Delivery>>,
    /// Called when there is a result.
    done: Callback<()>,
}

impl Trial {
    pub(crate) fn new(done: Callback<()>) -> Self {
        Self { busy: RwSignal::new(false), result: RwSignal::new(None), done }
    }

    /// Sends a test to the channel.
    fn send(self, id: &str) {
        let (client, notices) = (client(), Notices::current());
        let path = format!("{BASE}/channels/{id}/test");
        self.busy.set(true);
        self.result.set(None);
        spawn_local(async move {
            let answer = client.post_empty(&path).await.and_then(|answer| answer.json::<Delivery>());
            match answer {
                Ok(delivery) => {
                    self.result.try_set(Some(delivery));
                }
                Err(failure) => notices.fail("The test", &failure),
            }
            self.busy.try_set(false);
            self.done.try_run(());
        });
    }

    /// The button.
    pub(crate) fn button(self, id: Signal<String>) -> impl IntoView + use<> {
        view! {
            <button type="button" class="primary" disabled=move || self.busy.get()
                on:click=move |_| self.send(&id.get_untracked())>
                {move || if self.busy.get() { "Sending…" } else { "Send a test" }}
            </button>
        }
    }

    /// What came of it.
    pub(crate) fn result(self) -> impl IntoView + use<> {
        view! {
            <div role="status">{move || self.result.get().map(|delivery| {
                let answer = (!delivery.answer.is_empty()).then(|| delivery.answer.clone());
                view! {
                    <p class=if delivery.delivered { "outcome healthy" } else { "outcome unhealthy" }>
                        {outcome(&delivery)}" The test: "{told(&delivery)}
                        {answer.map(|answer| view! { <code class="answer">{answer}</code> })}
                    </p>
                }
            })}</div>
        }
    }
}
