//! Every fault of the origin, and what a monitor must make of it.

use hlsops_domain::HealthState;
use hlsops_origin::{Container, Fault, FaultKind, Layout, Rendition, SegmentLength, StreamSpec, TarpitMode};

/// A fault on a stream of its own.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) spec: StreamSpec,
    pub(crate) fault: Fault,
    pub(crate) expect: Expect,
}

/// What must be said of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expect {
    /// State that a playlist comes to.
    pub(crate) playlist: Option<&'static str>,
    /// Codes found; none: there must be no finding at all.
    pub(crate) codes: &'static [&'static str],
    /// Health it comes to at least; HEALTHY: it must never be anything else.
    pub(crate) health: HealthState,
    /// An event that must happen, by its word in the report.
    pub(crate) event: Option<&'static str>,
    /// What counts as recognised, and within which time from the first faulty answer. Unit: seconds.
    pub(crate) by: By,
    pub(crate) target_s: Option<f64>,
}

/// What counts as recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The first of `codes`.
    Finding,
    /// The playlist state.
    Playlist,
    /// The event.
    Event,
    /// Nothing is to be recognised.
    Nothing,
}

const QUIET: Expect = Expect {
    playlist: None,
    codes: &[],
    health: HealthState::Healthy,
    event: None,
    by: By::Nothing,
    target_s: None,
};

const fn found(codes: &'static [&'static str], health: HealthState, target_s: Option<f64>) -> Expect {
    Expect { codes, health, by: By::Finding, target_s, ..QUIET }
}

/// All cases; `segment` is the segment length and the target duration.
pub(crate) fn all(segment: SegmentLength) -> Vec<Case> {
    let mut cases = Cases { segment, all: Vec::new() };
    segment_faults(&mut cases);
    playlist_faults(&mut cases);
    master_and_rendition_faults(&mut cases);
    changes(&mut cases);
    cases.all
}

struct Cases {
    segment: SegmentLength,
    all: Vec<Case>,
}

/// Two letters say which stream: `M` master or `m` media playlist alone, `t` TS or `f` fMP4.
impl Cases {
    fn add(&mut self, streams: &[&str], fault: Fault, expect: Expect) {
        for stream in streams {
            let layout = if stream.starts_with('M') { Layout::Master } else { Layout::Media };
            let container = if stream.ends_with('t') { Container::Ts } else { Container::Fmp4 };
            let spec = StreamSpec { layout, container, segment: self.segment, ..StreamSpec::DEFAULT };
            let place = fault.rendition.map_or(String::new(), |rendition| format!(" {}", rendition.name()));
            let flapping = fault.flap_ms.map_or("", |_| " flapping");
            let name = format!("{}{flapping}{place}", fault.name());
            self.all.push(Case { name, spec, fault, expect });
        }
    }

    fn target_duration_s(&self) -> f64 {
        self.segment.seconds() as f64
    }
}

fn segment_faults(cases: &mut Cases) {
    use HealthState::Unhealthy;
    let one_segment = Some(cases.target_duration_s());
    let lost = |target_s| found(&["EC-2002"], Unhealthy, target_s);
    cases.add(&["Mt"], Fault::new(FaultKind::SegmentStatus(403)), lost(one_segment));
    cases.add(&["Mf", "mt"], Fault::new(FaultKind::SegmentStatus(404)), lost(one_segment));
    cases.add(&["Mt"], Fault::new(FaultKind::SegmentStatus(500)), lost(one_segment));
    // Two attempts of 10 s without a first byte, and what comes between: seen is enough.
    cases.add(&["Mt", "mf"], Fault::new(FaultKind::SegmentHang), lost(None));
    cases.add(&["Mt", "Mf"], Fault::new(FaultKind::SegmentTruncated), lost(one_segment));
    cases.add(&["Mf", "mt"], Fault::new(FaultKind::WrongContent), lost(one_segment));
    let slow = Some(cases.target_duration_s() / 0.4 + 1.0);
    let slow_expected = found(&["WA-1002", "WA-1001"], Unhealthy, slow);
    cases.add(&["Mf", "mt"], Fault::new(FaultKind::SegmentSlow { speed_ratio: 0.4 }), slow_expected);
}

