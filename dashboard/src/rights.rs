//! What the key of this tab may do, and who sits in front of it.

use std::sync::Arc;

use hlsops_wire::{Key, Scope};
use leptos::html::Dialog;
use leptos::prelude::*;

use crate::client::BASE;
use crate::live::{Live, Role};
use crate::ui::set_title;

/// Said where a button would be.
pub(crate) const READ_ONLY: &str = "This key may only read";
const NAME: &str = "hlsops.name";
/// Longest name of a person, and longest of all that is told of who takes an incident. Unit: characters.
const NAME_MAX: usize = 40;
const BY_MAX: usize = 80;

/// The key, as the API describes it. Until it has, everything is offered: the API has the last word.
#[derive(Clone, Copy)]
pub(crate) struct Rights(RwSignal<Option<std::sync::Arc<Key>>>);

impl Rights {
    pub(crate) fn start() -> Self {
        let own = Live::<Key>::follow(Role::Slow, Signal::derive(|| format!("{BASE}/keys/self")));
        let rights = Self(own.data);
        provide_context(rights);
        rights
    }

    pub(crate) fn current() -> Self {
        use_context().unwrap_or_else(|| Self(RwSignal::new(None)))
    }

    /// May add and change streams and channels, and take incidents.
    pub(crate) fn may_change(self) -> bool {
        self.0.with(|key| key.as_ref().is_none_or(|key| key.scope >= Scope::Operator))
    }

    /// Is known to be of the highest scope.
    pub(crate) fn is_admin(self) -> bool {
        self.0.with(|key| key.as_ref().is_some_and(|key| key.scope == Scope::Admin))
    }

    fn name(self) -> Option<String> {
        self.0.with_untracked(|key| key.as_ref().map(|key| key.name.clone()))
    }
}

/// Buttons that change something, where the key may press them; else why they are not there.
#[component]
pub(crate) fn Changing(children: ChildrenFn) -> impl IntoView {
    let rights = Rights::current();
    let may_change = Memo::new(move |_| rights.may_change());
    view! {
        <Show when=move || may_change.get() fallback=|| view! { <span class="fine">{READ_ONLY}</span> }>
            {children()}
        </Show>
    }
}

/// A page that changes something.
#[component]
pub(crate) fn ChangingPage(children: ChildrenFn) -> impl IntoView {
    let rights = Rights::current();
    let may_change = Memo::new(move |_| rights.may_change());
    let refusal = || {
        set_title(READ_ONLY);
        view! {
            <section class="empty">
                <h1>{READ_ONLY}</h1>
                <p>"Adding and changing takes a key of scope operator: sign out, and in with such a one."</p>
                <p><a class="button" href="/">"To the wall"</a></p>
            </section>
        }
    };
    view! { <Show when=move || may_change.get() fallback=refusal>{children()}</Show> }
}

/// Owned by itself, unlike a `Callback`: the button that began it may have been drawn anew before the name is given.
type Waiting = Arc<dyn Fn() + Send + Sync>;

/// The person whose page this is, asked for until there is a name, which is remembered in this browser.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    /// As it was typed; empty until somebody gave one.
    name: RwSignal<String>,
    /// What waits for the name.
    waiting: RwSignal<Option<Waiting>>,
    rights: Rights,
}

impl Person {
    pub(crate) fn start(rights: Rights) -> Self {
        let storage = window().local_storage().ok().flatten();
        let name = storage.and_then(|storage| storage.get_item(NAME).ok().flatten()).unwrap_or_default();
        let person = Self { name: RwSignal::new(name), waiting: RwSignal::new(None), rights };
        provide_context(person);
        person
    }

    pub(crate) fn current() -> Self {
        use_context().unwrap_or_else(|| Self::start(Rights::current()))
    }

    /// Does it at once where the name is known, else after it was asked for.
    pub(crate) fn known(self, then: impl Fn() + Send + Sync + 'static) {
        if self.name.with_untracked(|name| clean(name).is_empty()) {
            self.waiting.set(Some(Arc::new(then)));
        } else {
            then();
        }
    }

