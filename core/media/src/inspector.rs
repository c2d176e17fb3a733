//! Takes the chunks and hands them to the walk their container asks for.

use std::hash::Hasher as _;

use twox_hash::XxHash3_64;

use crate::boxes::BoxWalk;
use crate::sniff::{self, HEAD_BYTES};
use crate::ts::{PACKET_BYTES, TsWalk};
use crate::{Container, Defect, Fmp4Report, Report, TsReport};

/// Looks at one segment, chunk by chunk.
///
/// Feed the decoded body: content codings (gzip) and transfer codings removed.
/// Meant for whole segments; for a byte range fetched as a sample, expect
/// [`Defect::Truncated`].
pub struct Inspector {
    bytes: u64,
    hash: Option<XxHash3_64>,
    look: Look,
}

/// How far the look at the content has come.
enum Look {
    /// Collecting the first bytes.
    Head {
        head: Box<[u8; HEAD_BYTES]>,
        len: usize,
    },
    Ts(Box<TsWalk>),
    Fmp4(BoxWalk),
    /// A form without a structure to walk.
    Plain(Container),
}

impl Default for Inspector {
    fn default() -> Self {
        Self::new()
    }
}

impl Inspector {
    /// An inspector for a segment in clear, or with encrypted samples only
    /// (`SAMPLE-AES`, `cenc`, `cbcs`): their packets and boxes are in clear.
    #[must_use]
    pub fn new() -> Self {
        Self::looking(Look::Head { head: Box::new([0; HEAD_BYTES]), len: 0 })
    }

    /// An inspector for a segment that is encrypted as a whole (`AES-128`, RFC
    /// 8216 section 4.3.2.4). It counts; the only defect it finds is
    /// [`Defect::Empty`].
    #[must_use]
    pub fn opaque() -> Self {
        Self::looking(Look::Plain(Container::Opaque))
    }

    fn looking(look: Look) -> Self {
        Self { bytes: 0, hash: None, look }
    }

    /// The same, and every byte is hashed: more work than all the rest.
    #[must_use]
    pub fn hashing(self) -> Self {
        Self { hash: Some(XxHash3_64::new()), ..self }
    }

    /// Takes the next bytes of the segment, however many.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        if let Some(hash) = &mut self.hash {
            hash.write(chunk);
        }
        match &mut self.look {
            Look::Head { head, len } => {
                let (here, rest) = chunk.split_at(chunk.len().min(HEAD_BYTES - *len));
                head[*len..*len + here.len()].copy_from_slice(here);
                *len += here.len();
                if *len == HEAD_BYTES {
                    self.look = Look::decided(&head[..]);
                    self.look.feed(rest);
                }
            }
            look => look.feed(chunk),
        }
    }

    /// The verdict, after the last chunk.
    #[must_use]
    pub fn finish(self) -> Report {
        let look = match self.look {
            Look::Head { head, len } => Look::decided(head.get(..len).unwrap_or_default()),
            look => look,
        };
        let (container, ts, fmp4) = match look {
            Look::Ts(walk) => (Container::MpegTs, Some(walk.finish()), None),
            Look::Fmp4(walk) => (Container::Fmp4, None, Some(walk.finish())),
            Look::Plain(container) => (container, None, None),
            Look::Head { .. } => (Container::Empty, None, None),
        };
        let defect = match (&ts, &fmp4) {
            _ if self.bytes == 0 => Some(Defect::Empty),
            _ if !container.is_media() => Some(Defect::NotMedia { container }),
            (Some(ts), _) => ts_defect(ts),
            (_, Some(fmp4)) => fmp4_defect(fmp4),
            (None, None) => None,
        };
        let content_hash = self.hash.map(|hash| hash.finish());
        Report { container, bytes: self.bytes, content_hash, ts, fmp4, defect }
    }
}

impl Look {
    /// Begins the walk the first bytes ask for, with these bytes.
    fn decided(head: &[u8]) -> Self {
        let mut look = match sniff::container(head) {
            Container::MpegTs => Self::Ts(Box::new(TsWalk::new())),
            Container::Fmp4 => Self::Fmp4(BoxWalk::default()),
            other => Self::Plain(other),
        };
        look.feed(head);
        look
    }

    fn feed(&mut self, chunk: &[u8]) {
        match self {
            Self::Ts(walk) => walk.feed(chunk),
            Self::Fmp4(walk) => walk.feed(chunk),
            Self::Head { .. } | Self::Plain(_) => {}
        }
    }
}

fn ts_defect(ts: &TsReport) -> Option<Defect> {
    if ts.sync_losses > 0 {
        let (losses, skipped_bytes) = (ts.sync_losses, ts.skipped_bytes);
        return Some(Defect::LostSync { losses, skipped_bytes });
    }
    let missing_bytes = (PACKET_BYTES as u64).saturating_sub(ts.trailing_bytes);
    (ts.trailing_bytes > 0).then_some(Defect::Truncated { missing_bytes })
}

fn fmp4_defect(fmp4: &Fmp4Report) -> Option<Defect> {
    if let Some(at_byte) = fmp4.broken_at_byte {
        return Some(Defect::BrokenBoxes { at_byte });
    }
    let missing_bytes = fmp4.missing_bytes;
    (missing_bytes > 0).then_some(Defect::Truncated { missing_bytes })
}
