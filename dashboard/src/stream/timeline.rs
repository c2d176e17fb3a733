//! What happened, newest first.

use std::collections::HashSet;

use hlsops_wire::{TimelineEntry, TimelineKind};
use leptos::prelude::*;

use super::rows::{self, Row, rows, without_echoes};
use crate::live::Freshness;
use crate::time;
use crate::ui::{Skeleton, at};
use crate::wall::query::slug;

/// Kinds that are looked at together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Group {
    #[default]
    All,
    Health,
    Playlists,
    Segments,
    Findings,
}

impl Group {
    const ALL: [Self; 5] = [Self::All, Self::Health, Self::Playlists, Self::Segments, Self::Findings];

    const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Health => "Health",
            Self::Playlists => "Playlists",
            Self::Segments => "Segments",
            Self::Findings => "Findings",
        }
    }

    /// What is asked for to get only these.
    pub(crate) const fn query(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Health => "&kind=health&kind=incident&kind=gap",
            Self::Playlists => "&kind=playlist&kind=load_failed&kind=origin",
            Self::Segments => "&kind=segment_failed&kind=rebuffering",
            Self::Findings => "&kind=finding",
        }
    }

    /// Whether an entry belongs to it.
    pub(crate) const fn has(self, kind: TimelineKind) -> bool {
        use TimelineKind as Kind;
        matches!(
            (self, kind),
            (Self::All, _)
                | (Self::Health, Kind::Health | Kind::Incident | Kind::Gap)
                | (Self::Playlists, Kind::Playlist | Kind::LoadFailed | Kind::Origin)
                | (Self::Segments, Kind::SegmentFailed | Kind::SegmentObtained | Kind::Rebuffering)
                | (Self::Findings, Kind::Finding)
        )
    }
}

/// The word of a kind.
pub(super) const fn word(kind: TimelineKind) -> &'static str {
    match kind {
        TimelineKind::Health => "health",
        TimelineKind::Playlist => "playlist",
        TimelineKind::LoadFailed => "load",
        TimelineKind::SegmentFailed | TimelineKind::SegmentObtained => "segment",
        TimelineKind::Incident => "incident",
        TimelineKind::Finding => "finding",
        TimelineKind::Rebuffering => "rebuffering",
        TimelineKind::Origin => "origin",
        TimelineKind::Gap => "gap",
    }
}

/// How an entry is coloured: by the state it leads to, else by whether it is bad.
fn tone(entry: &TimelineEntry) -> &'static str {
    match (entry.kind, entry.state) {
        (_, Some(state)) => slug(state),
        (TimelineKind::LoadFailed | TimelineKind::SegmentFailed | TimelineKind::Finding, None) => "degraded",
        (TimelineKind::Gap, None) => "no_data",
        _ => "plain",
    }
}

/// The text without the code, which stands in front of it.
fn plain(entry: &TimelineEntry) -> &str {
    let code = entry.code.as_deref();
    let rest = code.and_then(|code| entry.text.strip_prefix(code)?.strip_prefix(": "));
    rest.unwrap_or(&entry.text)
}

/// Rows that are shown until somebody asks for more.
const FIRST: usize = 50;
/// So many more are shown with them, rather than a button for them.
const FEW: usize = 5;
/// The timeline with its chips. `entries` are none until they are loaded; up to `complete_to` they are all there.
/// `end` stands below the last one.
#[component]
pub(crate) fn Timeline(
    entries: Signal<Option<Vec<TimelineEntry>>>,
    complete_to: Signal<Option<String>>,
    group: RwSignal<Group>,
    #[prop(into)] end: ViewFn,
) -> impl IntoView {
    let is_long = RwSignal::new(false);
    let opened = RwSignal::new(HashSet::new());
    let all = Memo::new(move |_| {
        let group = group.get();
        let of_group: Vec<_> = entries.with(|entries| {
            let entries = entries.iter().flatten();
            entries.filter(|entry| group.has(entry.kind)).cloned().collect()
        });
        if group == Group::All {
            opened.with(|opened| rows(&without_echoes(of_group), opened))
        } else {
            of_group.into_iter().map(Row::Entry).collect()
        }
    });
    let limit = move || if is_long.get() || all.with(Vec::len) <= FIRST + FEW { usize::MAX } else { FIRST };
    let shown = move || {
        let mut rows = all.with(|rows| rows.iter().take(limit()).cloned().collect::<Vec<_>>());
        complete_to.with(|to| to.iter().for_each(|to| rows::mark(&mut rows, to)));
        rows
    };
    let hidden = move || all.with(Vec::len).saturating_sub(limit());
    let is_loaded = move || entries.with(Option::is_some);
    view! {
        <section class="panel timeline" aria-labelledby="timeline">
            <header>
                <h2 id="timeline">"Timeline"</h2>
                <div class="filters" role="group" aria-label="Kinds of entries">
                    {Group::ALL.map(|each| view! {
                        <button type="button" class="filter" aria-pressed=move || (group.get() == each).to_string()
                            on:click=move |_| group.set(each)>{each.label()}</button>
                    }).collect_view()}
                </div>
            </header>
            <Show when=move || !is_loaded()><Skeleton of="rows"/></Show>
            <Show when=move || is_loaded() && all.with(Vec::is_empty)>
                <p class="none">{move || match group.get() {
                    Group::All => "Nothing has happened.",
                    _ => "Nothing of this kind.",
                }}</p>
            </Show>
            <ol class="entries">
                <For each=shown key=Row::key let:row>{match row {
                    Row::Entry(entry) => line(&entry).into_any(),
                    Row::Rest { count, back_to, newest } => rest(count, &back_to, newest, opened).into_any(),
                    Row::CompleteTo => mark(complete_to).into_any(),
                }}</For>
            </ol>
            <Show when=move || hidden() != 0>
                <button type="button" class="older" on:click=move |_| is_long.set(true)>
                    {move || format!("Show {} older", hidden())}
                </button>
            </Show>
            {end.run()}
        </section>
    }
}