fn playlist_faults(cases: &mut Cases) {
    use HealthState::Unhealthy;
    let down = Expect { playlist: Some("HTTPError"), ..found(&["EC-2004"], Unhealthy, Some(3.0)) };
    for (status, streams) in [(403, &["Mt"][..]), (404, &["Mf", "mt"]), (500, &["Mt", "mf"]), (503, &["Mf"])]
    {
        cases.add(streams, Fault::new(FaultKind::PlaylistStatus(status)), down);
    }
    // 1.5 target durations and one poll, which comes after half of one.
    let stall = Expect {
        playlist: Some("Stalled"),
        by: By::Playlist,
        ..found(&["WA-1001"], Unhealthy, Some(cases.target_duration_s() * 2.0))
    };
    cases.add(&["Mt", "mf"], Fault::new(FaultKind::PlaylistStall), stall);
    let pit = Expect { target_s: Some(23.0), ..down };
    cases.add(&["Mt"], Fault::new(FaultKind::Tarpit(TarpitMode::Drip)), pit);
    cases.add(&["mf"], Fault::new(FaultKind::Tarpit(TarpitMode::Silence)), pit);
    let flaps =
        Expect { playlist: Some("HTTPError"), ..found(&["EC-2004"], HealthState::Degraded, Some(3.0)) };
    cases.add(&["Mt"], Fault::new(FaultKind::PlaylistStatus(503)).flap_ms(12_000), flaps);
}

fn master_and_rendition_faults(cases: &mut Cases) {
    use HealthState::{Degraded, Unhealthy};
    for status in [404, 500] {
        let gone = found(&["EC-2004"], Unhealthy, Some(3.0));
        cases.add(&["Mt"], Fault::new(FaultKind::MasterStatus(status)), gone);
    }
    let one_down = Expect { playlist: Some("HTTPError"), ..found(&["EC-2004"], Degraded, Some(3.0)) };
    let one = |kind| Fault::new(kind).rendition(Rendition::V270);
    cases.add(&["Mt"], one(FaultKind::PlaylistStatus(500)), one_down);
    let stall = Expect {
        playlist: Some("Stalled"),
        by: By::Playlist,
        ..found(&["WA-1001"], Degraded, Some(cases.target_duration_s() * 2.0))
    };
    cases.add(&["Mf"], one(FaultKind::PlaylistStall), stall);
}

/// What changes and is no fault, or only one at once.
fn changes(cases: &mut Cases) {
    let jump = found(&["EC-1001"], HealthState::Degraded, Some(1.0));
    cases.add(&["Mt", "mf"], Fault::new(FaultKind::Jump { by: 50, every_ms: None }), jump);
    let restart = Expect { event: Some("restarted"), by: By::Event, target_s: Some(1.0), ..QUIET };
    cases.add(&["Mt", "mf"], Fault::new(FaultKind::EncoderRestart { first: 0 }), restart);
    let copy = Expect { event: Some("older copy"), by: By::Event, target_s: Some(1.0), ..QUIET };
    // One segment behind is often the newest one known; two are older than that. Of a master one rendition:
    // counted over all, each third answer would be several in a row for one of them.
    let older = Fault::new(FaultKind::OlderCopy { segments: 2 });
    cases.add(&["mf"], older, copy);
    cases.add(&["Mt"], older.rendition(Rendition::V270), copy);
    let end = Expect { playlist: Some("LiveEnd"), by: By::Playlist, target_s: Some(1.0), ..QUIET };
    cases.add(&["Mt", "mf"], Fault::new(FaultKind::End), end);
    cases.add(&["Mt", "mf"], Fault::new(FaultKind::Redirect), QUIET);
    cases.add(&["Mf", "mt"], Fault::new(FaultKind::Gzip), QUIET);
}
