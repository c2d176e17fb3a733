//! Pure: from what is stored to what is shown.

pub(crate) mod channel;
pub(crate) mod incident;
pub(crate) mod losses;
pub(crate) mod metrics;
pub(crate) mod pauses;
pub(crate) mod stream;
pub(crate) mod tile;
pub(crate) mod timeline;

use std::collections::HashMap;

use hlsops_domain::rendition::RenditionKind;
use hlsops_domain::{EpochMs, HealthState, RenditionId};
use hlsops_store::Outline;
use hlsops_wire as wire;
use url::Url;

use crate::config::MASK;

/// Health as the API writes it.
pub(crate) const fn state(health: HealthState) -> wire::State {
    match health {
        HealthState::NoData => wire::State::NoData,
        HealthState::Healthy => wire::State::Healthy,
        HealthState::Degraded => wire::State::Degraded,
        HealthState::Unhealthy => wire::State::Unhealthy,
    }
}

pub(crate) const fn rendition_kind(kind: RenditionKind) -> wire::RenditionKind {
    match kind {
        RenditionKind::Main => wire::RenditionKind::Main,
        RenditionKind::Audio => wire::RenditionKind::Audio,
        RenditionKind::Aux => wire::RenditionKind::Aux,
    }
}

/// A URL whose query keeps its names and hides its values: they are often keys.
pub(crate) fn masked_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return text.split('?').next().unwrap_or_default().to_owned() };
    url.set_fragment(None);
    let Some(query) = url.query() else { return url.into() };
    let masked: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) => format!("{name}={MASK}"),
            // A token may stand there without a name.
            None => MASK.to_owned(),
        })
        .collect();
    url.set_query(Some(&masked.join("&")));
    url.into()
}

/// What people call the renditions of a stream.
#[derive(Debug, Default)]
pub(crate) struct Labels(HashMap<RenditionId, String>);

impl Labels {
    pub(crate) fn of(outline: &Outline) -> Self {
        Self(outline.renditions.iter().map(|known| (known.id, known.label.clone())).collect())
    }

    pub(crate) fn get(&self, id: RenditionId) -> Option<String> {
        self.0.get(&id).cloned()
    }
}

/// Seconds from one time to another as people read them, without their milliseconds.
pub(crate) const fn seconds_between(from: EpochMs, to: EpochMs) -> u64 {
    (to.0 / 1_000).saturating_sub(from.0 / 1_000)
}

/// A length of time for people: `45 s`, `4 min 12 s`, `3 h 5 min`, `2 d 4 h`.
pub(crate) fn length(seconds: u64) -> String {
    let two = |a: u64, a_unit: &str, b: u64, b_unit: &str| {
        if b == 0 { format!("{a} {a_unit}") } else { format!("{a} {a_unit} {b} {b_unit}") }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests;
