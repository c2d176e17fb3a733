//! The way back in a stream's timeline: page after page, and what a page full of failures would hide.

use hlsops_wire::{Timeline, TimelineEntry};
use leptos::prelude::*;

use super::timeline::{Group, line};
use crate::acknowledge::encoded;
use crate::client::BASE;
use crate::live::{Live, Role};
use crate::ui::at;

/// Entries of a page.
const ENTRIES: u32 = 200;
/// Changes that are told before a page.
const CHANGES: u32 = 100;
/// The kinds that say how the stream was. What comes with every segment or every minute of a failure would leave no
/// room for them.
const TELLING: &str = "&kind=health&kind=incident&kind=playlist&kind=origin&kind=gap";

/// Which entries are shown: of a group, from the newest on or from a place further back.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    id: Signal<String>,
    pub(crate) group: RwSignal<Group>,
    /// Where the page begins, with the list that this is a place of: another group begins with its newest.
    begin: RwSignal<Option<(String, String)>>,
}

impl Part {
    pub(crate) fn new(id: Signal<String>) -> Self {
        Self { id, group: RwSignal::new(Group::default()), begin: RwSignal::new(None) }
    }

    /// The list without a place in it.
    fn list(self) -> String {
        format!("{}{}", list(&self.id.get(), ENTRIES), self.group.get().query())
    }

    /// The place in the list that is shown; none: its beginning.
    fn cursor(self) -> Option<String> {
        let shown = self.list();
        self.begin.get().filter(|(list, _)| *list == shown).map(|(_, cursor)| cursor)
    }

    /// What is asked for.
    pub(crate) fn path(self) -> Signal<String> {
        Signal::derive(move || page(self.list(), self.cursor().as_deref()))
    }

    fn go(self, cursor: Option<String>) {
        self.begin.set(cursor.map(|cursor| (untrack(|| self.list()), encoded(&cursor))));
    }
}

fn list(id: &str, limit: u32) -> String {
    format!("{BASE}/streams/{id}/timeline?limit={limit}")
}

fn page(list: String, cursor: Option<&str>) -> String {
    match cursor {
        Some(cursor) => format!("{list}&cursor={cursor}"),
        None => list,
    }
}

/// What stands below a page: the ways to others, and how the stream was before.
#[component]
pub(crate) fn Older(part: Part, timeline: Live<Timeline>) -> impl IntoView {
    let next =
        Memo::new(move |_| timeline.data.with(|list| list.as_ref().and_then(|l| l.next_cursor.clone())));
    let is_back = Memo::new(move |_| part.cursor().is_some());
    let is_cut = Memo::new(move |_| next.with(Option::is_some) && part.group.get() == Group::All);
    view! {
        <div class="actions pages">
            <Show when=move || next.with(Option::is_some)>
                <button type="button" on:click=move |_| part.go(next.get_untracked())>"Older entries"</button>
            </Show>
            <Show when=move || is_back.get()>
                <button type="button" on:click=move |_| part.go(None)>"Back to the newest"</button>
            </Show>
        </div>
        <Show when=move || is_cut.get()><Before id=part.id timeline/></Show>
    }
}

/// How the stream was before the oldest entry of a page, without what comes again and again while it is broken.
#[component]
fn Before(id: Signal<String>, timeline: Live<Timeline>) -> impl IntoView {
    let path = Signal::derive(move || format!("{}{TELLING}", list(&id.get(), CHANGES)));
    let live = Live::<Timeline>::follow(Role::Slow, path);
    let page = Memo::new(move |_| timeline.data.get().map(|list| list.items.clone()).unwrap_or_default());
    let entries = Memo::new(move |_| {
        let all = live.data.get().map(|list| list.items.clone()).unwrap_or_default();
        page.with(|page| before(all, page))
    });
    let oldest = move || page.with(|page| page.last().map(|entry| at(&entry.at)));
    view! {
        <Show when=move || entries.with(|entries| !entries.is_empty())>
            <p class="fine before">"Before "{oldest}" UTC, without failed loads and segments, findings and rebuffering:"</p>
            <ol class="entries">
                <For each=move || entries.get() key=|entry| (entry.id.clone(), entry.text.clone()) let:entry>
                    {line(&entry)}
                </For>
            </ol>
        </Show>
    }
}

/// The changes that are older than a page. Of its last moment it may have some itself.
fn before(changes: Vec<TimelineEntry>, page: &[TimelineEntry]) -> Vec<TimelineEntry> {
    let Some(oldest) = page.last() else { return Vec::new() };
    let is_before =
        |entry: &TimelineEntry| entry.at <= oldest.at && page.iter().all(|shown| shown.id != entry.id);
    changes.into_iter().filter(is_before).collect()
}

#[cfg(test)]
mod tests {
    use super::super::timeline::tests::entry;
    use super::*;
    use hlsops_wire::TimelineKind as Kind;

    #[test]
    fn changes_that_a_page_of_failures_leaves_out_are_told_below_it() {
        let page: Vec<_> = [("9", Kind::Health), ("8", Kind::SegmentFailed), ("7", Kind::SegmentFailed)]
            .map(|(id, kind)| entry(id, kind))
            .into();
        let same = TimelineEntry { at: entry("7", Kind::Health).at, ..entry("70", Kind::Incident) };
        let changes =
            vec![entry("9", Kind::Health), same, entry("3", Kind::Incident), entry("2", Kind::Health)];
        let told = |page: &[TimelineEntry]| {
            before(changes.clone(), page).into_iter().map(|entry| entry.id).collect::<Vec<_>>()
        };
        assert_eq!(told(&page), ["70", "3", "2"]);
        assert!(told(&[]).is_empty());
    }

    #[test]
    fn a_page_is_asked_for_by_its_place() {
        assert_eq!(page(list("str_1", 2), None), "/api/v1/streams/str_1/timeline?limit=2");
        assert!(page(list("str_1", 2), Some("17.c1")).ends_with("?limit=2&cursor=17.c1"));
    }
}
