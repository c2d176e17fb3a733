//! What the emulator gets wrong, and what is done about it: all of it here, none of it on AWS.
//!
//! Each entry is a defect of the pinned MiniStack, and a change of the template's text that avoids it. The
//! deployed functions know nothing of this.

use std::collections::BTreeMap;

use crate::template::Parameter;

/// One defect and what avoids it.
struct Workaround {
    /// The defect, as it shows.
    defect: &'static str,
    /// The template's text without it.
    apply: fn(&str, &[Parameter], &BTreeMap<String, String>) -> String,
}

const WORKAROUNDS: [Workaround; 2] = [
    Workaround {
        defect: "a Number parameter arrives as text: the queue's poller compares it with a number and stops",
        apply: numbers_in_place,
    },
    Workaround {
        defect: "CorsConfiguration is kept under the template's names and looked for under the API's",
        apply: cors_as_the_api_spells_it,
    },
];

/// The template's text for the emulator, with the parameters' values.
#[must_use]
pub fn for_emulator(template: &str, parameters: &[Parameter], values: &BTreeMap<String, String>) -> String {
    WORKAROUNDS
        .iter()
        .fold(template.to_owned(), |text, workaround| (workaround.apply)(&text, parameters, values))
}

/// The defects, one a line.
pub fn defects() -> impl Iterator<Item = &'static str> {
    WORKAROUNDS.iter().map(|workaround| workaround.defect)
}

fn numbers_in_place(text: &str, parameters: &[Parameter], values: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for parameter in parameters.iter().filter(|parameter| parameter.is_number) {
        if let Some(value) = values.get(&parameter.name) {
            text = replace_word(&text, &format!("!Ref {}", parameter.name), value);
        }
    }
    text
}

fn cors_as_the_api_spells_it(text: &str, _: &[Parameter], _: &BTreeMap<String, String>) -> String {
    ["AllowOrigins", "AllowMethods", "AllowHeaders", "AllowCredentials", "ExposeHeaders", "MaxAge"]
        .iter()
        .fold(text.to_owned(), |text, name| {
            let (first, rest) = name.split_at(1);
            text.replace(&format!("{name}: "), &format!("{}{rest}: ", first.to_lowercase()))
        })
}

/// Replaces `word` where no letter or digit follows, so that `!Ref Api` leaves `!Ref ApiBurst` alone.
fn replace_word(text: &str, word: &str, with: &str) -> String {
    let mut parts = text.split(word);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on = part.starts_with(|next: char| next.is_ascii_alphanumeric());
        replaced.push_str(if goes_on { word } else { with });
        replaced.push_str(part);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{TEMPLATE, parameters, read, values};

    #[test]
    fn the_emulator_gets_numbers_and_the_apis_names() {
        let parameters = parameters(TEMPLATE).unwrap();
        let given =
            ["CodeBucket", "ProbeCodeKey", "ApiCodeKey"].map(|name| (name.to_owned(), "x".to_owned()));
        let values = values(&parameters, &given.into(), &BTreeMap::new()).unwrap();
        let text = for_emulator(TEMPLATE, &parameters, &values);
        read(&text).unwrap();
        for number in parameters.iter().filter(|parameter| parameter.is_number) {
            assert!(TEMPLATE.contains(&format!("!Ref {}", number.name)), "{} is not used", number.name);
            assert!(!text.contains(&format!("!Ref {}\n", number.name)), "{} is still text", number.name);
        }
        assert!(text.contains("MaximumConcurrency: 10 }"), "the poller's limit is a number");
        assert!(text.contains("allowOrigins: ") && !text.contains("AllowOrigins: "));
    }

    #[test]
    fn a_longer_name_is_left_alone() {
        assert_eq!(replace_word("!Ref Api !Ref ApiBurst", "!Ref Api", "1"), "1 !Ref ApiBurst");
    }
}
