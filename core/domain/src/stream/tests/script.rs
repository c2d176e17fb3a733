//! A stream in a few words. Only this file knows the API.
//!
//! A script is lines of `<when> <who> <what>`. When: `12`, `12-60` (every 6 s, the pace of a change),
//! `12-60/3` (every 3 s), the end excluded. Who: letters of renditions, `m` the master, `.` nobody: time
//! passes. What, of a rendition:
//!
//! - `T6 M10 6,6,6 end`: its list; `6g` is a GAP, `6x404` a segment that fails twice so, `u=x` other names
//! - `live`: four segments of 6 s, a new one every 6 s; then options, or `x404`: the new segments fail so
//! - `same`: the list it had last; `old`: what `live` listed 12 s before
//! - `!503`, `!timeout`, `!429`: the load failed
//! - `?`: a load began
//!
//! Options: `ttfb=`, `dl=` (download), `q=` (queue) in milliseconds, `lag=` the load took so long,
//! `after=` the segments came so much later than their list, `chunked`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::*;
use crate::incident::Transition;
use crate::observation::{Failure, Load, SegmentAttempt};
use crate::playlist::{self, Parsed};
use crate::rendition::{RenditionKind, RenditionSpec};
use crate::units::MediaUs;

pub(super) struct World {
    pub(super) state: StreamState,
    pub(super) limits: Limits,
    pub(super) events: Vec<Event>,
    specs: Vec<RenditionSpec>,
    last: BTreeMap<RenditionId, String>,
}

/// `a b` are main renditions, `a+s` one that needs the audio group `s`, `s` its audio rendition, `x` aux.
fn specs(setup: &str) -> Vec<RenditionSpec> {
    let spec = |word: &str| {
        let (name, group) = word.split_once('+').map_or((word, None), |(name, group)| (name, Some(group)));
        let kind = match name {
            "s" => RenditionKind::Audio,
            "x" => RenditionKind::Aux,
            _ => RenditionKind::Main,
        };
        let groups = if kind == RenditionKind::Audio { Some("s") } else { group };
        RenditionSpec {
            id: id(name),
            kind,
            label: name.into(),
            url: format!("http://h/{name}.m3u8"),
            bandwidth_bps: None,
            audio_groups: groups.into_iter().map(str::to_owned).collect(),
            pathways: vec![".".into()],
            fetch_segments: true,
            renamed: false,
        }
    };
    setup.split_whitespace().map(spec).collect()
}

pub(super) fn id(name: &str) -> RenditionId {
    RenditionId(name.bytes().map(u64::from).sum())
}

fn name(id: RenditionId) -> String {
    u8::try_from(id.0).map_or("?".into(), |byte| char::from(byte).to_string())
}

fn failure(text: &str) -> Failure {
    match text {
        "timeout" => Failure::Timeout,
        "dns" => Failure::Dns,
        "connect" => Failure::Connect,
        "truncated" => Failure::Truncated,
        status => Failure::Http(status.parse().expect("a status")),
    }
}

fn millis(words: &str, key: &str, default: u64) -> Duration {
    let value = words.split_whitespace().find_map(|word| word.strip_prefix(key));
    Duration::from_millis(value.map_or(default, |v| v.parse().expect("milliseconds")))
}

/// `T6 M10 6,6g,6x404 end` as text, and how the segments fail.
fn list_text(words: &str) -> (String, BTreeMap<u64, Failure>) {
    let mut text = String::from("#EXTM3U\n");
    let mut failing = BTreeMap::new();
    let (mut sequence, mut names) = (0_u64, "");
    for word in words.split_whitespace() {
        if let Some(target) = word.strip_prefix('T') {
            text += &format!("#EXT-X-TARGETDURATION:{target}\n");
        } else if let Some(first) = word.strip_prefix('M') {
            sequence = first.parse().expect("a number");
            text += &format!("#EXT-X-MEDIA-SEQUENCE:{first}\n");
        } else if let Some(folder) = word.strip_prefix("u=") {
            names = folder;
        } else if word == "end" {
            text += "#EXT-X-ENDLIST\n";
        } else if word.starts_with(|c: char| c.is_ascii_digit()) {
            for segment in word.split(',') {
                let (seconds, fails) = segment.split_once('x').unwrap_or((segment, ""));
                if !fails.is_empty() {
                    failing.insert(sequence, failure(fails));
                }
                if seconds.ends_with('g') {
                    text += "#EXT-X-GAP\n";
                }
                let seconds = seconds.trim_end_matches('g');
                text += &format!("#EXTINF:{seconds},\n{names}n{sequence}.ts\n");
                sequence = sequence.wrapping_add(1);
            }
        }
    }
    (text, failing)
}

