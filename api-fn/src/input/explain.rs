//! What the JSON reader says of a body, in words for whoever wrote the body.

use hlsops_wire::ProblemItem;
use serde_json::Error;
use serde_json::error::Category;

use super::{cut, step};
use crate::problem::item;

/// What is wrong at `pointer`, or with a field there, and what to do.
pub(super) fn explain(pointer: &str, error: &Error) -> ProblemItem {
    let whole = error.to_string();
    let text = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(text, _)| text);
    if error.classify() != Category::Data {
        return item("", "invalid", not_json(text, error));
    }
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    match (text.split(' ').next(), quoted.as_slice()) {
        (Some("missing"), [field, ..]) => {
            item(format!("{pointer}{}", step(field)), "missing", "is missing, and is required: add it")
        }
        (Some("unknown"), [name, known @ ..]) if text.starts_with("unknown field") => {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let detail =
                format!("there is no such field here: correct its name or leave it out; known: {known}");
            item(at_field(pointer, name), "unknown", detail)
        }
        (Some("unknown"), [word, known @ ..]) => {
            let known: Vec<String> = known.iter().map(|known| format!("\"{known}\"")).collect();
            let detail = format!("\"{}\" is not known here: use {}", cut(word), known.join(" or "));
            item(pointer, "invalid", detail)
        }
        (Some("duplicate"), [field, ..]) => {
            item(at_field(pointer, field), "invalid", "stands there more than once: leave one of them")
        }
        _ => item(pointer, "invalid", mismatch(pointer, text)),
    }
}

/// The pointer to `field`, whether the reader's own path already ends in it or not.
fn at_field(pointer: &str, field: &str) -> String {
    let step = step(field);
    if pointer.ends_with(&step) { pointer.to_owned() } else { format!("{pointer}{step}") }
}

/// Of `invalid type: GOT, expected WANTED` and its like, and of a list where an object is wanted.
fn mismatch(pointer: &str, text: &str) -> String {
    let subject = if pointer.is_empty() { "the body " } else { "" };
    let parts = match text.strip_prefix("invalid length ") {
        Some(rest) => rest.split_once(", expected ").map(|(_, wanted)| ("sequence", wanted)),
        None => text.split_once(": ").and_then(|(_, rest)| rest.rsplit_once(", expected ")),
    };
    match parts {
        Some((got, wanted)) => format!("{subject}is {}, and must be {}", given(got), allowed(wanted)),
        None => format!("{subject}cannot be used: {}", cut(text)),
    }
}

/// What was found.
fn given(got: &str) -> String {
    let plain = |text: &str| cut(text).replace('`', "");
    match got.split_once(' ') {
        Some(("string", text)) => format!("the text {}", plain(text)),
        Some(("integer" | "boolean", value)) => plain(value),
        Some(("floating", value)) => plain(value.trim_start_matches("point ")),
        _ => match got {
            "map" => "an object".into(),
            "sequence" => "a list".into(),
            other => plain(other),
        },
    }
}

/// What is allowed there.
fn allowed(wanted: &str) -> String {
    match wanted {
        "a string" => "a text in double quotes".into(),
        "a boolean" => "true or false, without quotes".into(),
        "f64" | "f32" => "a number, without quotes".into(),
        "u64" | "u32" | "u16" | "u8" | "usize" => "a whole number of 0 or more, without quotes".into(),
        "i64" | "i32" | "i16" | "i8" | "isize" => "a whole number, without quotes".into(),
        "a sequence" => "a list in [ ]".into(),
        "a map" => "an object in { }".into(),
        wanted if wanted.starts_with("struct ") => "an object in { }".into(),
        "string or map" => "one of the words that /docs lists, in double quotes".into(),
        other => other.replace('`', ""),
    }
}

/// Of a body that is no JSON: what, and where.
fn not_json(text: &str, error: &Error) -> String {
    let what = match text {
        _ if error.is_eof() => "it ends too early; send the whole of it",
        "expected value" => "a value is missing, or a text is not in double quotes",
        "expected ident" | "expected some ident" => "only true, false and null stand without quotes",
        "key must be a string" => "the name of a field must be in double quotes",
        "trailing comma" => "there is a comma too many",
        "trailing characters" => "something stands behind its end; remove that",
        "expected `:`" => "a colon is missing behind the name of a field",
        "expected `,` or `}`" => "a comma or } is missing",
        "expected `,` or `]`" => "a comma or ] is missing",
        "number out of range" => "a number is too large",
        "recursion limit exceeded" => "it is nested too deeply",
        other => other,
    };
    format!("the body is not valid JSON at line {}, column {}: {what}", error.line(), error.column())
}