fn mark(complete_to: Signal<Option<String>>) -> impl IntoView + use<> {
    view! {
        <li class="fine complete" title="Changes of state, new findings and incidents come within seconds, everything else with the end of its minute">
            {move || complete_to.get().map(|to| view! { "Complete up to "{at(&to)}" UTC" })}
        </li>
    }
}

fn rest(
    count: usize,
    back_to: &str,
    newest: TimelineEntry,
    opened: RwSignal<HashSet<String>>,
) -> impl IntoView + use<> {
    let TimelineEntry { id, at: back_from, kind, code, .. } = newest;
    let open = move |_| {
        opened.update(|opened| {
            opened.insert(id.clone());
        });
    };
    view! {
        <li class="rest">
            {at(&back_from)}
            <span class="kind">{word(kind)}</span>
            <span class="what">
                {code.map(|code| view! { <code>{code}</code>" " })}
                <button type="button" class="bare" on:click=open>{format!("{count} more like these")}</button>
                <span class="fine">"back to "{at(back_to)}</span>
            </span>
        </li>
    }
}

pub(super) fn line(entry: &TimelineEntry) -> impl IntoView + use<> {
    let now = Freshness::current().server_now_untracked();
    view! {
        <li id=entry.id.clone() class=tone(entry)>
            <time datetime=entry.at.clone() title=entry.at.clone()>{time::when(&entry.at, now)}</time>
            <span class="kind">{word(entry.kind)}</span>
            <span class="what">
                {entry.code.clone().map(|code| view! { <code>{code}</code>" " })}
                {plain(entry).to_owned()}
                {entry.rendition.clone().map(|rendition| view! { <span class="of">{rendition}</span> })}
            </span>
        </li>
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use TimelineKind as Kind;

    const KINDS: [Kind; 10] = [
        Kind::Health,
        Kind::Playlist,
        Kind::LoadFailed,
        Kind::SegmentFailed,
        Kind::SegmentObtained,
        Kind::Incident,
        Kind::Finding,
        Kind::Rebuffering,
        Kind::Origin,
        Kind::Gap,
    ];

    /// A word of the API's own, so that what is seen here can be asked for there.
    #[test]
    fn kinds_are_called_as_in_the_api() {
        for kind in KINDS {
            let called = serde_json::to_string(&kind).unwrap();
            assert!(
                called.trim_matches('"').split('_').next() == Some(word(kind)),
                "{called}: {}",
                word(kind)
            );
        }
    }

    #[test]
    fn every_kind_is_in_all_and_in_one_other_group() {
        for kind in KINDS {
            let groups = Group::ALL.into_iter().filter(|group| group.has(kind)).count();
            assert_eq!(groups, 2, "{kind:?}");
        }
    }

    pub(in crate::stream) fn entry(id: &str, kind: Kind) -> TimelineEntry {
        TimelineEntry {
            id: id.into(),
            at: format!("2026-11-22T03:04:{id:0>2}.000Z"),
            kind,
            text: String::new(),
            code: None,
            state: None,
            rendition_id: None,
            rendition: None,
            sequence: None,
            incident_id: None,
        }
    }

    #[test]
    fn a_code_is_said_once() {
        let said = |code: Option<&str>, text: &str| {
            let code = code.map(str::to_owned);
            plain(&TimelineEntry { code, text: text.into(), ..entry("1", Kind::Finding) }).to_owned()
        };
        assert_eq!(said(Some("WA-1001"), "WA-1001: ran out"), "ran out");
        assert_eq!(said(Some("WA-1001"), "WA-10012: else"), "WA-10012: else");
        assert_eq!(said(None, ": as it is"), ": as it is");
    }

    #[test]
    fn a_group_asks_for_what_it_shows() {
        for group in &Group::ALL[1..] {
            let asked = group.query().matches("&kind=").count();
            let shown = KINDS.iter().filter(|kind| group.has(**kind) && **kind != Kind::SegmentObtained);
            assert_eq!(asked, shown.count(), "{group:?}");
        }
    }
}
