//! All streams by name, and the clock they share.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::clock::Clock;
use crate::media::Media;
use crate::spec::StreamSpec;
use crate::stream::Stream;

/// Names that begin so exist as soon as somebody asks for them, as [`StreamSpec::DEFAULT`].
pub const AUTO_PREFIX: &str = "auto-";

/// Why a stream was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamRefused {
    /// Letters, digits, `-` and `_`; 1 to 64 of them.
    #[error("a name is 1 to 64 of a-z, A-Z, 0-9, - and _")]
    BadName,
    /// There are [`Registry::MAX_STREAMS`] already.
    #[error("there are already {} streams", Registry::MAX_STREAMS)]
    TooMany,
}

/// All streams.
#[derive(Debug)]
pub struct Registry {
    pub(crate) media: &'static Media,
    pub(crate) clock: Clock,
    streams: RwLock<BTreeMap<String, Arc<Stream>>>,
}

impl Registry {
    /// Most streams at once.
    pub const MAX_STREAMS: usize = 10_000;

    pub(crate) fn new(media: &'static Media) -> Self {
        Self { media, clock: Clock::start(), streams: RwLock::default() }
    }

    /// Makes a stream, or makes it anew.
    pub(crate) fn add(&self, name: &str, spec: StreamSpec) -> Result<Arc<Stream>, StreamRefused> {
        if !valid_name(name) {
            return Err(StreamRefused::BadName);
        }
        let mut streams = self.streams.write().unwrap_or_else(PoisonError::into_inner);
        if streams.len() >= Self::MAX_STREAMS && !streams.contains_key(name) {
            return Err(StreamRefused::TooMany);
        }
        let stream = self.make(name, spec);
        streams.insert(name.to_owned(), Arc::clone(&stream));
        Ok(stream)
    }

    /// A stream that exists, or an automatic one, which is made if need be.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Stream>> {
        let found = self.streams.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if found.is_some() || !name.starts_with(AUTO_PREFIX) || !valid_name(name) {
            return found;
        }
        let mut streams = self.streams.write().unwrap_or_else(PoisonError::into_inner);
        if streams.len() >= Self::MAX_STREAMS && !streams.contains_key(name) {
            return None;
        }
        // Of two first requests at once, the second finds what the first has made meanwhile.
        let make = || self.make(name, StreamSpec::DEFAULT);
        Some(Arc::clone(streams.entry(name.to_owned()).or_insert_with(make)))
    }

    fn make(&self, name: &str, spec: StreamSpec) -> Arc<Stream> {
        Arc::new(Stream::new(name, spec, self.media, self.clock.now_ms()))
    }

    pub(crate) fn remove(&self, name: &str) -> bool {
        self.streams.write().unwrap_or_else(PoisonError::into_inner).remove(name).is_some()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Stream>> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

fn valid_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}
