//! What a stream consists of, and why it is as it is: what a page about it shows beside its minutes.
//!
//! Written only when it changes, so a healthy stream costs nothing here.

use aws_sdk_dynamodb::types::AttributeValue;
use hlsops_domain::rendition::{RenditionKind, RenditionSpec};
use hlsops_domain::{EpochMs, Health, HealthState, RenditionId};

use crate::Store;
use crate::call::Terms;
use crate::error::StoreError;
use crate::ids::{StreamId, Writer};
use crate::item::{Item, Reading, Writing};
use crate::keys::{Key, kept};
use crate::pack::{health, health_code};
use crate::spent::Paid;

const VERSION: u64 = 1;
const AT: &str = "at";
const EPOCH: &str = "ep";
const RENDITIONS: &str = "ren";
const REASONS: &str = "why";

/// The renditions of a stream and the reasons of its health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// As of when: the reasons have figures, which are of the windows before it.
    pub at: EpochMs,
    /// Video first, in the order of their bandwidth, then by name; at most [`RenditionSpec::MAX`].
    pub renditions: Vec<OutlineRendition>,
    /// Worst first, at most [`Outline::MAX_REASONS`].
    pub reasons: Vec<OutlineReason>,
}

/// A rendition, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineRendition {
    /// Which.
    pub id: RenditionId,
    /// What it is for.
    pub kind: RenditionKind,
    /// For people.
    pub label: String,
    /// Its playlist without the query; at most [`Outline::MAX_TEXT`] bytes.
    pub url: String,
    /// BANDWIDTH, bits per second.
    pub bandwidth_bps: Option<u64>,
}

/// A reason, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineReason {
    /// What it makes of the stream.
    pub state: HealthState,
    /// The rendition it is about; none for the whole stream.
    pub rendition: Option<RenditionId>,
    /// What holds.
    pub text: String,
}

impl Outline {
    /// Most reasons.
    pub const MAX_REASONS: usize = 10;
    /// Longest text, in bytes.
    pub const MAX_TEXT: usize = 400;

    /// Of a stream with these renditions, and this health at `at`.
    #[must_use]
    pub fn of<'a>(
        renditions: impl IntoIterator<Item = &'a RenditionSpec>,
        health: &Health,
        at: EpochMs,
    ) -> Self {
        let rendition = |spec: &RenditionSpec| OutlineRendition {
            id: spec.id,
            kind: spec.kind,
            label: cut(&spec.label),
            // Queries carry tokens, which change from load to load and are nobody's business.
            url: cut(spec.url.split(['?', '#']).next().unwrap_or_default()),
            bandwidth_bps: spec.bandwidth_bps,
        };
        let reason = |reason: &hlsops_domain::Reason| OutlineReason {
            state: reason.state,
            rendition: reason.rendition,
            text: cut(&reason.what.to_string()),
        };
        let mut renditions: Vec<_> = renditions.into_iter().take(RenditionSpec::MAX).map(rendition).collect();
        renditions.sort_by(|a, b| {
            let order = |one: &OutlineRendition| (one.kind, std::cmp::Reverse(one.bandwidth_bps));
            order(a).cmp(&order(b)).then_with(|| a.label.cmp(&b.label))
        });
        let reasons = health.reasons.iter().take(Self::MAX_REASONS).map(reason).collect();
        Self { at, renditions, reasons }
    }

    /// Whether another one says the same, whenever it was made.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        (&self.renditions, &self.reasons) == (&other.renditions, &other.reasons)
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(Outline::MAX_TEXT)].to_owned()
}

