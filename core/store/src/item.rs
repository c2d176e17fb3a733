//! Items as attributes: written by [`Writing`], read by [`Reading`], which never panics on what it finds.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use hlsops_domain::EpochMs;

use crate::error::StoreError;
use crate::keys::{IndexKey, Key, attribute};
use crate::pack::PackError;

/// An item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Only the key of an item.
pub(crate) fn key_item(key: &Key<'_>) -> Item {
    let (pk, sk) = key.pair();
    [(attribute::PK, pk), (attribute::SK, sk)].map(|(k, v)| (k.into(), AttributeValue::S(v))).into()
}

/// An item under construction.
pub(crate) struct Writing(Item);

impl Writing {
    /// With its key and the version of its schema.
    pub(crate) fn new(key: &Key<'_>, version: u64) -> Self {
        Self(key_item(key)).number(attribute::VERSION, version)
    }

    pub(crate) fn indexed(self, key: &IndexKey<'_>) -> Self {
        let (partition, sort) = key.pair();
        self.text(attribute::G1P, partition).text(attribute::G1S, sort)
    }

    /// May be deleted `kept_s` seconds after `at`.
    pub(crate) fn kept(self, at: EpochMs, kept_s: u64) -> Self {
        self.number(attribute::TTL, expiry(at, kept_s))
    }

    pub(crate) fn text(self, name: &str, value: impl Into<String>) -> Self {
        self.value(name, AttributeValue::S(value.into()))
    }

    pub(crate) fn number(self, name: &str, value: u64) -> Self {
        self.value(name, AttributeValue::N(value.to_string()))
    }

    pub(crate) fn flag(self, name: &str, value: bool) -> Self {
        self.value(name, AttributeValue::Bool(value))
    }

    pub(crate) fn bytes(self, name: &str, value: Vec<u8>) -> Self {
        self.value(name, AttributeValue::B(Blob::new(value)))
    }

    pub(crate) fn texts(self, name: &str, pairs: &[(String, String)]) -> Self {
        if pairs.is_empty() {
            return self;
        }
        let of = |(name, value): &(String, String)| {
            AttributeValue::L(vec![AttributeValue::S(name.clone()), AttributeValue::S(value.clone())])
        };
        self.value(name, AttributeValue::L(pairs.iter().map(of).collect()))
    }

    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.into(), value);
        self
    }

    /// Adds an attribute where there is a value.
    pub(crate) fn maybe<T>(self, value: Option<T>, add: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => add(self, value),
            None => self,
        }
    }

    pub(crate) fn done(self) -> Item {
        self.0
    }
}

/// Epoch second after which something of `at` may be deleted.
pub(crate) fn expiry(at: EpochMs, kept_s: u64) -> u64 {
    (at.0 / 1_000).saturating_add(kept_s)
}

/// An item being read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a>(&'a Item);

impl<'a> Reading<'a> {
    /// Without a look at its version, which may be newer: for who owns it.
    pub(crate) fn any(item: &'a Item) -> Self {
        Self(item)
    }

    /// An item of at most version `known`.
    pub(crate) fn new(item: &'a Item, known: u64) -> Result<Self, StoreError> {
        let reading = Self(item);
        match reading.number(attribute::VERSION)? {
            found if found > known => Err(StoreError::Newer { key: reading.key(), found, known }),
            _ => Ok(reading),
        }
    }

    /// Its key, for messages.
    pub(crate) fn key(&self) -> String {
        let part = |name| self.find_text(name).unwrap_or("?");
        format!("{} / {}", part(attribute::PK), part(attribute::SK))
    }

    pub(crate) fn text(&self, name: &'static str) -> Result<&'a str, StoreError> {
        self.find_text(name).ok_or_else(|| self.damaged(name))
    }

    pub(crate) fn number(&self, name: &'static str) -> Result<u64, StoreError> {
        self.find_number(name).ok_or_else(|| self.damaged(name))
    }

    pub(crate) fn bytes(&self, name: &'static str) -> Result<&'a [u8], StoreError> {
        self.find_bytes(name).ok_or_else(|| self.damaged(name))
    }

    pub(crate) fn time(&self, name: &'static str) -> Result<EpochMs, StoreError> {
        self.number(name).map(EpochMs)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(AttributeValue::Bool(true)))
    }

    pub(crate) fn find_text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_s().ok().map(String::as_str)
    }

    pub(crate) fn find_number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_n().ok()?.parse().ok()
    }

    pub(crate) fn find_bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.0.get(name)?.as_b().ok().map(Blob::as_ref)
    }

    /// Pairs of text; what is not one is left out.
    pub(crate) fn texts(&self, name: &str) -> Vec<(String, String)> {
        let pair = |value: &AttributeValue| {
            let [name, value] = value.as_l().ok()?.as_slice() else { return None };
            Some((name.as_s().ok()?.clone(), value.as_s().ok()?.clone()))
        };
        let list = self.0.get(name).and_then(|value| value.as_l().ok());
        list.map(|list| list.iter().filter_map(pair).collect()).unwrap_or_default()
    }

    pub(crate) fn damaged(&self, attribute: &'static str) -> StoreError {
        StoreError::Damaged { key: self.key(), attribute }
    }

    pub(crate) fn packed(&self, source: PackError) -> StoreError {
        StoreError::Packed { key: self.key(), source }
    }
}
