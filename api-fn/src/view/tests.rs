use super::*;

#[test]
fn secrets_of_urls_are_hidden_and_names_stay() {
    for (url, expected) in [
        ("https://h/a.m3u8", "https://h/a.m3u8"),
        ("https://h/a.m3u8?tok=s&exp=9", "https://h/a.m3u8?tok=***&exp=***"),
        ("https://h/a.m3u8?s3cret", "https://h/a.m3u8?***"),
        ("https://h/a.m3u8?#s3cret", "https://h/a.m3u8?***"),
        ("nonsense?s3cret", "nonsense"),
    ] {
        assert_eq!(masked_url(url), expected);
    }
}

#[test]
fn lengths_are_for_people() {
    for (seconds, expected) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (252, "4 min 12 s"),
        (3_600, "1 h"),
        (11_100, "3 h 5 min"),
        (187_200, "2 d 4 h"),
    ] {
        assert_eq!(length(seconds), expected);
    }
}
