//! A stream and its renditions.

use std::collections::HashMap;
use std::time::Duration;

use hlsops_domain::freshness::is_stale;
use hlsops_domain::rendition::{PlaylistState, RenditionKind as Kind};
use hlsops_domain::{Closing, EpochMs, RenditionClosing, RenditionId};
use hlsops_store::pack::What;
use hlsops_store::{
    IncidentId, Outline, OutlineRendition, Segments, Slot, StoredMinute, StreamConfig, Tile, WatchMode,
};
use hlsops_wire as wire;
use hlsops_wire::{HealthNow, Reason, Rendition, RenditionKind, State, Stream, WallTile};

use super::metrics::{Sums, rounded};
use super::tile::pace;
use super::{masked_url, rendition_kind, state};
use crate::config::MASK;
use crate::times;

/// What is known of a stream beside its configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now<'a> {
    /// Its tile on the wall.
    pub(crate) tile: Option<&'a WallTile>,
    /// What that was made of.
    pub(crate) summary: Option<&'a Tile>,
    pub(crate) incident: Option<&'a IncidentId>,
}

/// A stream; secrets only for those who may see them.
pub(crate) fn stream(config: &StreamConfig, now: Now<'_>, secrets: bool) -> Stream {
    let shown = |text: &String| if secrets { text.clone() } else { MASK.to_owned() };
    let header = |(name, value): &(String, String)| wire::Header { name: name.clone(), value: shown(value) };
    Stream {
        id: config.id.name().into(),
        link_id: link_id(config),
        name: config.name.clone(),
        manifest_url: if secrets { config.url.clone() } else { masked_url(&config.url) },
        tags: config.tags.iter().cloned().collect(),
        enabled: config.enabled,
        watch: watch(config),
        request_headers: config.headers.iter().map(header).collect(),
        profile: config.profile.clone(),
        thresholds: config.overrides.clone(),
        health: health(config, now),
        playlist_state: now.tile.and_then(|tile| tile.playlist_state.clone()),
        last_look_at: now.summary.and_then(|summary| summary.last_look).map(times::text),
        active_incident_id: now.incident.map(ToString::to_string),
        created_at: times::text(config.created_at),
    }
}

/// Brings the head of a stream's page to the newest record of it, where that is newer than what the wall was made of:
/// so it says the same as the timeline beside it. Whether it was.
pub(crate) fn catch_up(
    shown: &mut Stream,
    config: &StreamConfig,
    minutes: &[StoredMinute],
    outline: &Outline,
    now: EpochMs,
) -> bool {
    let Some((closing, look)) = newest(minutes).and_then(|closing| Some((closing, closing.last_look?)))
    else {
        return false;
    };
    let is_known = shown.last_look_at.as_deref().is_some_and(|seen| *times::text(look) <= *seen);
    let is_over = config.resumed_at().is_some_and(|resumed| look < resumed);
    if !config.enabled || is_known || is_over || is_stale(pace(config), Some(look), now) {
        return false;
    }
    shown.last_look_at = Some(times::text(look));
    shown.health = HealthNow {
        state: state(closing.health),
        since_at: Some(times::text(closing.health_since)),
        ..HealthNow::default()
    };
    let is_aux = |id| outline.renditions.iter().any(|known| known.id == id && known.kind == Kind::Aux);
    let played = closing.renditions.iter().filter(|known| !is_aux(known.id));
    let worst = played.map(|known| known.playlist).max_by_key(|playlist| playlist.rank());
    if let Some(worst) = worst.filter(|_| closing.master.1.is_none()) {
        shown.playlist_state = Some(worst.name().into());
    }
    true
}

/// A stream that was made without one gets always the same.
pub(crate) fn link_id(config: &StreamConfig) -> String {
    let made_up = || {
        let hash = hlsops_domain::id::StableHash::new().with(config.id.to_string().as_bytes()).finish();
        format!("{:012x}", hash >> 16)
    };
    config.link_id.clone().unwrap_or_else(made_up)
}

fn watch(config: &StreamConfig) -> wire::Watch {
    let (mode, interval_s) = match config.watch {
        WatchMode::Continuous => (wire::WatchMode::Continuous, None),
        WatchMode::Interval { every_s } => (wire::WatchMode::Interval, Some(every_s)),
    };
    let segments = match config.segments {
        Segments::Full => wire::Segments::Full,
        Segments::None => wire::Segments::None,
    };
    wire::Watch { mode, interval_s, segments }
}

fn health(config: &StreamConfig, now: Now<'_>) -> HealthNow {
    let Some(tile) = now.tile else {
        let state = if config.enabled { State::NoData } else { State::Paused };
        return HealthNow { state, ..HealthNow::default() };
    };
    let reason = |text: &str| Reason { state: tile.state, rendition_id: None, text: text.into() };
    let reasons = match now.summary.filter(|summary| state(summary.health) == tile.state) {
        Some(summary) => summary.reasons.iter().map(|text| reason(text)).collect(),
        None if tile.reason.is_empty() => Vec::new(),
        None => vec![reason(&tile.reason)],
    };
    let reasons_as_of = tile.reason_as_of.clone();
    HealthNow { state: tile.state, since_at: tile.since_at.clone(), reasons, reasons_as_of }
}

