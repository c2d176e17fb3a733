//! What the API refuses, in the words of the command line.

use hlsops_wire::{Problem, ProblemItem};

/// Fields as the API points at them, and what they are called on the command line.
pub(crate) type Words = &'static [(&'static str, &'static str)];

/// A problem in lines for people, each thing said once.
pub(crate) fn told(problem: &Problem, words: Words) -> String {
    let code = &problem.code;
    let what = if problem.detail.is_empty() { &problem.title } else { &problem.detail };
    // The detail of a request with something wrong in it is that of the first thing.
    let repeats =
        |item: &ProblemItem| *what == item.detail || *what == format!("{}: {}", item.pointer, item.detail);
    match problem.errors.as_slice() {
        [] => format!("{} ({code})", in_words(what, words)),
        [one] if repeats(one) => format!("{} ({code})", line(one, words)),
        all => {
            let head = if all.iter().any(repeats) { &problem.title } else { what };
            let lines = all.iter().map(|item| format!("\n  {}", line(item, words)));
            format!("{} ({code}){}", in_words(head, words), lines.collect::<String>())
        }
    }
}

fn line(item: &ProblemItem, words: Words) -> String {
    format!("{}: {}", place(&item.pointer, words), in_words(&item.detail, words))
}

/// The option for what a pointer points at; where there is none, a path as programmers write it.
fn place(pointer: &str, words: Words) -> String {
    let below =
        |name: &str| pointer.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let known = words.iter().filter_map(|(name, word)| below(name).map(|rest| (word, rest)));
    match known.min_by_key(|(_, rest)| rest.len()) {
        Some((word, rest)) => {
            parts(rest).fold((*word).to_owned(), |text, part| match part.parse::<usize>() {
                Ok(index) => format!("{text} #{}", index + 1),
                Err(_) => format!("{text} {part}"),
            })
        }
        None => path(pointer),
    }
}

/// `/links/0/id` is `links[0].id`.
fn path(pointer: &str) -> String {
    let pointer = pointer.strip_prefix('?').unwrap_or(pointer);
    if pointer.is_empty() {
        return "the request".to_owned();
    }
    if !pointer.starts_with('/') {
        return pointer.to_owned();
    }
    parts(pointer).fold(String::new(), |text, part| match part.parse::<usize>() {
        Ok(index) => format!("{text}[{index}]"),
        Err(_) if text.is_empty() => part,
        Err(_) => format!("{text}.{part}"),
    })
}

/// The parts of a JSON pointer (RFC 6901).
fn parts(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"))
}

/// A text of the API with its fields by their names on the command line.
fn in_words(text: &str, words: Words) -> String {
    let field = |(pointer, word): &(&str, &str)| (format!("`{}`", &pointer[1..]), format!("`{word}`"));
    words.iter().map(field).fold(text.to_owned(), |text, (field, word)| text.replace(&field, &word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words = &[("/name", "--name"), ("/request_headers", "--header"), ("?limit", "--limit")];

    fn item(pointer: &str, detail: &str) -> ProblemItem {
        ProblemItem { pointer: pointer.into(), code: "invalid".into(), detail: detail.into() }
    }

    #[track_caller]
    fn check(detail: &str, errors: &[(&str, &str)], expected: &str) {
        let problem = Problem {
            title: "The request is not valid".into(),
            code: "EC100".into(),
            detail: detail.into(),
            errors: errors.iter().map(|(pointer, detail)| item(pointer, detail)).collect(),
            ..Problem::default()
        };
        assert_eq!(told(&problem, WORDS), expected);
    }

    #[test]
    fn nothing_is_said_twice() {
        check("", &[], "The request is not valid (EC100)");
        check("the table is too busy", &[], "the table is too busy (EC100)");
        check("/name: too long", &[("/name", "too long")], "--name: too long (EC100)");
        check("too long", &[("/name", "too long")], "--name: too long (EC100)");
        check(
            "/name: too long",
            &[("/name", "too long"), ("/x", "unknown")],
            "The request is not valid (EC100)\n  --name: too long\n  x: unknown",
        );
        check("two things", &[("/name", "too long")], "two things (EC100)\n  --name: too long");
    }

    #[test]
    fn fields_have_the_names_of_the_command_line() {
        for (pointer, expected) in [
            ("/name", "--name"),
            ("/names", "names"),
            ("/request_headers/1/value", "--header #2 value"),
            ("?limit", "--limit"),
            ("?cursor", "cursor"),
            ("/links/0/id", "links[0].id"),
            ("/tags/a~1b", "tags.a/b"),
            ("", "the request"),
        ] {
            assert_eq!(place(pointer, WORDS), expected, "{pointer}");
        }
        check("send it by `request_headers`", &[], "send it by `--header` (EC100)");
    }
}
