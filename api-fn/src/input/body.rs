//! A body, and all that is wrong with it.
//!
//! The reader stops at the first thing it cannot use. So that is mended, in a copy that nobody gets, and read again,
//! until nothing is left to tell.

use hlsops_wire::ProblemItem;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_json::{Error, Value, json};

use super::explain::explain;
use super::step;

/// Most things that are told of one body, and how often it is read for that.
const MOST: usize = 20;
const READINGS: usize = 10 * MOST;

/// What a body says, or what is wrong with it: the first thing first, the others in the order of their names.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Vec<ProblemItem>> {
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let first =
        match typed(&mut from).and_then(|value| from.end().map(|()| value).map_err(|e| explain("", &e))) {
            Ok(value) => return Ok(value),
            Err(item) => item,
        };
    // What is wrong with the values of a body that is broken off is of no use before it is whole.
    let body: Value = serde_json::from_slice(bytes).map_err(|broken| vec![explain("", &broken)])?;
    let mut items = vec![first];
    if body.is_object() {
        collect::<T>(body, &mut items);
    }
    Err(items)
}

fn typed<'de, T: DeserializeOwned, D: Deserializer<'de, Error = Error>>(from: D) -> Result<T, ProblemItem> {
    serde_path_to_error::deserialize(from).map_err(|error| {
        let pointer = pointer(error.path());
        explain(&pointer, &error.into_inner())
    })
}

/// A JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("/{index}")),
            Segment::Map { key } => text.push_str(&step(key)),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

/// Adds what else is wrong with `body`.
fn collect<T: DeserializeOwned>(mut body: Value, items: &mut Vec<ProblemItem>) {
    // How often what is at a place was mended: another thing stands there each time, until one will do.
    let (mut place, mut times) = (String::new(), 0);
    for _ in 0..READINGS {
        let Err(item) = typed::<T, _>(&body) else { return };
        times = if item.pointer == place { times + 1 } else { 0 };
        place.clone_from(&item.pointer);
        if !mend(&mut body, &place, times) {
            return;
        }
        // What was put in place of something that is told already has nothing of its own to tell.
        let is_told = |told: &ProblemItem| {
            place.strip_prefix(&told.pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !items.iter().any(is_told) {
            items.push(item);
        }
        if items.len() >= MOST {
            return;
        }
    }
}

/// Takes away what is at `place`, for the first time; else puts something there that may be of the right type. False
/// where nothing is left to be tried.
fn mend(body: &mut Value, place: &str, times: usize) -> bool {
    let Some((parent, last)) = place.rsplit_once('/') else { return false };
    let name = last.replace("~1", "/").replace("~0", "~");
    let stand_in =
        || [json!(""), json!({}), json!([]), json!(0), json!(false)].into_iter().nth(times.saturating_sub(1));
    match (body.pointer_mut(parent), times) {
        (Some(Value::Object(fields)), 0) => {
            fields.remove(&name);
            true
        }
        (Some(Value::Object(fields)), _) => stand_in().map(|value| fields.insert(name, value)).is_some(),
        (Some(Value::Array(list)), _) => {
            let element = name.parse::<usize>().ok().and_then(|index| list.get_mut(index));
            element.zip(stand_in()).map(|(element, value)| *element = value).is_some()
        }
        _ => false,
    }
}
