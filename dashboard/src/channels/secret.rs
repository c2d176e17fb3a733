//! A channel's secret, shown this once.

use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use crate::ui::Notices;

/// The secret with a button that copies it, and how a receiver uses it.
#[component]
pub(crate) fn SecretPanel(secret: String) -> impl IntoView {
    let notices = Notices::current();
    let field = NodeRef::<Input>::new();
    let text = secret.clone();
    let copy = move |_| {
        if let Some(field) = field.get_untracked() {
            field.select();
        }
        // Over plain HTTP browsers have no clipboard; what is selected can be copied by hand.
        if !window().is_secure_context() {
            return notices.say("It is selected: copy it with Ctrl+C");
        }
        let written = window().navigator().clipboard().write_text(&text);
        spawn_local(async move {
            match JsFuture::from(written).await {
                Ok(_) => notices.say("The secret is copied"),
                Err(_) => notices.say("The browser does not allow it; it is selected: copy it with Ctrl+C"),
            }
        });
    };
    view! {
        <section class="panel secret" aria-labelledby="secret">
            <h2 id="secret">"The secret, shown only now"</h2>
            <div class="with-button">
                <input node_ref=field type="text" readonly=true aria-label="Secret" aria-describedby="secret-use" value=secret/>
                <button type="button" on:click=copy>"Copy"</button>
            </div>
            <p class="hint" id="secret-use">
                "Every message is signed as "<a href="https://www.standardwebhooks.com" rel="noreferrer">"Standard Webhooks"</a>
                " says, whose libraries check it with this secret: "<code>"webhook-signature"</code>" is "<code>"v1,"</code>
                " and the base64 of HMAC-SHA256 over "<code>"{webhook-id}.{webhook-timestamp}.{body}"</code>
                ", keyed with what follows "<code>"whsec_"</code>", base64-decoded."
            </p>
        </section>
    }
}