impl Store {
    /// Writes a stream's outline.
    ///
    /// Concurrent writers: the newest lease epoch wins, within an epoch the newest time; `false` for a writer
    /// that was late, and nothing was stored. Repeating it is safe.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn save_outline(
        &self,
        stream: &StreamId,
        outline: &Outline,
        writer: &Writer,
    ) -> Result<Paid<bool>, StoreError> {
        let at = outline.at;
        let item = Writing::new(&Key::Outline(stream), VERSION)
            .number(EPOCH, writer.epoch)
            .number(AT, at.0)
            .value(RENDITIONS, AttributeValue::L(outline.renditions.iter().map(write_rendition).collect()))
            .value(REASONS, AttributeValue::L(outline.reasons.iter().map(write_reason).collect()))
            .kept(at, kept::DETAIL)
            .done();
        let terms =
            Terms::default().name("#e", EPOCH).name("#a", AT).number(":e", writer.epoch).number(":a", at.0);
        let condition = Some("attribute_not_exists(pk) OR #e < :e OR (#e = :e AND #a <= :a)");
        let verdict = self.put("write an outline", &item, condition, &terms).await?;
        Ok(verdict.map(|verdict| verdict.refused().is_none()))
    }

    /// A stream's outline; empty for one nobody has watched. Eventually consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn outline(&self, stream: &StreamId) -> Result<Paid<Outline>, StoreError> {
        let item = self.get("read an outline", &Key::Outline(stream), false).await?;
        item.try_map(|item| item.as_ref().map_or_else(|| Ok(Outline::default()), read_outline))
    }
}

fn number(n: u64) -> AttributeValue {
    AttributeValue::N(n.to_string())
}

fn option(n: Option<u64>) -> AttributeValue {
    n.map_or(AttributeValue::Null(true), number)
}

fn write_rendition(rendition: &OutlineRendition) -> AttributeValue {
    AttributeValue::L(vec![
        number(rendition.id.0),
        number(match rendition.kind {
            RenditionKind::Main => 0,
            RenditionKind::Audio => 1,
            RenditionKind::Aux => 2,
        }),
        AttributeValue::S(rendition.label.clone()),
        AttributeValue::S(rendition.url.clone()),
        option(rendition.bandwidth_bps),
    ])
}

fn write_reason(reason: &OutlineReason) -> AttributeValue {
    AttributeValue::L(vec![
        number(health_code(reason.state)),
        option(reason.rendition.map(|id| id.0)),
        AttributeValue::S(reason.text.clone()),
    ])
}

fn read_outline(item: &Item) -> Result<Outline, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let list = |name: &'static str| {
        let list = item.get(name).and_then(|list| list.as_l().ok());
        list.ok_or_else(|| reading.damaged(name))
    };
    let renditions: Option<Vec<_>> = list(RENDITIONS)?.iter().map(read_rendition).collect();
    let reasons: Option<Vec<_>> = list(REASONS)?.iter().map(read_reason).collect();
    Ok(Outline {
        at: reading.time(AT)?,
        renditions: renditions.ok_or_else(|| reading.damaged(RENDITIONS))?,
        reasons: reasons.ok_or_else(|| reading.damaged(REASONS))?,
    })
}

fn read_number(value: &AttributeValue) -> Option<u64> {
    value.as_n().ok()?.parse().ok()
}

fn read_rendition(value: &AttributeValue) -> Option<OutlineRendition> {
    let [id, kind, label, url, bandwidth, ..] = value.as_l().ok()?.as_slice() else { return None };
    Some(OutlineRendition {
        id: RenditionId(read_number(id)?),
        kind: match read_number(kind)? {
            0 => RenditionKind::Main,
            1 => RenditionKind::Audio,
            _ => RenditionKind::Aux,
        },
        label: label.as_s().ok()?.clone(),
        url: url.as_s().ok()?.clone(),
        bandwidth_bps: read_number(bandwidth),
    })
}

fn read_reason(value: &AttributeValue) -> Option<OutlineReason> {
    let [state, rendition, text, ..] = value.as_l().ok()?.as_slice() else { return None };
    Some(OutlineReason {
        state: health(read_number(state)?)?,
        rendition: read_number(rendition).map(RenditionId),
        text: text.as_s().ok()?.clone(),
    })
}