/// What `live` lists at a time, beginning with segment 100.
fn live(at: EpochMs) -> String {
    format!("T6 M{} 6,6,6,6", 100 + at.0 / 6_000)
}

impl World {
    pub(super) fn new(setup: &str) -> Self {
        let mut world = Self {
            state: StreamState::new(EpochMs(0)),
            limits: Limits::default(),
            events: Vec::new(),
            specs: specs(setup),
            last: BTreeMap::new(),
        };
        let specs = world.specs.clone();
        match specs.as_slice() {
            [only] => world.step(EpochMs(0), &Observation::Single(only)),
            all => world.step(EpochMs(0), &Observation::Master(load(EpochMs(0), Ok(all)))),
        };
        world
    }

    pub(super) fn step(&mut self, at: EpochMs, seen: &Observation<'_>) -> Option<Follow> {
        step(&mut self.state, at, seen, &self.limits, &mut self.events)
    }

    /// Runs all lines of a script in the order of their times.
    pub(super) fn run(&mut self, script: &str) {
        let mut steps: Vec<(u64, &str, &str)> = Vec::new();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (when, rest) = line.split_once(' ').expect("when who what");
            let (who, what) = rest.split_once(' ').unwrap_or((rest, ""));
            steps.extend(times(when).map(|at| (at, who, what)));
        }
        steps.sort_by_key(|(at, ..)| *at);
        for (at, who, what) in steps {
            for letter in who.chars() {
                self.act(EpochMs(at), &letter.to_string(), what);
            }
        }
    }

    fn act(&mut self, at: EpochMs, who: &str, what: &str) {
        match who {
            "." => drop(self.step(at, &Observation::Tick)),
            "m" => self.master(at, what),
            _ => self.playlist(at, id(who), what),
        }
    }

    fn master(&mut self, at: EpochMs, what: &str) {
        if let Some(why) = what.strip_prefix('!') {
            self.step(at, &Observation::Master(load(at, Err(failure(why)))));
            return;
        }
        if !what.is_empty() {
            self.specs = specs(what);
        }
        let specs = self.specs.clone();
        self.step(at, &Observation::Master(load(at, Ok(&specs))));
    }

    fn playlist(&mut self, at: EpochMs, id: RenditionId, what: &str) {
        if what == "?" {
            self.step(at, &Observation::Asked(id));
            return;
        }
        let requested_at = at - millis(what, "lag=", 0);
        if let Some(why) = what.strip_prefix('!') {
            let why = failure(why.split(' ').next().unwrap_or_default());
            self.step(at, &Observation::Playlist(id, load(requested_at, Err(why))));
            return;
        }
        let words = match what.split(' ').next().unwrap_or_default() {
            "live" => live(at),
            "old" => live(at - Duration::from_secs(12)),
            "same" => self.last.get(&id).expect("a list before").clone(),
            _ => what.to_owned(),
        };
        let (text, failing) = list_text(&words);
        let Parsed::Media(list) = playlist::read(&text) else { panic!("{text}") };
        let follow = self.step(at, &Observation::Playlist(id, load(requested_at, Ok(&list))));
        self.last.insert(id, words);
        let all_fail = what.split(' ').find_map(|word| word.strip_prefix('x')).map(failure);
        for segment in follow.map(|f| &list.segments[f.fetch]).unwrap_or_default() {
            if !segment.gap {
                let fails = all_fail.or(failing.get(&segment.sequence).copied());
                let at = at + millis(what, "after=", 0);
                self.segment(at, id, segment.sequence, segment.duration, fails, what);
            }
        }
    }

    fn segment(
        &mut self,
        at: EpochMs,
        id: RenditionId,
        sequence: u64,
        duration: MediaUs,
        fails: Option<Failure>,
        options: &str,
    ) {
        let first = SegmentAttempt {
            sequence,
            duration,
            requested_at: at,
            queue: millis(options, "q=", 0),
            ttfb: millis(options, "ttfb=", 30),
            download: millis(options, "dl=", 300),
            bytes: 1_000,
            length_known: !options.contains("chunked"),
            attempt: 1,
            earlier: None,
            last: fails.is_none(),
            outcome: fails.map_or(Ok(()), Err),
        };
        self.step(at, &Observation::Segment(id, first));
        if fails.is_some() {
            let second = SegmentAttempt { attempt: 2, earlier: fails, last: true, ..first };
            self.step(at, &Observation::Segment(id, second));
        }
    }

    pub(super) fn codes(&self) -> Vec<&'static str> {
        let code = |event: &Event| match &event.kind {
            EventKind::Finding(finding) => Some(finding.rule.code),
            _ => None,
        };
        self.events.iter().filter_map(code).collect()
    }

    /// The timeline without the segments and the loads that failed.
    pub(super) fn story(&self) -> Vec<String> {
        self.events.iter().filter_map(tell).collect()
    }
}

