//! The verdict as data. `--json` prints exactly this; it only ever gains fields.

use hlsops_domain::checks::Severity;
use hlsops_domain::findings::Folded;
use hlsops_domain::rendition::{Rendition, RenditionKind};
use hlsops_domain::{EpochMs, Failure, HealthState, RenditionId};
use serde::Serialize;

use super::collect::Collected;
use crate::exit::Exit;
use crate::reasons;

/// The verdict.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) url: String,
    /// `clean`, `findings` or `unreachable`.
    pub(crate) verdict: &'static str,
    pub(crate) exit_code: u8,
    pub(crate) health: &'static str,
    /// The worst on the way.
    pub(crate) worst_health: &'static str,
    pub(crate) reasons: Vec<String>,
    /// Why nothing could be looked at.
    pub(crate) failure: Option<String>,
    #[serde(skip)]
    pub(crate) hint: &'static str,
    pub(crate) began_at: String,
    pub(crate) watched_s: f64,
    /// Ctrl-C or SIGTERM ended it before its time.
    pub(crate) cut_short: bool,
    /// All playlists have ended.
    pub(crate) ended: bool,
    pub(crate) renditions: Vec<RenditionReport>,
    pub(crate) findings: Vec<FindingReport>,
    #[serde(skip)]
    pub(crate) state: HealthState,
}

/// One rendition.
#[derive(Debug, Serialize)]
pub(crate) struct RenditionReport {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) label: String,
    pub(crate) url: String,
    pub(crate) playlist_state: &'static str,
    pub(crate) failure: Option<String>,
    pub(crate) reasons: Vec<String>,
    /// None where its playlist was never loaded.
    pub(crate) target_duration_s: Option<f64>,
    pub(crate) last_sequence: Option<u64>,
    pub(crate) buffer_s: Option<f64>,
    /// All of it, while it was watched.
    pub(crate) rebuffering_s: f64,
    pub(crate) segments_obtained_count: u64,
    pub(crate) segments_lost_count: u64,
    pub(crate) bytes: u64,
    pub(crate) ttfb_median_ms: Option<f64>,
    pub(crate) download_ratio: Option<f64>,
}

/// Equal findings.
#[derive(Debug, Serialize)]
pub(crate) struct FindingReport {
    pub(crate) code: &'static str,
    pub(crate) check_id: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) rendition: Option<String>,
    pub(crate) summary: &'static str,
    pub(crate) message: String,
    pub(crate) clause: String,
    pub(crate) fix: &'static str,
    pub(crate) count: u64,
    pub(crate) first_at: String,
    pub(crate) last_at: String,
    #[serde(skip)]
    pub(crate) last: EpochMs,
}

impl Report {
    /// Of everything collected.
    pub(crate) fn of(url: &str, seen: &Collected) -> Self {
        let health = &seen.state.health;
        let exit = verdict(seen);
        let failure = seen.last_failure.filter(|_| !seen.reached);
        let label = |id: RenditionId| seen.state.rendition(id).map(|r| r.spec.label.clone());
        Self {
            url: url.to_owned(),
            verdict: match exit {
                Exit::Clean => "clean",
                Exit::Unreachable => "unreachable",
                _ => "findings",
            },
            exit_code: exit.code(),
            health: health.state.name(),
            worst_health: seen.worst.name(),
            reasons: reasons::lines(&seen.state),
            failure: failure.map(|f| f.to_string()),
            hint: failure.map_or("", hint),
            began_at: timestamp(seen.began_at),
            watched_s: seen.ended_at.since(seen.began_at).as_secs_f64(),
            cut_short: seen.cut_short,
            ended: seen.reached && seen.state.played().all(|r| r.playlist.has_ended()),
            renditions: in_order(seen).into_iter().map(|r| rendition(seen, r)).collect(),
            findings: seen.findings.iter().map(|f| finding(f, f.rendition.and_then(label))).collect(),
            state: health.state,
        }
    }

    /// What a pipeline is told.
    pub(crate) const fn exit(&self) -> Exit {
        match self.exit_code {
            0 => Exit::Clean,
            2 => Exit::Unreachable,
            _ => Exit::Findings,
        }
    }
}

