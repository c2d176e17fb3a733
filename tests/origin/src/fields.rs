//! JSON objects read field by field, so that every error names the field and what it may be.

use serde_json::{Map, Value};

/// A field that cannot be what it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}`: got {got}, allowed: {}", allowed.join(", "))]
pub struct FieldError {
    /// Its name; `body` for the whole.
    pub field: String,
    /// What it was.
    pub got: String,
    /// What it may be: values, or a range with its unit.
    pub allowed: Vec<String>,
}

impl FieldError {
    pub(crate) fn new(field: &str, got: &Value, allowed: &[&str]) -> Self {
        let mut got = got.to_string();
        if let Some((cut, _)) = got.char_indices().nth(60) {
            got.truncate(cut);
        }
        let allowed = allowed.iter().map(|&text| text.to_owned()).collect();
        Self { field: field.to_owned(), got, allowed }
    }
}

/// The fields of an object.
pub(crate) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The object itself.
    pub(crate) fn of(value: &'a Value) -> Result<Self, FieldError> {
        value.as_object().map(Self).ok_or_else(|| FieldError::new("body", value, &["a JSON object"]))
    }

    /// Refuses fields not listed.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), FieldError> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => Err(FieldError {
                field: name.clone(),
                got: "an unknown field".to_owned(),
                allowed: known.iter().map(|&text| text.to_owned()).collect(),
            }),
        }
    }

    /// A field's value; null counts as absent.
    pub(crate) fn get(&self, field: &str) -> Option<&'a Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// One of a few named values.
    pub(crate) fn one_of<T: Copy>(&self, field: &str, known: &[(&str, T)]) -> Result<Option<T>, FieldError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let found = value.as_str().and_then(|text| known.iter().find(|(name, _)| *name == text));
        let names = || known.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        found.map(|&(_, known)| Some(known)).ok_or_else(|| FieldError::new(field, value, &names()))
    }

    /// True or false.
    pub(crate) fn flag(&self, field: &str) -> Result<Option<bool>, FieldError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| FieldError::new(field, value, &["true", "false"]))
    }

    /// A whole number of a range.
    pub(crate) fn whole(&self, field: &str, least: u64, most: u64) -> Result<Option<u64>, FieldError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let fits = value.as_u64().filter(|number| (least..=most).contains(number));
        let range = format!("a whole number from {least} to {most}");
        fits.map(Some).ok_or_else(|| FieldError::new(field, value, &[&range]))
    }

    /// A number of a range.
    pub(crate) fn number(&self, field: &str, least: f64, most: f64) -> Result<Option<f64>, FieldError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let fits = value.as_f64().filter(|number| (least..=most).contains(number));
        let range = format!("a number from {least} to {most}");
        fits.map(Some).ok_or_else(|| FieldError::new(field, value, &[&range]))
    }

    /// Seconds from `least` up to a week, as milliseconds.
    pub(crate) fn seconds(&self, field: &str, least: f64) -> Result<Option<u64>, FieldError> {
        Ok(self.number(field, least, 604_800.0)?.map(|seconds| (seconds * 1_000.0).round() as u64))
    }
}
