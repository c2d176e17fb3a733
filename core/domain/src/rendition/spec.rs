//! Which media playlists a stream consists of.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{RenditionId, StableHash};
use crate::playlist::{MediaKind, MediaTag, Multivariant, Variant};

/// What a rendition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RenditionKind {
    /// A variant with video; the audio-only ones when no variant has video.
    Main,
    /// A separate audio rendition.
    Audio,
    /// Subtitles, I-frame lists and the like: findings only, never health.
    Aux,
}

impl RenditionKind {
    /// Counts for health and has a buffer.
    #[must_use]
    pub const fn is_played(self) -> bool {
        matches!(self, Self::Main | Self::Audio)
    }
}

/// One distinct media playlist of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct RenditionSpec {
    /// Derived from kind, attributes and path.
    pub id: RenditionId,
    /// What it is for.
    pub kind: RenditionKind,
    /// For people: `640x360 800 kb/s`, `audio English`.
    pub label: String,
    /// Absolute URL of its playlist.
    pub url: String,
    /// BANDWIDTH, bits per second.
    pub bandwidth_bps: Option<u64>,
    /// Main: groups of audio that play with it (empty when none is needed). Audio: the groups it is in.
    pub audio_groups: Vec<String>,
    /// PATHWAY-ID; `.` when absent.
    pub pathways: Vec<String>,
    /// Its segments are worth fetching. I-frame segments are not.
    pub fetch_segments: bool,
    /// It was recognised by its attributes: its path is another one than before, and so may be the names of its
    /// segments. See [`crate::StreamState::recognise`].
    pub renamed: bool,
}

/// A URI resolved against the playlist that named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Absolute URL.
    pub url: String,
    /// The path: the part that identifies. Hosts change from load to load where a balancer names one, and
    /// queries where tokens are handed out.
    pub identity: String,
}

impl RenditionSpec {
    /// Most renditions of one stream; what a playlist lists beyond that is not watched.
    pub const MAX: usize = 200;

    /// Most audio groups, and most pathways, kept of one rendition.
    pub const MAX_NAMES: usize = 16;

    /// A stream whose own URL is a media playlist.
    #[must_use]
    pub fn single(location: Location) -> Self {
        Self {
            id: id_of(RenditionKind::Main, "", &location.identity),
            kind: RenditionKind::Main,
            label: "media playlist".into(),
            url: location.url,
            bandwidth_bps: None,
            audio_groups: Vec::new(),
            pathways: vec![".".into()],
            fetch_segments: true,
            renamed: false,
        }
    }

    /// Whom it is made for, whatever its URL: a hash of kind, label, bandwidth, groups and pathways.
    #[must_use]
    pub fn attributes(&self) -> u64 {
        let hash = StableHash::new()
            .with(&[self.kind as u8])
            .with(self.label.as_bytes())
            .with(&self.bandwidth_bps.unwrap_or_default().to_le_bytes())
            .with(&[u8::from(self.bandwidth_bps.is_some())]);
        let names = self.audio_groups.iter().map(String::as_bytes).chain([b"\n".as_slice()]);
        names.chain(self.pathways.iter().map(String::as_bytes)).fold(hash, StableHash::with).finish()
    }

    /// The same URL listed again. The more important kind counts: an audio rendition is often listed as an
    /// audio-only variant as well.
    fn merge(&mut self, other: Self) {
        if other.kind < self.kind {
            self.kind = other.kind;
            self.label = other.label;
        }
        self.fetch_segments |= other.fetch_segments;
        add_names(&mut self.audio_groups, other.audio_groups);
        add_names(&mut self.pathways, other.pathways);
        self.bandwidth_bps = self.bandwidth_bps.max(other.bandwidth_bps);
    }
}

fn add_names(names: &mut Vec<String>, more: Vec<String>) {
    for name in more {
        if names.len() < RenditionSpec::MAX_NAMES && !names.contains(&name) {
            names.push(name);
        }
    }
}

/// The distinct media playlists of a multivariant playlist, in its order, at most
/// [`RenditionSpec::MAX`]. One URI in several EXT-X-STREAM-INF lines is one rendition. `locate` resolves a
/// URI; what does not resolve is left out.
#[must_use]
pub fn list_renditions(
    list: &Multivariant<'_>,
    locate: impl Fn(&str) -> Option<Location>,
) -> Vec<RenditionSpec> {
    let any_video = list.variants.iter().any(has_video);
    let mut all = Collected::default();
    for variant in &list.variants {
        let kind = if has_video(variant) || !any_video { RenditionKind::Main } else { RenditionKind::Aux };
        if let Some(location) = locate(variant.uri) {
            all.add(of_variant(variant, kind, location));
        }
    }
    let pathways = pathways_of_groups(list);
    for media in list.media.iter().filter(|m| m.kind != MediaKind::ClosedCaptions) {
        if let Some(location) = media.uri.and_then(&locate) {
            all.add(of_media(media, &pathways, location));
        }
    }
    for location in list.i_frame_uris.iter().filter_map(|uri| locate(uri)) {
        all.add(i_frames(location));
    }
    all.finish()
}