/// What to try first where nothing could be looked at.
const fn hint(failure: Failure) -> &'static str {
    match failure {
        Failure::Dns => "check the spelling of the host",
        Failure::Connect => "check host and port, and that a server runs there",
        Failure::Tls => "check the certificate, and that the port speaks https",
        Failure::Timeout => "check that the host answers from this network",
        Failure::Http(401 | 403) => "a token or header may be missing: --header 'Name: value'",
        Failure::Http(404 | 410) => "check the path",
        Failure::NotAPlaylist(_) => "open the URL in a browser: a sign-in or error page may answer",
        Failure::Blocked => "name the host with --allow-target HOST:PORT if it is yours",
        _ => "",
    }
}

/// Main renditions first, the best of them at the top.
fn in_order(seen: &Collected) -> Vec<&Rendition> {
    let mut all: Vec<_> = seen.state.renditions().collect();
    all.sort_by_key(|r| (r.spec.kind, std::cmp::Reverse(r.spec.bandwidth_bps), &r.spec.label));
    all
}

/// Clean needs evidence: a stream that never advanced while we looked is not called clean.
fn verdict(seen: &Collected) -> Exit {
    // Cut short before the first answer, nothing is known.
    let unknown = seen.cut_short && seen.last_failure.is_none();
    if !seen.reached && !unknown {
        Exit::Unreachable
    } else if seen.findings.is_empty() && seen.state.health.state == HealthState::Healthy {
        Exit::Clean
    } else {
        Exit::Findings
    }
}

fn rendition(seen: &Collected, r: &Rendition) -> RenditionReport {
    let segments = seen.segments.get(&r.spec.id).copied().unwrap_or_default();
    let window = seen.ended_at.since(EpochMs(0));
    let mut ttfb: Vec<f64> = r.samples(seen.ended_at, window).map(|s| s.ttfb.as_secs_f64() * 1e3).collect();
    ttfb.sort_by(f64::total_cmp);
    let played = r.spec.kind.is_played() && !r.playlist.has_ended();
    let buffer = r.buffer_at(seen.ended_at);
    let reasons = seen.state.health.reasons.iter().filter(|reason| reason.rendition == Some(r.spec.id));
    RenditionReport {
        id: r.spec.id.to_string(),
        kind: match r.spec.kind {
            RenditionKind::Main => "main",
            RenditionKind::Audio => "audio",
            RenditionKind::Aux => "aux",
        },
        label: r.spec.label.clone(),
        url: r.spec.url.clone(),
        playlist_state: r.playlist.name(),
        failure: match r.playlist {
            hlsops_domain::rendition::PlaylistState::HttpError(failure) => Some(failure.to_string()),
            _ => None,
        },
        reasons: reasons.map(|reason| reason.what.to_string()).collect(),
        target_duration_s: r.last_sequence().map(|_| r.target().as_seconds()),
        last_sequence: r.last_sequence(),
        buffer_s: played.then(|| buffer.level().as_seconds()),
        rebuffering_s: buffer.sums().rebuffering.as_secs_f64(),
        segments_obtained_count: segments.obtained,
        segments_lost_count: segments.lost,
        bytes: segments.bytes,
        ttfb_median_ms: ttfb.get(ttfb.len() / 2).copied(),
        download_ratio: r.download_ratio(seen.ended_at, window, 1),
    }
}

fn finding(folded: &Folded, rendition: Option<String>) -> FindingReport {
    FindingReport {
        code: folded.rule.code,
        check_id: folded.rule.id.0,
        severity: match folded.rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        rendition,
        summary: folded.rule.summary,
        message: folded.message.clone(),
        clause: folded.rule.clause.to_string(),
        fix: folded.rule.fix,
        count: folded.count,
        first_at: timestamp(folded.first_at),
        last_at: timestamp(folded.last_at),
        last: folded.last_at,
    }
}

/// RFC 3339, UTC, with milliseconds.
fn timestamp(at: EpochMs) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| at.0.to_string(), |t| format!("{t:.3}"))
}