/// Reasons with their renditions, where the outline speaks of the same state; `at`: [`figures_at`].
pub(crate) fn reasons(outline: &Outline, at: Option<EpochMs>, health: &mut HealthNow) {
    let same = outline.reasons.first().is_some_and(|worst| state(worst.state) == health.state);
    if same {
        let reason = |reason: &hlsops_store::OutlineReason| Reason {
            state: state(reason.state),
            rendition_id: reason.rendition.map(|id| id.to_string()),
            text: reason.text.clone(),
        };
        health.reasons = outline.reasons.iter().map(reason).collect();
        health.reasons_as_of = at.map(times::text);
    }
}

/// The state a stream was stored with last. `minutes` are newest first.
pub(crate) fn newest(minutes: &[StoredMinute]) -> Option<&Closing> {
    minutes.iter().find_map(|stored| match &stored.slot {
        Slot::Watched { closing, .. } => Some(closing.as_ref()),
        _ => None,
    })
}

/// The newest look that is in these minutes, which are newest first: up to then they hold everything.
pub(crate) fn newest_look(minutes: &[StoredMinute]) -> Option<EpochMs> {
    newest(minutes)?.last_look
}

/// As of when the figures of a stream are: health is judged up to a second after the newest look.
pub(crate) fn figures_at(minutes: &[StoredMinute], outline: &Outline) -> Option<EpochMs> {
    newest_look(minutes).map(|look| look.max(outline.at))
}

/// The renditions of a stream: those of the outline in its order, then what else is watched. Their figures are of
/// the `window` before [`figures_at`], as health's are; not of what was before the last pause.
pub(crate) fn renditions(
    minutes: &[StoredMinute],
    outline: &Outline,
    window: Duration,
    resumed: Option<EpochMs>,
) -> Vec<Rendition> {
    let Some(closing) = newest(minutes) else { return Vec::new() };
    let end = figures_at(minutes, outline);
    let since = resumed.filter(|resumed| end.is_some_and(|end| end >= *resumed)).unwrap_or_default();
    let is_recent = |at: EpochMs| since <= at && end.is_some_and(|end| end.since(at) <= window);
    let mut sums: HashMap<RenditionId, Sums> = HashMap::new();
    for stored in minutes {
        let Slot::Watched { log, .. } = &stored.slot else { continue };
        for rendition in log.renditions() {
            let recent = rendition.segments.iter().filter(|row| is_recent(row.at));
            recent.for_each(|row| sums.entry(rendition.id).or_default().add(row));
        }
        for change in log.changes().iter().filter(|change| is_recent(change.at)) {
            if let (What::Lost { segments, .. }, Some(id)) = (&change.what, change.rendition) {
                sums.entry(id).or_default().lost += segments;
            }
        }
    }
    let place = |id| outline.renditions.iter().position(|known| known.id == id).unwrap_or(usize::MAX);
    let mut renditions: Vec<&RenditionClosing> = closing.renditions.iter().collect();
    renditions.sort_by_key(|rendition| place(rendition.id));
    let none = Sums::default();
    let one = |known: &RenditionClosing| {
        let spec = outline.renditions.iter().find(|spec| spec.id == known.id);
        rendition(known, spec, sums.get(&known.id).unwrap_or(&none))
    };
    renditions.into_iter().map(one).collect()
}

fn rendition(known: &RenditionClosing, spec: Option<&OutlineRendition>, sums: &Sums) -> Rendition {
    Rendition {
        id: known.id.to_string(),
        label: spec.map_or_else(|| known.id.to_string(), |spec| spec.label.clone()),
        kind: spec.map_or(RenditionKind::Main, |spec| rendition_kind(spec.kind)),
        url: spec.map(|spec| spec.url.clone()),
        bandwidth_bps: spec.and_then(|spec| spec.bandwidth_bps),
        playlist_state: known.playlist.name().into(),
        failure: match known.playlist {
            PlaylistState::HttpError(failure) => Some(failure.to_string()),
            _ => None,
        },
        playlist_since_at: times::text(known.playlist_since),
        last_look_at: known.last_look.map(times::text),
        target_duration_s: known.loaded_at.map(|_| known.target.as_seconds()),
        buffer_s: rounded(known.buffer.level.as_seconds()),
        buffer_empty_since_at: known.buffer.empty_since.map(times::text),
        consecutive_lost_count: known.consecutive_lost,
        segments_obtained_count: sums.obtained,
        segments_lost_count: sums.lost,
        ttfb_p50_ms: sums.ttfb_p50_ms(),
        download_ratio: sums.download_ratio(),
    }
}

/// The fullest buffer of a main rendition, and the longest target duration.
pub(crate) fn figures(renditions: &[Rendition]) -> (Option<f64>, Option<f64>) {
    let is_known = |rendition: &&Rendition| rendition.target_duration_s.is_some();
    let main = renditions.iter().filter(|rendition| rendition.kind == RenditionKind::Main).filter(is_known);
    let most = |values: &mut dyn Iterator<Item = f64>| values.reduce(f64::max);
    (
        most(&mut main.map(|rendition| rendition.buffer_s)),
        most(&mut renditions.iter().filter_map(|rendition| rendition.target_duration_s)),
    )
}