pub(super) fn load<T>(requested_at: EpochMs, outcome: Result<T, Failure>) -> Load<T> {
    Load { requested_at, ttfb: Duration::from_millis(30), retry_after: None, outcome }
}

fn times(when: &str) -> impl Iterator<Item = u64> {
    let (range, every) = when.split_once('/').unwrap_or((when, "6"));
    let ms = |text: &str| (text.parse::<f64>().expect("seconds") * 1e3).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
    let ms = move |text: &str| ms(text) as u64;
    let (from, to) =
        range.split_once('-').map_or_else(|| (ms(range), ms(range) + 1), |(a, b)| (ms(a), ms(b)));
    (from..to).step_by(usize::try_from(ms(every)).expect("a step"))
}

fn tell(event: &Event) -> Option<String> {
    let text = match &event.kind {
        EventKind::Playlist { from, to } => format!("{}>{}", from.name(), to.name()),
        EventKind::Health { to, .. } => {
            let reasons: Vec<String> = to.reasons.iter().map(|reason| reason.what.to_string()).collect();
            format!("{}: {}", to.state.name(), reasons.join("; ")).trim_end_matches(": ").to_owned()
        }
        EventKind::Incident(Transition::Opened(why)) => format!("opened, {why:?}"),
        EventKind::Incident(Transition::Resolved { lasted }) => format!("resolved after {lasted:?}"),
        EventKind::Finding(finding) => finding.rule.code.to_owned(),
        EventKind::RebufferingStarted => "dry".into(),
        EventKind::RebufferingEnded { waited } => format!("fed after {waited:?}"),
        EventKind::EncoderRestarted { from, to } => format!("restart {from}>{to}"),
        EventKind::OlderCopy { behind } => format!("older by {behind}"),
        EventKind::OwnGap(length) => format!("nobody looked for {length:?}"),
        EventKind::Renditions { added, removed } => format!("renditions +{added} -{removed}"),
        EventKind::SegmentObtained { .. }
        | EventKind::SegmentFailed { .. }
        | EventKind::NotWatched { .. }
        | EventKind::JumpedOver(_)
        | EventKind::LoadFailed(_) => return None,
    };
    let who = event.rendition.map(name).map_or(String::new(), |name| format!("{name} "));
    Some(format!("{} {who}{text}", Duration::from_millis(event.at.0).as_secs_f64()))
}

/// Runs a script over a stream of these renditions; the timeline must read so.
#[track_caller]
pub(super) fn check(setup: &str, script: &str, expected: &[&str]) -> World {
    let mut world = World::new(setup);
    world.run(script);
    assert_eq!(world.story(), expected, "\n{setup}\n{script}");
    world
}
