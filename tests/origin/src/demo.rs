//! The streams a newcomer sees first, and what a monitor must say about each.

use serde_json::{Value, json};

use crate::expect::{Health, PlaylistState};
use crate::fault::{Fault, FaultKind};
use crate::media::{Container, Rendition};
use crate::spec::{Layout, SegmentLength, StreamSpec};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct DemoStream {
    /// Name in URLs.
    pub id: &'static str,
    /// Name on the wall.
    pub title: &'static str,
    /// What it is.
    pub spec: StreamSpec,
    /// What is wrong with it, from the origin's start on (`after_ms` counts from there).
    pub faults: &'static [Fault],
    /// State of the renditions the fault concerns (`faults[0].rendition`, or all); any others are Live.
    pub playlist_state: PlaylistState,
    /// Healths it goes through in this order; the last one stays, unless it alternates.
    pub health: &'static [Health],
    /// Whether it goes through `health` again and again.
    pub alternates: bool,
    /// Public finding codes a monitor must give. More of the same cause are no mistake.
    pub codes: &'static [&'static str],
    /// Why.
    pub why: &'static str,
}

const fn spec(layout: Layout, container: Container) -> StreamSpec {
    StreamSpec { layout, container, segment: SegmentLength::S2, ..StreamSpec::DEFAULT }
}

/// Half a flapping: on for this long, off for this long. Unit: milliseconds.
///
/// With 10 s segments a player's buffer of three (30 s) outlasts it by 9 s at least, whenever its polls fall. So
/// nobody rebuffers, and health follows the playlists up and down; longer gaps would leave it at UNHEALTHY for as
/// long as a health window (120 s) remembers them.
const FLAP_MS: u64 = 12_000;

/// The nine streams, in the order of the wall's description.
pub static DEMO: [DemoStream; 9] = [
    DemoStream {
        id: "steady",
        title: "Steady",
        spec: spec(Layout::Master, Container::Fmp4),
        faults: &[],
        playlist_state: PlaylistState::Live,
        health: &[Health::Healthy],
        alternates: false,
        codes: &[],
        why: "Nothing is wrong: every playlist advances and every segment arrives in time.",
    },
    DemoStream {
        id: "dead-variant",
        title: "One dead variant",
        spec: spec(Layout::Master, Container::Ts),
        faults: &[Fault::new(FaultKind::PlaylistStatus(404)).rendition(Rendition::V270)],
        playlist_state: PlaylistState::HttpError,
        health: &[Health::Degraded],
        alternates: false,
        codes: &["EC-2004"],
        why: "The 270p playlist answers 404 while 360p, 180p and audio still make a playable combination.",
    },
    DemoStream {
        id: "missing-segments",
        title: "Missing segments",
        spec: spec(Layout::Media, Container::Ts),
        faults: &[Fault::new(FaultKind::SegmentStatus(404))],
        playlist_state: PlaylistState::Live,
        health: &[Health::Unhealthy],
        alternates: false,
        codes: &["EC-2002"],
        why: "The playlist advances, but every segment it lists answers 404: three in a row cannot be obtained.",
    },
    DemoStream {
        id: "stalled",
        title: "Stalled playlist",
        spec: spec(Layout::Media, Container::Fmp4),
        faults: &[Fault::new(FaultKind::PlaylistStall).after_ms(6_000)],
        playlist_state: PlaylistState::Stalled,
        health: &[Health::Healthy, Health::Degraded, Health::Unhealthy],
        alternates: false,
        codes: &["WA-1001"],
        why: "The playlist loads and brings nothing new: DEGRADED while the buffer lasts, UNHEALTHY once it is empty.",
    },
    DemoStream {
        id: "unavailable",
        title: "Playlists unavailable",
        spec: spec(Layout::Master, Container::Ts),
        faults: &[Fault::new(FaultKind::PlaylistStatus(503))],
        playlist_state: PlaylistState::HttpError,
        health: &[Health::Unhealthy],
        alternates: false,
        codes: &["EC-2004"],
        why: "The master loads, but every media playlist answers 503: nothing can be played.",
    },
    DemoStream {
        id: "slow",
        title: "Slow segments",
        spec: spec(Layout::Media, Container::Ts),
        faults: &[Fault::new(FaultKind::SegmentSlow { speed_ratio: 0.4 })],
        playlist_state: PlaylistState::Live,
        health: &[Health::Unhealthy],
        alternates: false,
        codes: &["WA-1001", "WA-1002"],
        why: "Each 2 s segment takes 5 s to arrive: media arrive at 0.4 times real time and the buffer runs dry.",
    },
    DemoStream {
        id: "flapping",
        title: "Flapping",
        spec: StreamSpec { segment: SegmentLength::S10, ..spec(Layout::Master, Container::Fmp4) },
        faults: &[Fault::new(FaultKind::PlaylistStatus(503)).flap_ms(FLAP_MS)],
        playlist_state: PlaylistState::HttpError,
        health: &[Health::Unhealthy, Health::Healthy],
        alternates: true,
        codes: &["EC-2004"],
        why: "All media playlists answer 503 for 12 s, then work for 12 s, and so on; the buffer bridges each gap.",
    },
    DemoStream {
        id: "jumping",
        title: "Sequence jumps",
        spec: spec(Layout::Media, Container::Ts),
        faults: &[Fault::new(FaultKind::Jump { by: 50, every_ms: Some(16_000) })],
        playlist_state: PlaylistState::Live,
        health: &[Health::Degraded],
        alternates: false,
        codes: &["EC-1001"],
        why: "Media sequence numbers go up by 50 at once every 16 s: far past the window.",
    },
    DemoStream {
        id: "ended",
        title: "Ended",
        spec: spec(Layout::Master, Container::Ts),
        faults: &[Fault::new(FaultKind::End).after_ms(12_000)],
        playlist_state: PlaylistState::LiveEnd,
        health: &[Health::Healthy],
        alternates: false,
        codes: &[],
        why: "Live for 12 s, then ENDLIST: a stream that was ended properly is not ill.",
    },
];

/// The row of this name.
#[must_use]
pub fn find(id: &str) -> Option<&'static DemoStream> {
    DEMO.iter().find(|row| row.id == id)
}

impl DemoStream {
    /// The row's expectation as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "title": self.title,
            "playlist_state": self.playlist_state.name(),
            "health": self.health.iter().map(|health| health.name()).collect::<Vec<_>>(),
            "alternates": self.alternates,
            "codes": self.codes,
            "why": self.why,
        })
    }
}
