//! Forms: what is typed, and what is wrong with it beside the field.

pub(crate) mod errors;
mod focus;

use hlsops_wire::Header;
use leptos::prelude::*;

use crate::client::Failure;
use errors::{Errors, capitalized, error_at, errors_of, is_within, unplaced};

/// A form's state: `D` holds the text of every field.
pub(crate) struct Form<D: 'static> {
    pub(crate) draft: RwSignal<D>,
    pub(crate) errors: RwSignal<Errors>,
    /// The pointers whose errors are shown somewhere now, each by a [`Wrong`].
    places: RwSignal<Vec<String>>,
}

impl<D> Clone for Form<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Form<D> {}

impl<D: Send + Sync + 'static> Form<D> {
    pub(crate) fn new(draft: D) -> Self {
        let (errors, places) = (RwSignal::new(Errors::new()), RwSignal::new(Vec::new()));
        Self { draft: RwSignal::new(draft), errors, places }
    }

    /// Changes a field; what was wrong with it is judged anew when it is sent.
    pub(crate) fn set(self, pointer: &str, change: impl FnOnce(&mut D)) {
        self.draft.update(change);
        if self.errors.with_untracked(|errors| errors.keys().any(|at| is_within(at, pointer))) {
            self.errors.update(|errors| errors.retain(|at, _| !is_within(at, pointer)));
        }
    }

    /// For `aria-invalid`: whether something is wrong at a pointer, or inside it.
    pub(crate) fn is_wrong(self, pointer: &str) -> Option<&'static str> {
        self.errors.with(|errors| errors.keys().any(|at| is_within(at, pointer))).then_some("true")
    }

    pub(crate) fn read<T>(self, read: impl Fn(&D) -> T) -> T {
        self.draft.with(read)
    }

    /// What would be sent of it; else what is wrong is shown.
    pub(crate) fn body<T>(self, body: impl FnOnce(&D) -> Result<T, Errors>) -> Option<T> {
        self.draft.with_untracked(body).map_err(|errors| self.show(errors)).ok()
    }

    /// Shows why the API refused, at the fields where it says so.
    pub(crate) fn refuse(self, failure: &Failure) {
        let errors = match failure.problem() {
            Some(problem) => errors_of(problem),
            None => [(String::new(), format!("{}. {}", failure.title(), failure.detail()))].into(),
        };
        self.show(errors);
    }

    /// Somebody else has changed what the form was made of.
    pub(crate) fn outdated(self, what: &str) {
        let text = format!(
            "Somebody else has changed this {what} meanwhile: reload the page to see how, then change it again."
        );
        self.show([(String::new(), text)].into());
    }

    /// Shows what is wrong, and leads to it; of a page that was left meanwhile there is nothing any more.
    fn show(self, errors: Errors) {
        if self.errors.try_set(errors).is_none() {
            focus::first_wrong();
        }
    }

    /// What is wrong at `pointer` is shown for as long as this part of the page is there.
    fn place(self, pointer: &str) {
        self.places.update(|places| places.push(pointer.to_owned()));
        let pointer = pointer.to_owned();
        on_cleanup(move || {
            self.places.try_update(|places| {
                if let Some(index) = places.iter().position(|place| *place == pointer) {
                    places.swap_remove(index);
                }
            });
        });
    }
}

/// Headers as they are sent: rows left empty are none.
pub(crate) fn headers(rows: &[(String, String)]) -> Vec<Header> {
    let trimmed = rows.iter().map(|(name, value)| (name.trim(), value.trim()));
    trimmed
        .filter(|(name, value)| !(name.is_empty() && value.is_empty()))
        .map(|(name, value)| Header { name: name.into(), value: value.into() })
        .collect()
}

/// Which of the headers that are sent the row at `index` is; none where it is left empty.
fn sent_as(rows: &[(String, String)], index: usize) -> Option<usize> {
    let is_sent = |(name, value): &(String, String)| !(name.trim().is_empty() && value.trim().is_empty());
    is_sent(rows.get(index)?).then(|| rows[..index].iter().filter(|row| is_sent(row)).count())
}

/// What is wrong with a field.
#[component]
pub(crate) fn Wrong<D: Send + Sync + 'static>(
    form: Form<D>,
    #[prop(into)] pointer: String,
    #[prop(into)] id: String,
) -> impl IntoView {
    form.place(&pointer);
    move || {
        let error =
            form.places.with(|places| form.errors.with(|errors| error_at(errors, &pointer, places)))?;
        Some(view! { <span class="wrong" id=id.clone()>{capitalized(&error)}</span> })
    }
}