/// Renditions so far, in the order of the text.
#[derive(Default)]
struct Collected(Vec<RenditionSpec>);

impl Collected {
    fn add(&mut self, spec: RenditionSpec) {
        match self.0.iter().position(|known| known.url == spec.url) {
            Some(known) => self.0[known].merge(spec),
            None if self.0.len() < RenditionSpec::MAX => push_distinct(&mut self.0, spec),
            None => {}
        }
    }

    /// A group without a member of its own is muxed into the variants: nothing more is needed to play them.
    fn finish(mut self) -> Vec<RenditionSpec> {
        let audio = self.0.iter().filter(|spec| spec.kind == RenditionKind::Audio);
        let apart: BTreeSet<String> = audio.flat_map(|spec| spec.audio_groups.iter().cloned()).collect();
        for spec in self.0.iter_mut().filter(|spec| spec.kind == RenditionKind::Main) {
            spec.audio_groups.retain(|group| apart.contains(group));
        }
        self.0
    }
}

/// Two URLs that differ in their host or query alone are told apart by their order.
fn push_distinct(all: &mut Vec<RenditionSpec>, mut spec: RenditionSpec) {
    while all.iter().any(|s| s.id == spec.id) {
        spec.id = RenditionId(StableHash::new().with(&spec.id.0.to_le_bytes()).finish());
    }
    all.push(spec);
}

fn of_variant(variant: &Variant<'_>, kind: RenditionKind, location: Location) -> RenditionSpec {
    let attributes = format!("{:?} {:?} {:?}", variant.resolution, variant.codecs, variant.frame_rate);
    RenditionSpec {
        id: id_of(kind, &attributes, &location.identity),
        kind,
        label: label(variant),
        url: location.url,
        bandwidth_bps: variant.bandwidth_bps,
        audio_groups: variant
            .audio
            .filter(|_| kind == RenditionKind::Main)
            .map(str::to_owned)
            .into_iter()
            .collect(),
        pathways: vec![pathway(variant).to_owned()],
        fetch_segments: true,
        renamed: false,
    }
}

fn of_media(media: &MediaTag<'_>, pathways: &Pathways<'_>, location: Location) -> RenditionSpec {
    let (kind, word) = match media.kind {
        MediaKind::Audio => (RenditionKind::Audio, "audio"),
        MediaKind::Video => (RenditionKind::Aux, "video"),
        MediaKind::Subtitles | MediaKind::ClosedCaptions => (RenditionKind::Aux, "subtitles"),
    };
    let name = if media.name.is_empty() { media.group } else { media.name };
    let pathways = pathways.get(media.group).into_iter().flatten();
    RenditionSpec {
        id: id_of(kind, &format!("{}/{}", media.group, media.name), &location.identity),
        kind,
        label: format!("{word} {name}"),
        url: location.url,
        bandwidth_bps: None,
        audio_groups: if kind == RenditionKind::Audio { vec![media.group.to_owned()] } else { Vec::new() },
        pathways: pathways.map(|name| (*name).to_owned()).collect(),
        fetch_segments: true,
        renamed: false,
    }
}

fn i_frames(location: Location) -> RenditionSpec {
    RenditionSpec {
        id: id_of(RenditionKind::Aux, "i-frames", &location.identity),
        kind: RenditionKind::Aux,
        label: "I-frames".into(),
        url: location.url,
        bandwidth_bps: None,
        audio_groups: Vec::new(),
        pathways: Vec::new(),
        fetch_segments: false,
        renamed: false,
    }
}

fn pathway<'a>(variant: &Variant<'a>) -> &'a str {
    variant.pathway.unwrap_or(".")
}

/// The pathways of the variants that name a group of audio.
type Pathways<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn pathways_of_groups<'a>(list: &Multivariant<'a>) -> Pathways<'a> {
    let mut pathways = Pathways::new();
    for variant in &list.variants {
        let Some(group) = variant.audio else { continue };
        let known = pathways.entry(group).or_default();
        if known.len() < RenditionSpec::MAX_NAMES {
            known.insert(pathway(variant));
        }
    }
    pathways
}

fn label(variant: &Variant<'_>) -> String {
    let rate = variant.bandwidth_bps.map(|bps| format!("{} kb/s", bps / 1_000));
    let size = variant.resolution.map(|(width, height)| format!("{width}x{height}"));
    match (size, rate) {
        (Some(size), Some(rate)) => format!("{size} {rate}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => variant.uri.chars().take(60).collect(),
    }
}

/// A variant without CODECS and RESOLUTION is taken to have video: nearly all have.
fn has_video(variant: &Variant<'_>) -> bool {
    const VIDEO: [&str; 11] =
        ["avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "av01", "vp09", "vp08", "mp4v", "vvc1"];
    variant.resolution.is_some()
        || variant
            .codecs
            .is_none_or(|codecs| codecs.split(',').any(|c| VIDEO.iter().any(|v| c.trim().starts_with(v))))
}

fn id_of(kind: RenditionKind, attributes: &str, identity: &str) -> RenditionId {
    let kind = [kind as u8];
    RenditionId(StableHash::new().with(&kind).with(attributes.as_bytes()).with(identity.as_bytes()).finish())
}
