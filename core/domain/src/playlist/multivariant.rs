//! Reading a multivariant playlist.

use super::attributes::Attributes;
use super::model::{MediaKind, MediaTag, Multivariant, ProblemKind, Variant};
use super::read::{Problems, Tag};

#[derive(Default)]
pub(super) struct MultivariantReader<'a> {
    list: Multivariant<'a>,
    pending: Option<Variant<'a>>,
}

impl<'a> MultivariantReader<'a> {
    pub(super) fn has_content(&self) -> bool {
        let list = &self.list;
        let any = !(list.variants.is_empty() && list.media.is_empty() && list.i_frame_uris.is_empty());
        any || self.pending.is_some()
    }

    /// Takes a tag of a multivariant playlist; false when it is none.
    pub(super) fn tag(&mut self, tag: &Tag<'a>, problems: &mut Problems) -> bool {
        match tag.name {
            "-X-STREAM-INF" => {
                if self.pending.is_some() {
                    problems.add(ProblemKind::VariantWithoutUri);
                }
                self.pending = Some(variant(&Attributes::of(tag.value, problems)));
            }
            "-X-MEDIA" => match media(&Attributes::of(tag.value, problems)) {
                Some(media) => self.list.media.push(media),
                None => problems.add(ProblemKind::BadAttributes),
            },
            "-X-I-FRAME-STREAM-INF" => match Attributes::of(tag.value, problems).text("URI") {
                Some(uri) => self.list.i_frame_uris.push(uri),
                None => problems.add(ProblemKind::BadAttributes),
            },
            _ => return false,
        }
        true
    }

    /// Takes the URI of a pending EXT-X-STREAM-INF; false when none is pending.
    pub(super) fn uri(&mut self, uri: &'a str) -> bool {
        let Some(variant) = self.pending.take() else { return false };
        self.list.variants.push(Variant { uri, ..variant });
        true
    }

    pub(super) fn finish(mut self, mut problems: Problems) -> Multivariant<'a> {
        if self.pending.is_some() {
            problems.add(ProblemKind::VariantWithoutUri);
        }
        self.list.problems = problems.found;
        self.list
    }
}

fn variant<'a>(attributes: &Attributes<'a>) -> Variant<'a> {
    Variant {
        uri: "",
        bandwidth_bps: attributes.integer("BANDWIDTH"),
        average_bandwidth_bps: attributes.integer("AVERAGE-BANDWIDTH"),
        codecs: attributes.text("CODECS"),
        resolution: attributes.resolution("RESOLUTION"),
        frame_rate: attributes.decimal("FRAME-RATE"),
        audio: attributes.text("AUDIO"),
        subtitles: attributes.text("SUBTITLES"),
        pathway: attributes.text("PATHWAY-ID"),
    }
}

fn media<'a>(attributes: &Attributes<'a>) -> Option<MediaTag<'a>> {
    let kind = match attributes.text("TYPE")? {
        "AUDIO" => MediaKind::Audio,
        "VIDEO" => MediaKind::Video,
        "SUBTITLES" => MediaKind::Subtitles,
        "CLOSED-CAPTIONS" => MediaKind::ClosedCaptions,
        _ => return None,
    };
    Some(MediaTag {
        kind,
        group: attributes.text("GROUP-ID")?,
        name: attributes.text("NAME").unwrap_or_default(),
        language: attributes.text("LANGUAGE"),
        uri: attributes.text("URI").filter(|uri| !uri.is_empty()),
    })
}
