//! Which streams are shown, and in which order. It stands in the URL, so that a view can be shared.

use std::cmp::{Ordering, Reverse};

use hlsops_wire::{IncidentStatus, State};

use super::board::Entry;

/// The five states, worst first.
pub(crate) const STATES: [State; 5] =
    [State::Unhealthy, State::Degraded, State::NoData, State::Healthy, State::Paused];

/// The word of a state in a URL and in class names.
pub(crate) const fn slug(state: State) -> &'static str {
    match state {
        State::Unhealthy => "unhealthy",
        State::Degraded => "degraded",
        State::NoData => "no_data",
        State::Healthy => "healthy",
        State::Paused => "paused",
    }
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Worst first, then unacknowledged, then newest change, then by name.
    #[default]
    Severity,
    /// Newest change of state first.
    Newest,
    /// By name.
    Name,
}

impl Sort {
    pub(crate) const ALL: [Self; 3] = [Self::Severity, Self::Newest, Self::Name];

    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Newest => "newest",
            Self::Name => "name",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Severity => "Worst first",
            Self::Newest => "Newest change",
            Self::Name => "Name",
        }
    }

    pub(crate) fn from_slug(slug: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.slug() == slug).unwrap_or_default()
    }
}

/// What is asked of the wall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Words that must all occur, in any order and case.
    pub(crate) text: String,
    /// Only what somebody should look at.
    pub(crate) problems: bool,
    /// Only streams in one of these; none: in any.
    pub(crate) states: Vec<State>,
    pub(crate) sort: Sort,
}

impl Query {
    /// Reads the query of a URL; `get` gives a parameter's decoded value. What is not known is left out.
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let listed = get("state").unwrap_or_default();
        let states = STATES.into_iter().filter(|state| listed.split(',').any(|word| word == slug(*state)));
        Self {
            text: get("q").unwrap_or_default(),
            problems: get("problems").is_some_and(|value| value == "1"),
            states: states.collect(),
            sort: Sort::from_slug(&get("sort").unwrap_or_default()),
        }
    }

    /// The parameters that say the same, each only where it differs from the default.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        if !self.text.is_empty() {
            all.push(("q", self.text.clone()));
        }
        if self.problems {
            all.push(("problems", "1".to_owned()));
        }
        if !self.states.is_empty() {
            all.push(("state", self.states.iter().map(|state| slug(*state)).collect::<Vec<_>>().join(",")));
        }
        if self.sort != Sort::default() {
            all.push(("sort", self.sort.slug().to_owned()));
        }
        all
    }

    /// Adds a state, or takes it away.
    pub(crate) fn toggle(&mut self, state: State) {
        match self.states.iter().position(|listed| *listed == state) {
            Some(index) => {
                self.states.remove(index);
            }
            None => self.states.push(state),
        }
        self.states.sort_unstable();
    }

    /// Whether anything is left out.
    pub(crate) fn is_filter(&self) -> bool {
        self.problems || !self.states.is_empty() || !self.text.trim().is_empty()
    }

    /// A test for one entry after the other; the words are prepared once.
    pub(crate) fn filter(&self) -> impl Fn(&Entry) -> bool + use<> {
        let words: Vec<String> = self.text.split_whitespace().map(str::to_lowercase).collect();
        let (problems, states) = (self.problems, self.states.clone());
        move |entry| {
            let state = entry.tile.state;
            (!problems || is_problem(entry))
                && (states.is_empty() || states.contains(&state))
                && words.iter().all(|word| entry.haystack.contains(word.as_str()))
        }
    }

    /// Which of two comes first.
    pub(crate) fn order(&self, left: &Entry, right: &Entry) -> Ordering {
        let newest = |entry: &Entry| Reverse(entry.since_ms);
        let by_name = || left.tile.name.cmp(&right.tile.name).then_with(|| left.id.cmp(&right.id));
        match self.sort {
            Sort::Severity => severity(left)
                .cmp(&severity(right))
                .then_with(|| newest(left).cmp(&newest(right)))
                .then_with(by_name),
            Sort::Newest => newest(left).cmp(&newest(right)).then_with(by_name),
            Sort::Name => by_name(),
        }
    }
}

