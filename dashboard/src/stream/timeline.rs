//! What happened, newest first.

use hlsops_wire::{TimelineEntry, TimelineKind};
use leptos::prelude::*;

use crate::live::Freshness;
use crate::time;
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
        TimelineKind::Rebuffering => "viewer",
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

/// Entries that are shown until somebody asks for more.
const FIRST: usize = 50;

/// The timeline with its chips.
#[component]
pub(crate) fn Timeline(entries: Signal<Vec<TimelineEntry>>, truncated: Signal<bool>) -> impl IntoView {
    let group = RwSignal::new(Group::default());
    let count =
        move |group: Group| entries.with(|all| all.iter().filter(|entry| group.has(entry.kind)).count());
    let is_long = RwSignal::new(false);
    let limit = move || if is_long.get() { usize::MAX } else { FIRST };
    let shown = move || {
        let group = group.get();
        let of_group = |all: &Vec<TimelineEntry>| {
            all.iter().filter(|entry| group.has(entry.kind)).take(limit()).cloned().collect::<Vec<_>>()
        };
        entries.with(of_group)
    };
    let hidden = move || count(group.get()).saturating_sub(limit());
    view! {
        <section class="panel timeline" aria-labelledby="timeline">
            <header>
                <h2 id="timeline">"Timeline"</h2>
                <div class="filters" role="group" aria-label="Kinds of entries">
                    {Group::ALL.map(|each| view! {
                        <button type="button" class="filter" aria-pressed=move || (group.get() == each).to_string()
                            on:click=move |_| group.set(each)>
                            {each.label()}" "<span class="n">{move || count(each)}</span>
                        </button>
                    }).collect_view()}
                </div>
            </header>
            <Show when=move || count(group.get()) == 0>
                <p class="none">{move || if entries.with(Vec::is_empty) {
                    "Nothing has happened yet."
                } else {
                    "Nothing of this kind."
                }}</p>
            </Show>
            <ol class="entries">
                <For each=shown key=|entry| (entry.id.clone(), entry.text.clone()) let:entry>{row(&entry)}</For>
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

fn row(entry: &TimelineEntry) -> impl IntoView + use<> {
    let now = Freshness::current().server_now_untracked();
    view! {
        <li id=entry.id.clone() class=tone(entry)>
            <time datetime=entry.at.clone() title=entry.at.clone()>{time::when(&entry.at, now)}</time>
            <span class="kind">{word(entry.kind)}</span>
            <span class="what">
                {entry.code.clone().map(|code| view! { <code>{code}</code>" " })}
                {entry.text.clone()}
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

    #[test]
    fn every_kind_is_in_all_and_in_one_other_group() {
        for kind in KINDS {
            let groups = Group::ALL.into_iter().filter(|group| group.has(kind)).count();
            assert_eq!(groups, 2, "{kind:?}");
        }
    }
}
