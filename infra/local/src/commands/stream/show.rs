//! `hlsops stream show`.

use clap::Args;
use hlsops_wire::{Rendition, Segments, Stream, StreamDetail, Threshold};
use http::Method;

use super::secrets::{MASK, Secrets};
use crate::client::Ask;
use crate::commands::table::lay_out;
use crate::commands::{Done, Place, moment, thresholds};
use crate::exit::Exit;
use crate::terminal::{Style, plain, ratio};

/// Options of `hlsops stream show`.
#[derive(Args, Debug)]
pub(crate) struct ShowOptions {
    /// Id, name or link id, where that is one stream's only
    stream: String,
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn show(options: ShowOptions) -> Done {
    let api = options.place.reader().await?;
    let id = super::find(&api, &options.stream).await?.id;
    let mut detail: StreamDetail = api.ask(Ask::api(Method::GET, &["streams", &id])).await?;
    options.secrets.mask_detail(&mut detail);
    let known = thresholds::all(&api).await?;
    options.place.print(&detail, |detail| text(detail, &known, Style::of(&std::io::stdout())))?;
    Ok(Exit::Clean)
}

fn text(detail: &StreamDetail, known: &[Threshold], style: Style) -> String {
    let stream = &detail.stream;
    let since =
        stream.health.since_at.as_deref().map_or(String::new(), |at| format!(" since {}", moment(at)));
    let mut out = format!("{} {}{since}\n", style.state(stream.health.state), plain(&stream.name, 80));
    for reason in &stream.health.reasons {
        let id = reason.rendition_id.as_deref();
        let of = detail.renditions.iter().find(|rendition| Some(rendition.id.as_str()) == id);
        let of = of.map_or(String::new(), |rendition| format!("{}: ", plain(&rendition.label, 60)));
        out.push_str(&format!("  {of}{}\n", plain(&reason.text, 200)));
    }
    out.push_str(ended(detail));
    out.push_str(&configuration(detail));
    let rows: Vec<_> = detail.renditions.iter().map(figures).collect();
    if !rows.is_empty() {
        if !stream.enabled {
            out.push_str("\nas it was when it was paused:");
        }
        out.push('\n');
        let head = ["RENDITION", "PLAYLIST", "BUFFER", "TTFB MEDIAN", "DOWNLOAD RATIO", "SEGMENTS LOST"];
        out.push_str(&lay_out(&head, &rows));
    }
    out.push('\n');
    out.push_str(&thresholds::in_force(stream, known));
    out
}

/// An end is no fault unless somebody says so, and easily overlooked in a stream that is HEALTHY. Where one rendition
/// goes on, the stream has not ended.
fn ended(detail: &StreamDetail) -> &'static str {
    let stream = &detail.stream;
    let is_told = stream.thresholds.get("expect_24x7").is_some_and(|value| *value > 0.0);
    let mut states = detail.renditions.iter().map(|rendition| rendition.playlist_state.as_str());
    if !states.all(|state| matches!(state, "LiveEnd" | "VOD")) {
        return "";
    }
    match stream.playlist_state.as_deref() {
        Some("LiveEnd") if stream.enabled && !is_told => concat!(
            "  it has ended (EXT-X-ENDLIST), which opens no incident; ",
            "with its threshold expect_24x7 at 1 it would\n"
        ),
        Some("VOD") if stream.enabled => "  its list had ended (EXT-X-ENDLIST) when it was first looked at\n",
        _ => "",
    }
}

fn configuration(detail: &StreamDetail) -> String {
    let stream = &detail.stream;
    let mut out = String::new();
    let mut line = |name: &str, value: &str| out.push_str(&format!("{name:<10} {}\n", plain(value, 2_048)));
    line("id", &stream.id);
    line("link id", &stream.link_id);
    line("url", &stream.manifest_url);
    line("watched", &watched(stream));
    line("profile", &stream.profile);
    line("last look", &stream.last_look_at.as_deref().map_or_else(|| "-".to_owned(), moment));
    for header in &stream.request_headers {
        let hidden = if header.value == MASK { " (set; --show-secrets shows it)" } else { "" };
        line("header", &format!("{}: {}{hidden}", header.name, header.value));
    }
    if let Some(incident) = &detail.active_incident {
        let by = incident.acknowledged_by.as_deref().map_or(String::new(), |by| format!(", taken by {by}"));
        line(
            "incident",
            &format!("{} since {}{by}: {}", incident.id, moment(&incident.opened_at), incident.title),
        );
    }
    out
}

fn watched(stream: &Stream) -> String {
    let every = stream.watch.interval_s.map(|seconds| format!("every {seconds} s"));
    let every = every.unwrap_or_else(|| "all the time".into());
    let segments = if stream.watch.segments == Segments::None { ", playlists only" } else { "" };
    let paused = if stream.enabled { "" } else { "not now, it is paused; when resumed: " };
    format!("{paused}{every}{segments}")
}

