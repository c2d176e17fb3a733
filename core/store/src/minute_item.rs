//! The item of a minute.

use crate::Store;
use crate::error::StoreError;
use crate::ids::Minute;
use crate::item::{Item, Reading, Writing};
use crate::keys::{self, Key, attribute, kept};
use crate::minutes::{Body, Chain, Content, Holder, Slot, StoredMinute};
use crate::pack::{MinuteLog, pack_closing, unpack_closing};

const VERSION: u64 = 1;
pub(crate) const OWNER: &str = "own";
pub(crate) const EPOCH: &str = "ep";
pub(crate) const REVISION: &str = "rev";
pub(crate) const CLOSING: &str = "st";
const LOG: &str = "lg";
const GAP_TO: &str = "to";
pub(crate) const LEFT: &str = "left";

pub(crate) fn pack(content: Content<'_>) -> Result<Body, StoreError> {
    let (closing, log) = (pack_closing(content.closing), content.log.pack());
    let got = closing.len() + log.len();
    if got > Store::MAX_MINUTE {
        return Err(StoreError::TooLarge { what: "a packed minute", got, limit: Store::MAX_MINUTE });
    }
    Ok(Body::Watched { closing, log })
}

/// The item of a minute, as the chain's writer leaves it: his own, or his heir's.
pub(crate) fn write_minute(chain: &Chain, minute: Minute, revision: u64, body: &Body) -> Item {
    let heir = chain.heir.as_ref().filter(|_| matches!(body, Body::Watched { .. }));
    let holder = heir.unwrap_or(&chain.writer);
    let item = Writing::new(&Key::Minute(&chain.stream, minute), VERSION)
        .kept(minute.start(), kept::MINUTES)
        .text(OWNER, &holder.name)
        .number(EPOCH, holder.epoch)
        .maybe(heir, |item, _| item.flag(LEFT, true))
        .number(REVISION, revision);
    match body {
        Body::Watched { closing, log } => item.bytes(CLOSING, closing.clone()).bytes(LOG, log.clone()),
        Body::Gap(to) => item.number(GAP_TO, to.0),
        Body::Claim => item,
    }
    .done()
}

pub(crate) fn read_minute(item: &Item) -> Result<StoredMinute, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let sort = reading.text(attribute::SK)?;
    let minute = sort.strip_prefix(keys::MINUTE).and_then(|text| text.parse().ok());
    let minute = Minute(minute.ok_or_else(|| reading.damaged(attribute::SK))?);
    let slot = match (reading.find_bytes(CLOSING), gap_to(item)) {
        (Some(closing), _) => Slot::Watched {
            closing: Box::new(unpack_closing(closing).map_err(|error| reading.packed(error))?),
            log: MinuteLog::unpack(reading.bytes(LOG)?).map_err(|error| reading.packed(error))?,
        },
        (None, Some(to)) => Slot::Gap(to),
        (None, None) => Slot::Claimed,
    };
    let revision = reading.number(REVISION)?;
    Ok(StoredMinute { minute, holder: Holder::of(item)?, revision, left: reading.flag(LEFT), slot })
}

pub(crate) fn gap_to(item: &Item) -> Option<Minute> {
    Reading::any(item).find_number(GAP_TO).map(Minute)
}

pub(crate) fn same_body(a: &Item, b: &Item) -> bool {
    [CLOSING, LOG, GAP_TO].iter().all(|name| a.get(*name) == b.get(*name))
}
