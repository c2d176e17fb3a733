//! Attribute lists (RFC 8216 section 4.2), read leniently: quotes may be missing or superfluous, and a
//! list that is not well-formed still yields the attributes that are.

use quick_m3u8::tag::{AttributeValue, TagValue};

use super::model::{ByteRange, ProblemKind};
use super::read::Problems;
use crate::units::MediaUs;

/// An attribute list, in the order of the text.
#[derive(Default)]
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    /// Every attribute that can be read. What is not well-formed is noted and costs only itself: a comma
    /// too many must not hide the rendition or the key that the rest of the line names.
    pub(super) fn of(value: Option<&'a str>, problems: &mut Problems) -> Self {
        let Some(value) = value else {
            problems.add(ProblemKind::BadAttributes);
            return Self::default();
        };
        if let Ok(list) = TagValue(value.as_bytes()).try_as_ordered_attribute_list() {
            return Self(
                list.into_iter().filter_map(|(name, value)| Some((name, text_of(value)?))).collect(),
            );
        }
        problems.add(ProblemKind::BadAttributes);
        Self(split_leniently(value))
    }

    /// The text of an attribute, quoted or not. The first one counts.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key.trim() == name).map(|(_, text)| *text)
    }

    pub(super) fn integer(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn decimal(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|n: &f64| n.is_finite())
    }

    pub(super) fn seconds(&self, name: &str) -> Option<MediaUs> {
        seconds(self.decimal(name)?)
    }

    pub(super) fn yes(&self, name: &str) -> bool {
        self.text(name) == Some("YES")
    }

    /// `<width>x<height>`.
    pub(super) fn resolution(&self, name: &str) -> Option<(u64, u64)> {
        let (width, height) = self.text(name)?.split_once(['x', 'X'])?;
        Some((width.parse().ok()?, height.parse().ok()?))
    }

    /// `"<length>[@<offset>]"`; without an offset it starts at 0 (EXT-X-MAP).
    pub(super) fn byte_range(&self, name: &str) -> Option<ByteRange> {
        let (length, offset) = split_range(self.text(name)?)?;
        Some(ByteRange { offset: offset.unwrap_or(0), length })
    }
}

fn text_of(value: AttributeValue<'_>) -> Option<&str> {
    match value {
        AttributeValue::Quoted(text) => Some(text),
        AttributeValue::Unquoted(raw) => raw.try_as_utf_8().ok().map(str::trim),
    }
}

/// Splits at the commas outside quotes; what has neither name nor value is left out.
fn split_leniently(mut text: &str) -> Vec<(&str, &str)> {
    let mut list = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        // A name cannot hold a comma: what stands before one is debris.
        let name = name.rsplit(',').next().unwrap_or_default().trim();
        let rest = rest.trim_start();
        let (value, after) = match rest.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
            Some((quoted, after)) => (quoted, after),
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim().trim_matches('"'), &rest[end..])
            }
        };
        if !name.is_empty() && !value.is_empty() {
            list.push((name, value));
        }
        text = after;
    }
    list
}

/// `<length>[@<offset>]` as two numbers.
pub(super) fn split_range(text: &str) -> Option<(u64, Option<u64>)> {
    match text.trim().split_once('@') {
        Some((length, offset)) => Some((length.parse().ok()?, Some(offset.parse().ok()?))),
        None => Some((text.trim().parse().ok()?, None)),
    }
}

/// Decimal seconds as a length of media; none below zero, when not finite, or above ten years.
pub(super) fn seconds(value: f64) -> Option<MediaUs> {
    const TEN_YEARS: f64 = 315_360_000.0;
    if !(0.0..=TEN_YEARS).contains(&value) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
    let us = (value * 1e6).round() as u64;
    Some(MediaUs(us))
}
