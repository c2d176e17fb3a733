//! The rows of a timeline: failures that repeat are put together, and what is said twice is said once.

use std::collections::{HashMap, HashSet};

use hlsops_wire::{TimelineEntry, TimelineKind};

/// Failures of a kind in a row that are shown; the others are put together, so that what they led to is not far below.
const ALIKE: usize = 3;

/// What a line of the timeline shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Row {
    Entry(TimelineEntry),
    /// Failures of one kind between others.
    Rest {
        count: usize,
        /// When the oldest of them was.
        back_to: String,
        /// The newest of them.
        newest: TimelineEntry,
    },
    /// From here on back, everything is there; above it, more may come.
    CompleteTo,
}

impl Row {
    /// A row with another key is another row.
    pub(super) fn key(&self) -> (String, String) {
        match self {
            Self::Entry(entry) => (entry.id.clone(), entry.text.clone()),
            Self::Rest { count, newest, .. } => (format!("rest {}", newest.id), count.to_string()),
            Self::CompleteTo => ("complete".into(), String::new()),
        }
    }
}

/// Puts the mark in front of the first row that is no later than `complete_to`.
pub(super) fn mark(rows: &mut Vec<Row>, complete_to: &str) {
    let is_later = |row: &Row| match row {
        Row::Entry(entry) | Row::Rest { newest: entry, .. } => *entry.at > *complete_to,
        Row::CompleteTo => false,
    };
    let place = rows.iter().take_while(|row| is_later(row)).count();
    rows.insert(place, Row::CompleteTo);
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
pub(super) fn rows(entries: &[TimelineEntry], opened: &HashSet<String>) -> Vec<Row> {
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
pub(super) fn without_echoes(entries: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
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

#[cfg(test)]
mod tests {
    use super::super::timeline::tests::entry;
    use super::super::timeline::word;
    use super::*;
    use TimelineKind as Kind;

    fn names(all: &[TimelineEntry], opened: &[&str]) -> String {
        let opened = opened.iter().map(|id| (*id).to_owned()).collect();
        let name = |row: &Row| match row {
            Row::Entry(entry) => entry.id.clone(),
            Row::Rest { count, newest, .. } => format!("{count} {} from {}", word(newest.kind), newest.id),
            Row::CompleteTo => "complete".into(),
        };
        rows(all, &opened).iter().map(name).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_mark_stands_between_what_may_be_joined_and_what_is_whole() {
        let newest_first = ["9", "8", "7"].map(|id| Row::Entry(entry(id, Kind::Health)));
        let place = |rows: &[Row], second: &str| {
            let mut rows = rows.to_vec();
            mark(&mut rows, &format!("2026-11-22T03:04:{second}.000Z"));
            rows.iter().position(|row| *row == Row::CompleteTo)
        };
        let places = ["10", "09", "08", "06"].map(|second| place(&newest_first, second));
        assert_eq!(places, [Some(0), Some(0), Some(1), Some(3)]);
        assert_eq!(place(&[], "10"), Some(0));
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
}
