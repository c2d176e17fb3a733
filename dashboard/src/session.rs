//! Who is at it: the API key of this tab, and what is remembered about the page's look.

use leptos::prelude::*;
use web_sys::Storage;

use crate::client::Failure;

const KEY: &str = "hlsops.key";
const THEME: &str = "hlsops.theme";

/// The key, shared by all of the page.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    key: RwSignal<Option<String>>,
    /// Why there is no key any more.
    refusal: RwSignal<Option<String>>,
}

impl Session {
    /// Takes the key from the address (`#key=...`, which is then removed from it and from the history) or from
    /// this tab's storage.
    pub(crate) fn start() -> Self {
        let given = key_of_fragment(&window().location().hash().unwrap_or_default());
        if let Some(key) = &given {
            remember(key);
            hide_fragment();
        }
        let key = given.or_else(|| storage()?.get_item(KEY).ok().flatten());
        let session = Self { key: RwSignal::new(key), refusal: RwSignal::new(None) };
        provide_context(session);
        session
    }

    /// The one that [`Session::start`] made.
    pub(crate) fn current() -> Self {
        use_context().unwrap_or_else(|| Self { key: RwSignal::new(None), refusal: RwSignal::new(None) })
    }

    /// The key, without following its changes.
    pub(crate) fn key(self) -> Option<String> {
        self.key.get_untracked()
    }

    pub(crate) fn is_signed_in(self) -> bool {
        self.key.with(Option::is_some)
    }

    pub(crate) fn refusal(self) -> Option<String> {
        self.refusal.get()
    }

    pub(crate) fn sign_in(self, key: &str) {
        remember(key);
        self.refusal.set(None);
        self.key.set(Some(key.to_owned()));
    }

    pub(crate) fn sign_out(self) {
        forget();
        self.refusal.set(None);
        self.key.set(None);
    }

    /// The API does not accept the key.
    pub(crate) fn refuse(self, key: &str, why: &Failure) {
        if self.key().as_deref() == Some(key) {
            forget();
            let detail = why.detail();
            self.refusal.set(Some(if detail.is_empty() { why.title() } else { detail }));
            self.key.set(None);
        }
    }
}

/// The key in `#key=...`; none in any other fragment.
fn key_of_fragment(fragment: &str) -> Option<String> {
    let key = fragment.strip_prefix("#key=")?.trim();
    let is_key =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    is_key.then(|| key.to_owned())
}

/// Storage of this tab. None where the browser forbids it: the key is then kept until the page is left.
fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn remember(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(KEY, key);
    }
}

fn forget() {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(KEY);
    }
}

fn hide_fragment() {
    let location = window().location();
    let path = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&path));
    }
}

/// How the page looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system does.
    #[default]
    System,
    Dark,
    Light,
}

impl Theme {
    /// As remembered in this browser.
    pub(crate) fn remembered() -> Self {
        let chosen = window()
            .local_storage()
            .ok()
            .flatten()
            .and_then(|storage| storage.get_item(THEME).ok().flatten());
        match chosen.as_deref() {
            Some("dark") => Self::Dark,
            Some("light") => Self::Light,
            _ => Self::System,
        }
    }

    pub(crate) const fn next(self) -> Self {
        match self {
            Self::System => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::System,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }

    /// Shows it and remembers it.
    pub(crate) fn choose(self) {
        let root = document().document_element();
        let storage = window().local_storage().ok().flatten();
        if self == Self::System {
            root.map(|root| root.remove_attribute("data-theme"));
            storage.map(|storage| storage.remove_item(THEME));
        } else {
            root.map(|root| root.set_attribute("data-theme", self.name()));
            storage.map(|storage| storage.set_item(THEME, self.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_is_taken_from_the_fragment() {
        assert_eq!(key_of_fragment("#key=hlsops_ab12"), Some("hlsops_ab12".into()));
        for other in ["", "#", "#key=", "#key=a b", "#evt_1", "key=a", "#key=<b>"] {
            assert_eq!(key_of_fragment(other), None, "{other}");
        }
    }

    #[test]
    fn themes_come_round() {
        assert_eq!(Theme::System.next().next().next(), Theme::System);
    }
}
