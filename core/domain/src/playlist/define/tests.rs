use proptest::prelude::*;

use super::*;

/// `body` with its variables put in, and its problems; `|` stands for the end of a line. The multivariant
/// playlist of all cases defines `host`.
fn expand_case(body: &str) -> (String, Vec<String>) {
    let master = expand("#EXT-X-DEFINE:NAME=\"host\",VALUE=\"cdn\"\n", Sources::default());
    let query = Some("token=a%2Fb+c&bare&empty=&bad=%22&no=%ff&half=5%&token=second");
    let text = body.replace('|', "\n");
    let expanded = expand(&text, Sources { query, imports: Some(&master.variables) });
    let problems = expanded.problems.iter().map(|p| format!("{}:{:?}", p.line, p.kind)).collect();
    (expanded.text.replace('\n', "|"), problems)
}

/// The line behind `definition` becomes `expected`.
#[track_caller]
fn check(definition: &str, line: &str, expected: &str) {
    let (text, problems) = expand_case(&format!("{definition}|{line}|"));
    assert_eq!(text, format!("{definition}|{expected}|"));
    assert_eq!(problems, [""; 0], "{definition}|{line}");
}

/// The line behind `definition` stays as it is.
#[track_caller]
fn check_problem(definition: &str, line: &str, expected: &[&str]) {
    let (text, problems) = expand_case(&format!("{definition}|{line}|"));
    assert_eq!(
        (text.as_str(), problems),
        (format!("{definition}|{line}|").as_str(), expected.iter().map(|p| (*p).to_owned()).collect())
    );
}

const A: &str = "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"x/y\"";

#[test]
fn what_is_substituted() {
    for (line, expected) in [
        ("{$a}", "x/y"),
        ("http://h/{$a}/{$a}.ts?q={$a}", "http://h/x/y/x/y.ts?q=x/y"),
        ("{${$a}}\r", "{$x/y}\r"),
        ("#EXT-X-MAP:URI=\"{$a}/i.mp4\",BYTERANGE=\"1@2\"", "#EXT-X-MAP:URI=\"x/y/i.mp4\",BYTERANGE=\"1@2\""),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1, AUDIO= \"{$a}\"", "#EXT-X-STREAM-INF:BANDWIDTH=1, AUDIO= \"x/y\""),
        ("#EXT-X-KEY:METHOD=AES-128,IV=0x0{$a},URI=\"k\"", "#EXT-X-KEY:METHOD=AES-128,IV=0x0x/y,URI=\"k\""),
        ("#EXT-X-KEY:IV={$a},URI=\"k={$a},\"", "#EXT-X-KEY:IV=x/y,URI=\"k=x/y,\""),
        ("#EXT-X-DATERANGE:X-B=0X{$a}", "#EXT-X-DATERANGE:X-B=0Xx/y"),
        ("#EXT-X-MAP:URI=\"{$a}", "#EXT-X-MAP:URI=\"x/y"),
    ] {
        check(A, line, expected);
    }
}

#[test]
fn what_is_not_substituted() {
    for line in [
        "#EXTINF:6,{$a}=\"{$a}\"",
        "# a comment {$a}",
        "#EXT-X-STREAM-INF:BANDWIDTH={$a},RESOLUTION={$a}",
        "#EXT-X-PROGRAM-DATE-TIME:{$a}",
        "{$ a}{$}{$a",
        "{a}${a}",
    ] {
        check(A, line, line);
    }
    check_problem(A, "{$A}/{$b}", &["2:UndefinedVariable"]);
}

#[test]
fn where_values_come_from() {
    for (definition, line, expected) in [
        ("#EXT-X-DEFINE:IMPORT=\"host\"", "//{$host}/a", "//cdn/a"),
        ("#EXT-X-DEFINE:QUERYPARAM=\"token\"", "a?t={$token}", "a?t=a/b+c"),
        ("#EXT-X-DEFINE:QUERYPARAM=\"half\"", "{$half}", "5%"),
        ("#EXT-X-DEFINE:NAME=\"a-B_9\",VALUE=\"\"", "x{$a-B_9}y", "xy"),
        ("#EXT-X-DEFINE:VALUE=\"v\",NAME=\"a\"\r", "{$a}", "v"),
        ("#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{$\"", "{$a}a}", "{$a}"),
    ] {
        check(definition, line, expected);
    }
}