    /// Who takes an incident; none: the key alone.
    pub(crate) fn by(self) -> Option<String> {
        by(&self.name.get_untracked(), self.rights.name().as_deref())
    }

    fn remember(self, name: String) {
        if let Some(storage) = window().local_storage().ok().flatten() {
            let _ = storage.set_item(NAME, &name);
        }
        self.name.set(name);
    }
}

/// `Maria (key “night shift”)`
fn by(name: &str, key: Option<&str>) -> Option<String> {
    let name = clean(name);
    let Some(key) = key.filter(|_| !name.is_empty()) else {
        return Some(name).filter(|name| !name.is_empty());
    };
    let room = BY_MAX - name.chars().count() - " (key “”)".chars().count();
    let key: String = key.chars().take(room).collect();
    Some(format!("{name} (key “{key}”)"))
}

/// A name as the API takes it. What is pasted may hold tabs.
fn clean(name: &str) -> String {
    name.replace(char::is_control, " ").trim().chars().take(NAME_MAX).collect()
}

/// Who took an incident, without the key.
pub(crate) fn person_of(by: &str) -> &str {
    by.split_once(" (key ").map_or(by, |(person, _)| person)
}

/// The name, to be changed.
#[component]
pub(crate) fn NameField() -> impl IntoView {
    let person = Person::current();
    let write = Callback::new(move |name| person.remember(name));
    view! { <NameInput id="own-name" name=person.name.into() write/> }
}

#[component]
fn NameInput(id: &'static str, name: Signal<String>, write: Callback<String>) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>"Your name"</label>
            <input id=id autocomplete="name" maxlength=NAME_MAX.to_string()
                prop:value=move || name.get()
                on:input=move |event| write.run(event_target_value(&event))/>
            <span class="hint">"Others see it beside the incidents that you take. It stays in this browser; left empty, they see the key's name, and you are asked again."</span>
        </div>
    }
}

/// Asks for the name when something waits for it.
#[component]
pub(crate) fn NameDialog() -> impl IntoView {
    let person = Person::current();
    let dialog = NodeRef::<Dialog>::new();
    // Remembered only when it is taken: who cancels has said nothing.
    let typed = RwSignal::new(String::new());
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get().filter(|_| person.waiting.with(Option::is_some)) {
            let _ = dialog.show_modal();
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        person.remember(typed.get_untracked());
        let then = person.waiting.get_untracked();
        close();
        if let Some(then) = then {
            then();
        }
    };
    let closed = move |_| {
        person.waiting.set(None);
        typed.set(String::new());
    };
    view! {
        <dialog node_ref=dialog aria-labelledby="who-title" on:close=closed>
            <h2 id="who-title">"Who takes it?"</h2>
            <form on:submit=submit>
                <NameInput id="who-name" name=typed.into() write=Callback::new(move |name| typed.set(name))/>
                <div class="actions">
                    <button type="button" on:click=move |_| close()>"Cancel"</button>
                    <button type="submit" class="primary">"Take it"</button>
                </div>
            </form>
        </dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_with_the_key() {
        let said = |name: &str, key| by(name, key);
        assert_eq!(said(" Maria ", Some("night shift")).as_deref(), Some("Maria (key “night shift”)"));
        assert_eq!(said("Maria", None).as_deref(), Some("Maria"));
        assert_eq!(said("  ", Some("night shift")), None, "the API takes the key's name");
        assert_eq!(said("\u{7f}Maria\tRossi\n", None).as_deref(), Some("Maria Rossi"), "as the API takes it");
        assert_eq!(said("\u{7f} \t", None), None);
        let long = said(&"\u{e4}".repeat(99), Some(&"k".repeat(99))).unwrap();
        assert_eq!((long.chars().count(), long.ends_with("k”)")), (80, true));
        assert_eq!([person_of("Maria (key a (key b)"), person_of("Max")], ["Maria", "Max"]);
    }
}
