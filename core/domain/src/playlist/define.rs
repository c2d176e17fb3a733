//! Variables: EXT-X-DEFINE (rfc8216bis section 4.4.2.3) and their substitution (rfc8216bis section 4.3).
//!
//! A step of its own between [`decode`](super::decode) and [`read`](super::read), on the text: a model that
//! borrows its values from the text stays as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::attributes::Attributes;
use super::model::{Problem, ProblemKind};
use super::read::Problems;

#[cfg(test)]
mod tests;

const DEFINE: &str = "#EXT-X-DEFINE";

/// Attributes that are hexadecimal sequences (rfc8216bis sections 4.4.4.4 and 4.4.5.1).
const HEXADECIMAL: [&str; 4] = ["IV", "SCTE35-CMD", "SCTE35-OUT", "SCTE35-IN"];

/// Where variables come from besides the text itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    /// The query of the playlist's URL after redirects, without the question mark: for QUERYPARAM.
    pub query: Option<&'a str>,
    /// The variables of the multivariant playlist, for IMPORT; none for that playlist itself, and for a
    /// media playlist that no other one led to.
    pub imports: Option<&'a Variables>,
}

/// The variables one playlist defines. They do not outlast it: the next load defines its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Most variables of one playlist; further ones stay undefined.
    pub const MAX: usize = 100;

    /// Longest name and longest value, in bytes; what is longer stays undefined. No URI is that long.
    pub const MAX_BYTES: usize = 8 * 1_024;

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A text with its variables put in.
#[derive(Clone, Debug, PartialEq)]
pub struct Expanded<'a> {
    /// Line by line the text that was given; that very text when it defines nothing.
    pub text: Cow<'a, str>,
    /// What it defines.
    pub variables: Variables,
    /// Definitions that define nothing and references to nothing; at most [`Problem::MAX`].
    pub problems: Vec<Problem>,
}

impl Expanded<'_> {
    /// Substitution stops where the text would become longer than this, in bytes: variables that hold each
    /// other may double it with each line.
    pub const MAX_BYTES: usize = 8 * 1_024 * 1_024;
}

/// Puts the values of variables in place of references such as `{$name}`: in URI lines, quoted strings and
/// hexadecimal sequences (rfc8216bis section 4.3), and only behind the definition. A reference to nothing
/// stays as it is: a player would refuse the whole playlist, we tell what is wrong with it.
///
/// Never fails and never panics. Costs one search where nothing is defined, else time linear in both texts.
#[must_use]
pub fn expand<'a>(text: &'a str, sources: Sources<'_>) -> Expanded<'a> {
    if !text.contains(DEFINE) {
        let text = Cow::Borrowed(text);
        return Expanded { text, variables: Variables::default(), problems: Vec::new() };
    }
    let mut out = Expander {
        text: String::with_capacity(text.len()),
        growth: Expanded::MAX_BYTES.saturating_sub(text.len()),
        variables: Variables::default(),
        problems: Problems::default(),
    };
    for line in text.split_inclusive('\n') {
        out.problems.line = out.problems.line.saturating_add(1);
        out.line(line, sources);
    }
    Expanded { text: Cow::Owned(out.text), variables: out.variables, problems: out.problems.found }
}

struct Expander {
    text: String,
    /// Bytes that may still be put in.
    growth: usize,
    variables: Variables,
    problems: Problems,
}

impl Expander {
    fn line(&mut self, line: &str, sources: Sources<'_>) {
        let begin = self.text.len();
        if !line.starts_with('#') {
            self.substitute(line);
            // A value must not turn a URI into a tag.
            if self.text[begin..].starts_with('#') {
                self.text.truncate(begin);
                self.text.push_str(line);
                self.problems.add(ProblemKind::BadValue);
            }
        } else if line.starts_with("#EXT-X-") {
            // EXTINF is left out: its title is no attribute.
            self.attributes(line);
        } else {
            self.text.push_str(line);
        }
        if line.starts_with(DEFINE) {
            self.define(begin, sources);
        }
    }

