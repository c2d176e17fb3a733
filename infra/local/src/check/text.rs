//! The verdict for people.

use std::fmt::Write;

use hlsops_domain::EpochMs;

use super::report::{FindingReport, RenditionReport, Report};
use crate::terminal::{Style, plain, ratio};

/// `22:41:07Z`.
pub(crate) fn clock(at: EpochMs) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| at.0.to_string(), |time| time.strftime("%H:%M:%SZ").to_string())
}

/// The whole verdict, ending in a line feed.
pub(crate) fn render(report: &Report, style: Style) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, report, style);
    out
}

fn write_all(out: &mut String, report: &Report, style: Style) -> std::fmt::Result {
    writeln!(out, "{}", plain(&report.url, 200))?;
    write!(out, "{} {}", style.health(report.state), summary(report))?;
    if report.worst_health != report.health && report.verdict != "unreachable" {
        write!(out, ", {} on the way", report.worst_health)?;
    }
    let watched = if report.cut_short { "cut short after" } else { "watched for" };
    writeln!(out, " ({watched} {:.0} s)", report.watched_s)?;
    // Of what could not be reached the summary has said all.
    for reason in report.reasons.iter().filter(|_| report.verdict != "unreachable") {
        writeln!(out, "  - {reason}")?;
    }
    if report.health == "NO DATA" && report.verdict != "unreachable" && !report.cut_short {
        writeln!(out, "  The stream did not advance while it was watched: watch longer with --for.")?;
    }
    if report.ended && report.renditions.iter().any(|r| r.playlist_state == "LiveEnd") {
        writeln!(
            out,
            "  It has ended (EXT-X-ENDLIST), so there is nothing more to buffer. For a stream that is"
        )?;
        writeln!(
            out,
            "  never to end: `hlsops stream add URL --threshold expect_24x7=1` makes an end an incident."
        )?;
    }
    for rendition in &report.renditions {
        writeln!(out)?;
        write_rendition(out, rendition, style)?;
    }
    if !report.findings.is_empty() {
        writeln!(out, "\n{}", style.bold("Findings"))?;
    }
    for (index, finding) in report.findings.iter().enumerate() {
        write_finding(out, finding, style)?;
        // The advice is the same for all findings of a check: once is enough.
        if !report.findings[..index].iter().any(|earlier| earlier.check_id == finding.check_id) {
            writeln!(out, "    {} ({})\n    {}", finding.clause, finding.check_id, finding.fix)?;
        }
    }
    Ok(())
}

fn summary(report: &Report) -> String {
    match (report.verdict, report.findings.len()) {
        ("clean", _) if report.ended => "clean: nothing to complain of, but it has ended".to_owned(),
        ("clean", _) => "clean: nothing to complain of".to_owned(),
        ("unreachable", _) => unreachable(report),
        (_, 0) if report.health == "NO DATA" => "no verdict yet".to_owned(),
        (_, 0) => "no findings, but not HEALTHY".to_owned(),
        (_, 1) => "1 finding".to_owned(),
        (_, count) => format!("{count} findings"),
    }
}

fn unreachable(report: &Report) -> String {
    let why = report.failure.as_deref().unwrap_or("no answer in time");
    let and = if report.hint.is_empty() { "" } else { "; " };
    format!("unreachable: {why}{and}{}", report.hint)
}

fn write_rendition(out: &mut String, r: &RenditionReport, style: Style) -> std::fmt::Result {
    let state = match &r.failure {
        Some(failure) => format!("{} ({failure})", r.playlist_state),
        None => r.playlist_state.to_owned(),
    };
    writeln!(out, "{}  {}  {state}", style.bold(&plain(&r.label, 60)), r.kind)?;
    writeln!(out, "  {}", style.dim(&plain(&r.url, 160)))?;
    let mut figures: Vec<_> = r.target_duration_s.map(|s| format!("target {s} s")).into_iter().collect();
    figures.extend(r.last_sequence.map(|n| format!("newest segment {n}")));
    figures.extend(r.buffer_s.map(|s| format!("buffer {s:.1} s")));
    if r.rebuffering_s >= 0.05 {
        figures.push(format!("playback waited {:.1} s in all", r.rebuffering_s));
    }
    if !figures.is_empty() {
        writeln!(out, "  {}", figures.join(", "))?;
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with two decimals")]
    let megabytes = r.bytes as f64 / 1e6;
    let mut figures = vec![format!(
        "segments: {} obtained, {} lost, {megabytes:.2} MB",
        r.segments_obtained_count, r.segments_lost_count
    )];
    figures.extend(r.ttfb_median_ms.map(|ms| format!("TTFB median {ms:.1} ms")));
    figures.extend(r.download_ratio.map(|of| format!("download ratio {}", ratio(of))));
    writeln!(out, "  {}", figures.join(", "))?;
    if r.playlist_state == "VOD" {
        writeln!(out, "  The list has ended: only its first 3 target durations were downloaded.")?;
    }
    for reason in &r.reasons {
        writeln!(out, "  - {reason}")?;
    }
    Ok(())
}

fn write_finding(out: &mut String, f: &FindingReport, style: Style) -> std::fmt::Result {
    // The message is that of the last one, with the values of that moment.
    let last = clock(f.last);
    let times =
        if f.count == 1 { format!(", at {last}") } else { format!(", {} times, last at {last}", f.count) };
    let whose = f.rendition.as_deref().unwrap_or("stream");
    writeln!(out, "{} {} [{}] {}{times}", style.bold(f.code), f.severity, plain(whose, 40), f.summary)?;
    writeln!(out, "    {}", plain(&f.message, 200))
}