/// What is wrong and has no field that shows it.
#[component]
pub(crate) fn Unplaced<D: Send + Sync + 'static>(form: Form<D>) -> impl IntoView {
    move || {
        let text = form.places.with(|places| form.errors.with(|errors| unplaced(errors, places)))?;
        Some(view! { <p class="wrong" role="alert" tabindex="-1">{capitalized(&text)}</p> })
    }
}

/// A line of text.
#[component]
pub(crate) fn Line<D: Send + Sync + 'static>(
    form: Form<D>,
    label: &'static str,
    pointer: &'static str,
    #[prop(default = "")] hint: &'static str,
    read: fn(&D) -> String,
    write: fn(&mut D, String),
) -> impl IntoView {
    let id = pointer.trim_start_matches('/').replace('/', "-");
    let (wrong, described) = (format!("{id}-wrong"), format!("{id}-wrong {id}-hint"));
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input id=id.clone() type="text" autocomplete="off" spellcheck="false"
                aria-describedby=described aria-invalid=move || form.is_wrong(pointer)
                prop:value=move || form.read(read)
                on:input=move |event| form.set(pointer, |draft| write(draft, event_target_value(&event)))/>
            {(!hint.is_empty()).then(|| view! { <span class="hint" id=format!("{id}-hint")>{hint}</span> })}
            <Wrong form pointer id=wrong/>
        </div>
    }
}

/// Headers, a row each.
#[component]
pub(crate) fn HeaderRows<D: Clone + Send + Sync + 'static>(
    form: Form<D>,
    legend: &'static str,
    hint: &'static str,
    pointer: &'static str,
    read: fn(&D) -> &[(String, String)],
    rows: fn(&mut D) -> &mut Vec<(String, String)>,
) -> impl IntoView {
    let count = Memo::new(move |_| form.read(|draft| read(draft).len()));
    let row = move |index: usize| form.read(|draft| read(draft).get(index).cloned().unwrap_or_default());
    let write = move |index: usize, change: fn(&mut (String, String), String), text: String| {
        form.set(pointer, |draft| {
            if let Some(header) = rows(draft).get_mut(index) {
                change(header, text);
            }
        });
    };
    let remove = move |index: usize| {
        form.set(pointer, |draft| {
            if index < rows(draft).len() {
                rows(draft).remove(index);
            }
        });
    };
    let is_wrong = move |index: usize, part: &str| {
        let sent = form.read(|draft| sent_as(read(draft), index))?;
        form.is_wrong(&format!("{pointer}/{sent}/{part}"))
    };
    view! {
        <fieldset class="field">
            <legend>{legend}</legend>
            <span class="hint">{hint}</span>
            <For each=move || 0..count.get() key=|index| *index let:index>
                <div class="pair">
                    <input type="text" placeholder="Name" autocomplete="off" spellcheck="false"
                        aria-label=format!("Name of header {}", index + 1)
                        aria-invalid=move || is_wrong(index, "name")
                        prop:value=move || row(index).0
                        on:input=move |event| write(index, |header, text| header.0 = text, event_target_value(&event))/>
                    <input type="text" placeholder="Value" autocomplete="off" spellcheck="false"
                        aria-label=format!("Value of header {}", index + 1)
                        aria-invalid=move || is_wrong(index, "value")
                        prop:value=move || row(index).1
                        on:input=move |event| write(index, |header, text| header.1 = text, event_target_value(&event))/>
                    <button type="button" aria-label=format!("Remove header {}", index + 1)
                        on:click=move |_| remove(index)>"Remove"</button>
                </div>
            </For>
            <Wrong form pointer id=format!("{}-wrong", pointer.trim_start_matches('/'))/>
            <button type="button" on:click=move |_| form.set(pointer, |draft| rows(draft).push(Default::default()))>
                "Add a header"
            </button>
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_left_empty_are_no_headers() {
        let row = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let sent = headers(&[row(" ", ""), row(" X-Token ", " 1 "), row("", "alone")]);
        let pairs: Vec<_> = sent.iter().map(|header| (header.name.as_str(), header.value.as_str())).collect();
        assert_eq!(pairs, [("X-Token", "1"), ("", "alone")]);
    }

    #[test]
    fn a_row_is_found_by_its_place_among_what_is_sent() {
        let rows = [(" ", ""), ("A", "1"), ("", ""), ("", "2")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let places: Vec<_> = (0..5).map(|index| sent_as(&rows, index)).collect();
        assert_eq!(places, [None, Some(0), None, Some(1), None]);
    }
}
