//! What happened, newest first.

use std::collections::{HashMap, HashSet};

use hlsops_wire::{TimelineEntry, TimelineKind};
use leptos::prelude::*;

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
/// So many more are shown with them, rather than a button for them.
const FEW: usize = 5;
/// Failures of a kind in a row that are shown; the others are put together, so that what they led to is not far below.
const ALIKE: usize = 3;

/// What a line of the timeline shows.
#[derive(Clone, Debug, PartialEq)]
enum Row {
    Entry(TimelineEntry),
    /// Failures of one kind between others.
    Rest {
        count: usize,
        /// When the oldest of them was.
        back_to: String,
        /// The newest of them.
        newest: TimelineEntry,
    },
}

impl Row {
    /// A row with another key is another row.
    fn key(&self) -> (String, String) {
        match self {
            Self::Entry(entry) => (entry.id.clone(), entry.text.clone()),
            Self::Rest { count, newest, .. } => (format!("rest {}", newest.id), count.to_string()),
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

/// What only entries that say the same have in common: what became of a segment, too. What a numbering jumped over
/// has no sequence of its own.
type Likeness<'a> = (TimelineKind, Option<&'a str>, Option<&'a str>);

fn likeness(entry: &TimelineEntry) -> Likeness<'_> {
    let fate = entry.sequence.map(|_| entry.text.rsplit_once("; ").map_or("", |(_, fate)| fate));
    (entry.kind, entry.code.as_deref(), fate)
}

/// The entries as rows. `opened` has the ids by which somebody has opened what was put together.
fn rows(entries: &[TimelineEntry], opened: &HashSet<String>) -> Vec<Row> {
    let runs = entries.chunk_by(|newer, older| repeats(newer.kind) && repeats(older.kind));
    runs.flat_map(|run| rows_of(run, opened)).collect()
}

/// The rows of entries that all repeat, or of one that does not. Each kind is put together by itself.
fn rows_of(run: &[TimelineEntry], opened: &HashSet<String>) -> Vec<Row> {
    let mut alike: HashMap<Likeness<'_>, Vec<&TimelineEntry>> = HashMap::new();
    for entry in run {
        alike.entry(likeness(entry)).or_default().push(entry);
    }
    let row = |entry: &TimelineEntry| {
        let all = alike.get(&likeness(entry)).map(Vec::as_slice).unwrap_or_default();
        let rest = all.get(ALIKE..).unwrap_or_default();
        let is_open = rest.len() < 2 || rest.iter().any(|entry| opened.contains(&entry.id));
        match rest {
            [newest, .., oldest] if !is_open && newest.id == entry.id => {
                let (count, back_to) = (rest.len(), oldest.at.clone());
                Some(Row::Rest { count, back_to, newest: entry.clone() })
            }
            _ if !is_open && all.iter().take(ALIKE).all(|shown| shown.id != entry.id) => None,
            _ => Some(Row::Entry(entry.clone())),
        }
    };
    run.iter().filter_map(row).collect()
}

/// The rule that a viewer ran out of media breaks.
const RAN_DRY: &str = "WA-1001";

/// That a viewer ran out of media is said once: the finding says so, and how often.
fn without_echoes(entries: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    let second = |at: &str| at.split('.').next().map(str::to_owned);
    let place = |entry: &TimelineEntry| (second(&entry.at), entry.rendition_id.clone());
    let found = entries.iter().filter(|entry| entry.code.as_deref() == Some(RAN_DRY));
    let found: HashSet<_> = found.map(place).collect();
    // That media came again is of the same kind, and may be of the same moment.
    let is_echo = |entry: &TimelineEntry| {
        entry.kind == TimelineKind::Rebuffering
            && entry.text.contains("run out of media")
            && found.contains(&place(entry))
    };
    entries.into_iter().filter(|entry| !is_echo(entry)).collect()
}

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
                    "Complete up to "{at(&to)}" UTC"
                </p>
            })}
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

    fn names(all: &[TimelineEntry], opened: &[&str]) -> String {
        let opened = opened.iter().map(|id| (*id).to_owned()).collect();
        let name = |row: &Row| match row {
            Row::Entry(entry) => entry.id.clone(),
            Row::Rest { count, newest, .. } => format!("{count} {} from {}", word(newest.kind), newest.id),
        };
        rows(all, &opened).iter().map(name).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn failures_in_a_row_are_put_together_until_somebody_opens_them() {
        let failures = (0..7).map(|at| entry(&at.to_string(), Kind::SegmentFailed));
        let all: Vec<_> = failures.chain([entry("7", Kind::Health), entry("8", Kind::LoadFailed)]).collect();
        assert_eq!(names(&all, &[]), "0, 1, 2, 4 segment from 3, 7, 8");
        assert_eq!(names(&all, &["5"]), "0, 1, 2, 3, 4, 5, 6, 7, 8");
        assert_eq!(names(&all, &["8"]), names(&all, &[]), "what others opened is no matter");
    }

    #[test]
    fn only_what_is_alike_is_put_together() {
        let kinds = [Kind::SegmentFailed, Kind::LoadFailed];
        let mut all: Vec<_> = (0..10).map(|at| entry(&at.to_string(), kinds[at % kinds.len()])).collect();
        assert_eq!(names(&all, &[]), "0, 1, 2, 3, 4, 5, 2 segment from 6, 2 load from 7");
        assert_eq!(names(&all, &["8"]), "0, 1, 2, 3, 4, 5, 6, 2 load from 7, 8");
        all.insert(9, TimelineEntry { code: Some("WA-1001".into()), ..entry("a", Kind::Finding) });
        all.insert(8, TimelineEntry { code: Some("EC-2002".into()), ..entry("b", Kind::Finding) });
        assert_eq!(names(&all, &[]), "0, 1, 2, 3, 4, 5, 2 segment from 6, 2 load from 7, b, a");
        let jump = |at: usize| TimelineEntry { sequence: (at < 5).then_some(1), ..all[0].clone() };
        let jumps: Vec<_> = (0..6).map(|at| TimelineEntry { id: at.to_string(), ..jump(at) }).collect();
        assert_eq!(
            names(&jumps, &[]),
            "0, 1, 2, 2 segment from 3, 5",
            "what a numbering left out is told apart"
        );
    }

    #[test]
    fn changes_of_state_are_never_put_together() {
        let all: Vec<_> = (0..9).map(|at| entry(&at.to_string(), Kind::Health)).collect();
        assert_eq!(names(&all, &[]), "0, 1, 2, 3, 4, 5, 6, 7, 8");
    }

    #[test]
    fn that_media_ran_out_is_said_once() {
        let of = |id: &str, rendition: &str, entry: TimelineEntry| TimelineEntry {
            id: id.into(),
            rendition_id: Some(rendition.into()),
            ..entry
        };
        let dry = TimelineEntry {
            text: "a viewer of this rendition would have run out of media".into(),
            ..entry("7", Kind::Rebuffering)
        };
        let again = TimelineEntry { text: "media came again".into(), ..dry.clone() };
        let found = TimelineEntry { code: Some(RAN_DRY.into()), kind: Kind::Finding, ..again.clone() };
        let other = TimelineEntry { code: Some("EC-2002".into()), ..found.clone() };
        let later = TimelineEntry { at: entry("8", Kind::Rebuffering).at, ..dry.clone() };
        let all = [
            of("later", "a", later),
            of("again", "a", again),
            of("found", "a", found),
            of("echo", "a", dry.clone()),
            of("other", "b", other),
            of("alone", "b", dry),
        ];
        let left: Vec<_> = without_echoes(all.into()).into_iter().map(|entry| entry.id).collect();
        assert_eq!(left, ["later", "again", "found", "other", "alone"]);
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