/// What there are no figures of is no zero: a playlist that was never loaded has no target duration.
fn figures(rendition: &Rendition) -> Vec<String> {
    let none = || "-".to_owned();
    let is_known = rendition.target_duration_s.is_some();
    // Nobody waits for more of a list that has ended.
    let plays = is_known && !matches!(rendition.playlist_state.as_str(), "LiveEnd" | "VOD");
    vec![
        plain(&rendition.label, 40),
        rendition.failure.clone().unwrap_or_else(|| rendition.playlist_state.clone()),
        if plays { format!("{:.1} s", rendition.buffer_s) } else { none() },
        rendition.ttfb_p50_ms.map_or_else(none, |ms| format!("{ms} ms")),
        rendition.download_ratio.map_or_else(none, ratio),
        if is_known { rendition.segments_lost_count.to_string() } else { none() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn detail(enabled: bool, renditions: Value) -> StreamDetail {
        serde_json::from_value(json!({
            "id": "str_1", "link_id": "tv1", "name": "TV", "manifest_url": "https://h/a.m3u8?token=abc",
            "enabled": enabled, "watch": {"mode": "interval", "interval_s": 60}, "profile": "default",
            "request_headers": [{"name": "authorization", "value": "Bearer q"}],
            "health": {"state": if enabled { "healthy" } else { "paused" }}, "created_at": "", "as_of": "",
            "renditions": renditions
        }))
        .unwrap()
    }

    fn rendition(more: &Value) -> Value {
        let mut whole = json!({
            "id": "ren_1", "label": "640x360", "kind": "main", "playlist_state": "Unknown", "playlist_since_at": "",
            "buffer_s": 0.0, "consecutive_lost_count": 0, "segments_obtained_count": 0, "segments_lost_count": 0
        });
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        whole
    }

    #[test]
    fn secrets_are_masked_unless_they_are_asked_for() {
        let mut hidden = detail(true, json!([]));
        Secrets::default().mask_detail(&mut hidden);
        let text = text(&hidden, &[], Style::PLAIN);
        assert!(text.contains("authorization: *** (set; --show-secrets shows it)"), "{text}");
        assert!(text.contains("https://h/a.m3u8?token=***"), "{text}");
        assert!(!text.contains("Bearer") && !text.contains("abc"), "{text}");
        let text = super::text(&detail(true, json!([])), &[], Style::PLAIN);
        assert!(text.contains("authorization: Bearer q\n") && text.contains("?token=abc"), "{text}");
    }

    #[test]
    fn what_was_never_loaded_has_no_figures() {
        let loaded = json!({"playlist_state": "Live", "last_look_at": "2026-11-22T03:35:10.123Z",
            "target_duration_s": 6.0, "buffer_s": 12.0, "ttfb_p50_ms": 20, "download_ratio": 250.0});
        let missing = json!({"playlist_state": "HTTPError", "failure": "HTTP 404",
            "last_look_at": "2026-11-22T03:35:10.123Z"});
        let all = [&json!({}), &loaded, &missing].map(rendition);
        let text = text(&detail(true, json!(all)), &[], Style::PLAIN);
        let rows: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| line.starts_with("640x360"))
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[0], ["640x360", "Unknown", "-", "-", "-", "-"]);
        assert_eq!(rows[1], ["640x360", "Live", "12.0", "s", "20", "ms", "over", "100", "0"]);
        assert_eq!(rows[2], ["640x360", "HTTP", "404", "-", "-", "-", "-"]);
        assert!(text.contains("DOWNLOAD RATIO"), "{text}");
    }

    #[test]
    fn a_stream_that_ended_says_so() {
        let shown = |state: &str, expect: f64| {
            let over = json!({"playlist_state": state, "target_duration_s": 2.0, "buffer_s": 0.0});
            let mut detail = detail(true, json!([rendition(&over)]));
            detail.stream.playlist_state = Some(state.to_owned());
            detail.stream.thresholds.insert("expect_24x7".to_owned(), expect);
            text(&detail, &[], Style::PLAIN)
        };
        let ended = shown("LiveEnd", 0.0);
        assert!(
            ended.contains("it has ended (EXT-X-ENDLIST)") && ended.contains("expect_24x7 at 1"),
            "{ended}"
        );
        assert!(ended.contains("LiveEnd") && !ended.contains("0.0 s"), "{ended}");
        // Then the reasons say it.
        assert!(!shown("LiveEnd", 1.0).contains("it has ended"));
        assert!(shown("VOD", 0.0).contains("had ended"));
        let both = ["LiveEnd", "Live"].map(|state| rendition(&json!({"playlist_state": state})));
        let mut goes_on = detail(true, json!(both));
        goes_on.stream.playlist_state = Some("LiveEnd".to_owned());
        assert!(!text(&goes_on, &[], Style::PLAIN).contains("ended"));
        assert!(!shown("Live", 0.0).contains("ended"));
    }

    #[test]
    fn a_paused_stream_says_so_and_no_more() {
        let text = text(&detail(false, json!([])), &[], Style::PLAIN);
        assert!(text.starts_with("‖ PAUSED TV\n"), "{text}");
        assert!(text.contains("watched    not now, it is paused; when resumed: every 60 s\n"), "{text}");
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
    }
}
