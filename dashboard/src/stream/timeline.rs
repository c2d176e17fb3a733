//! What happened, newest first.

use std::collections::HashSet;

use hlsops_wire::{TimelineEntry, TimelineKind};
use leptos::prelude::*;

use crate::live::Freshness;
use crate::time;
use crate::ui::Skeleton;
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
const fn word(kind: TimelineKind) -> &'static str {
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
/// Failures in a row that are shown; the others are put together, so that what they led to is not far below.
const ALIKE: usize = 3;

/// What a line of the timeline shows.
#[derive(Clone, Debug, PartialEq)]
enum Row {
    Entry(TimelineEntry),
    /// Failures between others.
    Rest {
        count: usize,
        /// When the oldest of them was.
        back_to: String,
        /// The newest of them.
        id: String,
    },
}

impl Row {
    /// A row with another key is another row.
    fn key(&self) -> (String, String) {
        match self {
            Self::Entry(entry) => (entry.id.clone(), entry.text.clone()),
            Self::Rest { count, back_to, .. } => (back_to.clone(), count.to_string()),
        }
    }
}

/// Whether it comes with every segment or load while something is broken.
const fn repeats(kind: TimelineKind) -> bool {
    use TimelineKind as Kind;
    matches!(
        kind,
        Kind::LoadFailed | Kind::SegmentFailed | Kind::SegmentObtained | Kind::Rebuffering | Kind::Finding
    )
}

/// The entries as rows. `opened` has the ids by which somebody has opened what was put together.
fn rows(entries: &[TimelineEntry], opened: &HashSet<String>) -> Vec<Row> {
    let mut rows = Vec::new();
    for run in entries.chunk_by(|newer, older| repeats(newer.kind) && repeats(older.kind)) {
        let (first, rest) = run.split_at(run.len().min(ALIKE));
        let is_open = rest.len() < 2 || rest.iter().any(|entry| opened.contains(&entry.id));
        let shown = if is_open { run } else { first };
        rows.extend(shown.iter().cloned().map(Row::Entry));
        if let ([newest, .., oldest], false) = (rest, is_open) {
            let (back_to, id) = (oldest.at.clone(), newest.id.clone());
            rows.push(Row::Rest { count: rest.len(), back_to, id });
        }
    }
    rows
}

/// The timeline with its chips. `entries` are none until they are loaded; up to `complete_to` they are all there.
#[component]
pub(crate) fn Timeline(
    entries: Signal<Option<Vec<TimelineEntry>>>,
    complete_to: Signal<Option<String>>,
    truncated: Signal<bool>,
    group: RwSignal<Group>,
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
            opened.with(|opened| rows(&of_group, opened))
        } else {
            of_group.into_iter().map(Row::Entry).collect()
        }
    });
    let limit = move || if is_long.get() { usize::MAX } else { FIRST };
    let shown = move || all.with(|rows| rows.iter().take(limit()).cloned().collect::<Vec<_>>());
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
            {move || complete_to.get().map(|to| view! {
                <p class="fine complete" title="Changes of state, new findings and incidents come within seconds, everything else with the end of its minute">
                    "Complete up to "{crate::ui::at(&to)}" UTC"
                </p>
            })}
            <Show when=move || !is_loaded()><Skeleton of="rows"/></Show>
            <Show when=move || is_loaded() && all.with(Vec::is_empty)>
                <p class="none">{move || match group.get() {
                    Group::All => "Nothing has happened yet.",
                    _ => "Nothing of this kind.",
                }}</p>
            </Show>
            <ol class="entries">
                <For each=shown key=Row::key let:row>{match row {
                    Row::Entry(entry) => line(&entry).into_any(),
                    Row::Rest { count, back_to, id } => rest(count, &back_to, id, opened).into_any(),
                }}</For>
            </ol>
            <Show when=move || hidden() != 0>
                <button type="button" class="older" on:click=move |_| is_long.set(true)>
                    {move || format!("Show {} older", hidden())}
                </button>
            </Show>
            <Show when=move || truncated.get() && hidden() == 0><p class="fine">"Older entries are not shown."</p></Show>
        </section>
    }
}

fn rest(count: usize, back_to: &str, id: String, opened: RwSignal<HashSet<String>>) -> impl IntoView + use<> {
    let open = move |_| {
        opened.update(|opened| {
            opened.insert(id.clone());
        });
    };
    view! {
        <li class="rest">
            <button type="button" class="bare" on:click=open>{format!("{count} more like these")}</button>
            <span class="fine">"back to "{crate::ui::at(back_to)}</span>
        </li>
    }
}

fn line(entry: &TimelineEntry) -> impl IntoView + use<> {
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
mod tests {
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

    fn entry(id: &str, kind: Kind) -> TimelineEntry {
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
    fn failures_in_a_row_are_put_together_until_somebody_opens_them() {
        let kinds = [Kind::SegmentFailed, Kind::Finding, Kind::SegmentFailed, Kind::LoadFailed];
        let failures = (0..7).map(|at| entry(&at.to_string(), kinds[at % kinds.len()]));
        let all: Vec<_> = failures.chain([entry("7", Kind::Health), entry("8", Kind::LoadFailed)]).collect();
        let names = |opened: &[&str]| {
            let opened = opened.iter().map(|id| (*id).to_owned()).collect();
            let name = |row: &Row| match row {
                Row::Entry(entry) => entry.id.clone(),
                Row::Rest { count, id, .. } => format!("{count} from {id}"),
            };
            rows(&all, &opened).iter().map(name).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(names(&[]), "0, 1, 2, 4 from 3, 7, 8");
        assert_eq!(names(&["5"]), "0, 1, 2, 3, 4, 5, 6, 7, 8");
        assert_eq!(names(&["8"]), names(&[]), "what others opened is no matter");
    }

    #[test]
    fn a_single_one_more_is_shown() {
        let all: Vec<_> = (0..4).map(|at| entry(&at.to_string(), Kind::LoadFailed)).collect();
        assert_eq!(rows(&all, &HashSet::new()).len(), 4);
        assert!(rows(&[], &HashSet::new()).is_empty());
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