#[test]
fn what_defines_nothing() {
    for (definition, name, problem) in [
        ("#EXT-X-DEFINE:IMPORT=\"other\"", "other", "1:BadValue"),
        ("#EXT-X-DEFINE:QUERYPARAM=\"bare\"", "bare", "1:BadValue"),
        ("#EXT-X-DEFINE:QUERYPARAM=\"empty\"", "empty", "1:BadValue"),
        ("#EXT-X-DEFINE:QUERYPARAM=\"bad\"", "bad", "1:BadValue"),
        ("#EXT-X-DEFINE:QUERYPARAM=\"no\"", "no", "1:BadValue"),
        ("#EXT-X-DEFINE:NAME=\"a\"", "a", "1:BadValue"),
        ("#EXT-X-DEFINE:VALUE=\"a\"", "a", "1:BadAttributes"),
        ("#EXT-X-DEFINE:NAME=\"host\",VALUE=\"v\",IMPORT=\"host\"", "host", "1:BadAttributes"),
    ] {
        check_problem(definition, &format!("{{${name}}}"), &[problem, "2:UndefinedVariable"]);
    }
    check_problem("#EXT-X-DEFINE:NAME=\"a b\",VALUE=\"v\"", "{$a b}", &["1:BadValue"]);
    check_problem("#EXT-X-DEFINE:NAME=\"t\",VALUE=\"#EXT-X-ENDLIST\"", "{$t}", &["2:BadValue"]);
}

#[test]
fn a_definition_counts_behind_itself_and_once() {
    let (text, problems) = expand_case(&format!("{{$a}}|{A}|{{$a}}|{}|{{$a}}", A.replace('x', "z")));
    assert_eq!(text, format!("{{$a}}|{A}|x/y|{}|x/y", A.replace('x', "z")));
    assert_eq!(problems, ["1:UndefinedVariable", "4:Duplicate"]);
    let (text, _) = expand_case(&format!("{A}|#EXT-X-DEFINE:NAME=\"b\",VALUE=\"{{$a}}/{{$c}}\"|{{$b}}"));
    assert!(text.ends_with("|x/y/{$c}"), "{text}");
}

#[test]
fn a_text_without_definitions_is_the_text_itself() {
    let expanded = expand("#EXTM3U\n#EXTINF:6,\n{$a}\n", Sources::default());
    assert!(matches!(expanded.text, Cow::Borrowed(_)));
    assert_eq!(expanded.problems, []);
}

#[test]
fn variables_and_growth_are_bounded() {
    let mut many = String::new();
    for n in 0..=Variables::MAX {
        many += &format!("#EXT-X-DEFINE:NAME=\"v{n}\",VALUE=\"{n}\"\n");
    }
    let expanded = expand(&many, Sources::default());
    assert_eq!(expanded.variables.0.len(), Variables::MAX);
    assert_eq!(expanded.problems.len(), 1);
    let mut doubling = String::from("#EXT-X-DEFINE:NAME=\"v0\",VALUE=\"0123456789\"\n");
    for n in 0..9 {
        doubling += &format!("#EXT-X-DEFINE:NAME=\"v{}\",VALUE=\"{{$v{n}}}{{$v{n}}}\"\n", n + 1);
    }
    doubling += &"{$v9}\n".repeat(10_000);
    let expanded = expand(&doubling, Sources::default());
    assert_eq!(expanded.variables.get("v9").map(str::len), Some(5_120));
    assert!((Expanded::MAX_BYTES - 100_000..=Expanded::MAX_BYTES).contains(&expanded.text.len()));
    assert!(expanded.text.ends_with("\n{$v9}\n"));
    assert_eq!(expanded.problems.len(), Problem::MAX);
    let long = format!("#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{}\"\n", "x".repeat(Variables::MAX_BYTES + 1));
    assert_eq!(expand(&long, Sources::default()).variables, Variables::default());
}

fn check_any(text: &str, query: &str) -> Result<(), TestCaseError> {
    let first = expand(text, Sources { query: Some(query), imports: None });
    let second = expand(text, Sources { query: Some(query), imports: Some(&first.variables) });
    for expanded in [first, second] {
        prop_assert_eq!(expanded.text.split('\n').count(), text.split('\n').count());
        prop_assert!(expanded.problems.len() <= Problem::MAX);
        prop_assert!(expanded.variables.0.len() <= Variables::MAX);
        let _ = super::super::read(&expanded.text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_expanded(text in any::<String>(), query in any::<String>()) {
        check_any(&format!("#EXT-X-DEFINE{text}"), &query)?;
    }

    #[test]
    fn pieces_in_any_order_are_expanded(
        picks in proptest::collection::vec(
            proptest::sample::select(vec![
                "#EXT-X-DEFINE:", "NAME=\"a\"", "VALUE=\"é\"", ",", "IMPORT=\"a\"", "QUERYPARAM=\"b\"", "\n", "\r",
                "{$a}", "{$b}", "{$", "}", "\"", "=", "#", "#EXT-X-KEY:IV=0x", " ", "é", "#EXTM3U\n", "#EXTINF:6,\n",
            ]),
            0..40,
        ),
        query in "[b=&%é2]{0,12}",
    ) {
        check_any(&format!("#EXT-X-DEFINE:NAME=\"a\",VALUE=\"v\"\n{}", picks.concat()), &query)?;
    }
}