/// Not healthy, not paused, or with an incident that is not over.
fn is_problem(entry: &Entry) -> bool {
    matches!(entry.tile.state, State::Unhealthy | State::Degraded | State::NoData)
        || entry.tile.incident.is_some()
}

fn severity(entry: &Entry) -> (State, bool) {
    (entry.tile.state, entry.tile.incident == Some(IncidentStatus::Acknowledged))
}

#[cfg(test)]
mod tests {
    use super::super::board::{
        Board,
        tests::{tile, wall},
    };
    use super::*;
    use hlsops_wire::WallTile;

    fn shown(query: &Query, tiles: Vec<WallTile>) -> Vec<String> {
        let mut board = Board::default();
        board.apply(wall(tiles));
        let matches = query.filter();
        let mut entries: Vec<_> = board.entries().filter(|entry| matches(entry)).collect();
        entries.sort_by(|a, b| query.order(a, b));
        entries.iter().map(|entry| entry.id.to_string()).collect()
    }

    fn at(mut tile: WallTile, since: &str) -> WallTile {
        tile.since_at = Some(format!("2026-11-22T{since}.000Z"));
        tile
    }

    #[test]
    fn worst_then_unacknowledged_then_newest_then_name() {
        let mut taken = at(tile("taken", State::Unhealthy), "09:00:00");
        taken.incident = Some(IncidentStatus::Acknowledged);
        let tiles = vec![
            tile("z", State::Healthy),
            tile("b", State::Healthy),
            taken,
            at(tile("old", State::Unhealthy), "01:00:00"),
            at(tile("new", State::Unhealthy), "02:00:00"),
            tile("gone", State::NoData),
            tile("ill", State::Degraded),
        ];
        let query = Query::default();
        assert_eq!(shown(&query, tiles), ["new", "old", "taken", "ill", "gone", "b", "z"]);
    }

    #[test]
    fn all_words_must_occur_somewhere() {
        let mut sports = tile("1", State::Healthy);
        sports.name = "Sports ONE".into();
        sports.tags = vec!["country=CH".into()];
        let query = |text: &str| Query { text: text.into(), ..Query::default() };
        let with = |text| shown(&query(text), vec![sports.clone(), tile("2", State::Healthy)]);
        assert_eq!(with(" one  sport"), ["1"]);
        assert_eq!(with("country=ch"), ["1"]);
        assert_eq!(with("   "), ["1", "2"]);
        assert!(with("sports two").is_empty());
    }

    #[test]
    fn problems_are_all_but_healthy_and_paused_unless_an_incident_goes_on() {
        let mut recovering = tile("recovering", State::Healthy);
        recovering.incident = Some(IncidentStatus::Open);
        let tiles = vec![
            recovering,
            tile("paused", State::Paused),
            tile("blind", State::NoData),
            tile("ok", State::Healthy),
        ];
        let query = Query { problems: true, ..Query::default() };
        assert_eq!(shown(&query, tiles), ["blind", "recovering"]);
    }

    #[test]
    fn the_url_says_the_same() {
        let mut query = Query { text: "a b".into(), problems: true, sort: Sort::Name, ..Query::default() };
        query.toggle(State::Paused);
        query.toggle(State::Unhealthy);
        let parameters = query.parameters();
        let get = |name: &str| parameters.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone());
        assert_eq!(get("state").as_deref(), Some("unhealthy,paused"));
        assert_eq!(Query::read(get), query);
        assert!(Query::default().parameters().is_empty());
        query.toggle(State::Paused);
        assert_eq!(query.states, [State::Unhealthy]);
    }

    #[test]
    fn what_a_url_says_wrongly_is_left_out() {
        let get = |name: &str| Some(if name == "state" { "purple,healthy" } else { "x" }.to_owned());
        let query = Query::read(get);
        assert_eq!((query.states, query.sort, query.problems), (vec![State::Healthy], Sort::Severity, false));
    }
}