    /// Splits like the lenient reader of attributes: at the commas outside quotes.
    fn attributes(&mut self, mut rest: &str) {
        while let Some(equals) = rest.find('=') {
            let (name, value) = rest.split_at(equals + 1);
            let blanks = value.len() - value.trim_start().len();
            let (blanks, value) = value.split_at(blanks);
            self.text.push_str(name);
            self.text.push_str(blanks);
            let quoted = value.starts_with('"');
            let end = match value.strip_prefix('"') {
                Some(inner) => inner.find('"').map(|at| at + 1),
                None => value.find(','),
            };
            let (value, after) = value.split_at(end.unwrap_or(value.len()));
            if quoted || is_hexadecimal(&name[..equals], value) {
                self.substitute(value);
            } else {
                self.text.push_str(value);
            }
            rest = after;
        }
        self.text.push_str(rest);
    }

    /// Values are put in as they are: what looks like a reference in one is none.
    fn substitute(&mut self, mut rest: &str) {
        while let Some(at) = rest.find("{$") {
            let (before, reference) = rest.split_at(at);
            self.text.push_str(before);
            let inner = &reference[2..];
            let (name, behind) = inner.split_at(inner.find(|c| !in_name(c)).unwrap_or(inner.len()));
            rest = match behind.strip_prefix('}') {
                Some(after) if !name.is_empty() && self.put(name).is_continue() => after,
                _ => {
                    self.text.push_str("{$");
                    inner
                }
            };
        }
        self.text.push_str(rest);
    }

    /// Appends the value of a variable; breaks when there is none, and when there is no room for it.
    fn put(&mut self, name: &str) -> ControlFlow<()> {
        let Some(value) = self.variables.get(name) else {
            self.problems.add(ProblemKind::UndefinedVariable);
            return ControlFlow::Break(());
        };
        let Some(growth) = self.growth.checked_sub(value.len()) else {
            self.growth = 0;
            self.problems.add(ProblemKind::UndefinedVariable);
            return ControlFlow::Break(());
        };
        self.growth = growth;
        self.text.push_str(value);
        ControlFlow::Continue(())
    }

    /// Takes the definition in the line just written. The first one of a name counts.
    fn define(&mut self, begin: usize, sources: Sources<'_>) {
        let line = &self.text[begin..];
        let Some(list) = line.strip_prefix(DEFINE).and_then(|rest| rest.trim_start().strip_prefix(':'))
        else {
            return;
        };
        let problems = &mut self.problems;
        let a = Attributes::of(Some(list.trim_end()), problems);
        let (name, value) = match (a.text("NAME"), a.text("IMPORT"), a.text("QUERYPARAM")) {
            (Some(name), None, None) => (name, a.text("VALUE").map(Cow::Borrowed)),
            (None, Some(name), None) => {
                (name, sources.imports.and_then(|from| from.get(name)).map(Cow::Borrowed))
            }
            (None, None, Some(name)) => (name, sources.query.and_then(|query| parameter(query, name))),
            _ => return problems.add(ProblemKind::BadAttributes),
        };
        let known = &mut self.variables.0;
        match value.filter(|value| is_name(name) && is_value(value)) {
            Some(_) if known.contains_key(name) => problems.add(ProblemKind::Duplicate),
            Some(value) if known.len() < Variables::MAX => {
                known.insert(name.to_owned(), value.into_owned());
            }
            _ => problems.add(ProblemKind::BadValue),
        }
    }
}

fn is_hexadecimal(before_equals: &str, value: &str) -> bool {
    let name = before_equals.rsplit([',', ':']).next().unwrap_or_default().trim();
    HEXADECIMAL.contains(&name) || value.starts_with("0x") || value.starts_with("0X")
}

fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn is_name(name: &str) -> bool {
    (1..=Variables::MAX_BYTES).contains(&name.len()) && name.chars().all(in_name)
}

/// What may stand in a quoted string (rfc8216bis section 4.2).
fn is_value(value: &str) -> bool {
    value.len() <= Variables::MAX_BYTES && !value.contains(['"', '\r', '\n'])
}

/// The first value of a query parameter, percent-decoded (rfc8216bis section 4.4.2.3). A plus stays a plus:
/// in a URI it is no blank.
fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let value = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())?
        .1;
    if value.contains('%') { percent_decoded(value).map(Cow::Owned) } else { Some(Cow::Borrowed(value)) }
}

/// None when the bytes are not UTF-8. A percent sign without two digits stays as it is.
fn percent_decoded(text: &str) -> Option<String> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let pair = after.first().and_then(digit).zip(after.get(1).and_then(digit));
        let (byte, behind) = match pair.filter(|_| *first == b'%') {
            Some((high, low)) => (high * 16 + low, &after[2..]),
            None => (*first, after),
        };
        bytes.push(byte);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}
