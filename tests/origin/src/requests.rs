//! Specifications and faults as JSON, both ways.

use serde_json::{Value, json};

use crate::fault::{Applied, Fault, FaultKind, TarpitMode, What};
use crate::fields::{FieldError, Fields};
use crate::media::{Container, Rendition};
use crate::spec::{Layout, SegmentLength, StreamSpec};
use crate::stream::shortest_jump;

/// Kinds a fault may be asked for by, `flapping` and `recovery` apart.
const KINDS: [(&str, FaultKind); 21] = [
    ("segment_403", FaultKind::SegmentStatus(403)),
    ("segment_404", FaultKind::SegmentStatus(404)),
    ("segment_500", FaultKind::SegmentStatus(500)),
    ("segment_hang", FaultKind::SegmentHang),
    ("segment_truncated", FaultKind::SegmentTruncated),
    ("segment_slow", FaultKind::SegmentSlow { speed_ratio: 0.4 }),
    ("playlist_403", FaultKind::PlaylistStatus(403)),
    ("playlist_404", FaultKind::PlaylistStatus(404)),
    ("playlist_500", FaultKind::PlaylistStatus(500)),
    ("playlist_503", FaultKind::PlaylistStatus(503)),
    ("playlist_stall", FaultKind::PlaylistStall),
    ("older_copy", FaultKind::OlderCopy { segments: 1 }),
    ("master_404", FaultKind::MasterStatus(404)),
    ("master_500", FaultKind::MasterStatus(500)),
    ("jump", FaultKind::Jump { by: 50, every_ms: None }),
    ("encoder_restart", FaultKind::EncoderRestart { first: 0 }),
    ("redirect", FaultKind::Redirect),
    ("wrong_content", FaultKind::WrongContent),
    ("gzip", FaultKind::Gzip),
    ("tarpit", FaultKind::Tarpit(TarpitMode::Drip)),
    ("end", FaultKind::End),
];
const SPEC_FIELDS: [&str; 7] =
    ["layout", "container", "segment_s", "window_segments", "gzip", "redirect", "first_sequence"];

/// What somebody asks to happen to a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Add this fault.
    Set(Fault),
    /// Remove all faults.
    Recover,
}

/// Reads a stream's specification; absent fields have their defaults.
///
/// # Errors
/// Naming the first field that is unknown or out of range.
pub fn parse_spec(value: &Value) -> Result<StreamSpec, FieldError> {
    let fields = Fields::of(value)?;
    fields.only(&SPEC_FIELDS)?;
    let default = StreamSpec::DEFAULT;
    let lengths = SegmentLength::ALL;
    let segment = match fields.get("segment_s") {
        None => default.segment,
        Some(value) => lengths
            .into_iter()
            .find(|length| Some(length.seconds()) == value.as_u64())
            .ok_or_else(|| FieldError::new("segment_s", value, &["2", "4", "6", "10"]))?,
    };
    let (least, most) = (*StreamSpec::WINDOW_RANGE.start(), *StreamSpec::WINDOW_RANGE.end());
    Ok(StreamSpec {
        layout: fields
            .one_of("layout", &Layout::ALL.map(|layout| (layout.name(), layout)))?
            .unwrap_or(default.layout),
        container: fields
            .one_of("container", &Container::ALL.map(|container| (container.name(), container)))?
            .unwrap_or(default.container),
        segment,
        window_segments: fields.whole("window_segments", least, most)?.unwrap_or(default.window_segments),
        gzip: fields.flag("gzip")?.unwrap_or(default.gzip),
        redirect: fields.flag("redirect")?.unwrap_or(default.redirect),
        first_sequence: fields
            .whole("first_sequence", 0, StreamSpec::MAX_FIRST_SEQUENCE)?
            .unwrap_or(default.first_sequence),
    })
}

/// Reads a fault for a stream.
///
/// # Errors
/// Naming the first field that is unknown, out of range, or not for this kind.
pub fn parse_change(value: &Value, spec: &StreamSpec) -> Result<Change, FieldError> {
    let fields = Fields::of(value)?;
    match fields.get("kind").and_then(Value::as_str) {
        Some("recovery") => {
            fields.only(&["kind"])?;
            Ok(Change::Recover)
        }
        Some("flapping") => parse_flapping(&fields, spec).map(Change::Set),
        _ => parse_fault(&fields, spec).map(Change::Set),
    }
}

fn parse_flapping(fields: &Fields<'_>, spec: &StreamSpec) -> Result<Fault, FieldError> {
    fields.only(&["kind", "period_s", "fault", "rendition", "after_s", "for_s"])?;
    let inner_json = json!({"kind": "playlist_503"});
    let inner = fields.get("fault").unwrap_or(&inner_json);
    let mut fault = parse_fault(&Fields::of(inner)?, spec)?;
    if fault.kind.renumbers() {
        let allowed: Vec<&str> =
            KINDS.iter().filter(|(_, kind)| !kind.renumbers()).map(|(name, _)| *name).collect();
        return Err(FieldError::new("fault.kind", &fault.name().into(), &allowed));
    }
    fault.flap_ms = Some(fields.seconds("period_s", 0.1)?.unwrap_or(15_000));
    fault.after_ms = fields.seconds("after_s", 0.0)?.unwrap_or(fault.after_ms);
    fault.for_ms = fields.seconds("for_s", 0.1)?.or(fault.for_ms);
    fault.rendition = rendition(fields, spec)?.or(fault.rendition);
    Ok(fault)
}

fn parse_fault(fields: &Fields<'_>, spec: &StreamSpec) -> Result<Fault, FieldError> {
    let Some(kind) = fields.one_of("kind", &KINDS).map_err(with_compound_kinds)? else {
        let missing = FieldError::new("kind", &Value::Null, &KINDS.map(|(name, _)| name));
        return Err(with_compound_kinds(missing));
    };
    fields.only(&fields_of(kind))?;
    let mut fault = Fault::new(with_details(kind, fields, spec)?);
    fault.rendition = rendition(fields, spec)?;
    fault.on = fields.one_of("on", &What::ALL.map(|what| (what.name(), what)))?;
    fault.after_ms = fields.seconds("after_s", 0.0)?.unwrap_or(0);
    fault.for_ms = fields.seconds("for_s", 0.1)?;
    fault.every = fields.whole("every", 1, 1_000_000)?;
    fault.count = fields.whole("count", 1, 1_000_000)?;
    Ok(fault)
}

fn with_compound_kinds(mut error: FieldError) -> FieldError {
    error.allowed.extend(["flapping".to_owned(), "recovery".to_owned()]);
    error
}

/// The fields that mean something for a kind.
fn fields_of(kind: FaultKind) -> Vec<&'static str> {
    let mut known = vec!["kind", "after_s"];
    match kind {
        FaultKind::Jump { .. } => known.extend(["by", "every_s", "count", "for_s"]),
        FaultKind::EncoderRestart { .. } => known.push("first"),
        _ => known.extend(["for_s", "every", "count", "rendition"]),
    }
    match kind {
        FaultKind::SegmentSlow { .. } => known.push("speed_ratio"),
        FaultKind::OlderCopy { .. } => known.push("segments"),
        FaultKind::Tarpit(_) => known.push("mode"),
        _ => {}
    }
    if kind.takes_on() {
        known.push("on");
    }
    known
}

fn with_details(kind: FaultKind, fields: &Fields<'_>, spec: &StreamSpec) -> Result<FaultKind, FieldError> {
    Ok(match kind {
        FaultKind::SegmentSlow { speed_ratio } => FaultKind::SegmentSlow {
            speed_ratio: fields.number("speed_ratio", 0.01, 10.0)?.unwrap_or(speed_ratio),
        },
        FaultKind::OlderCopy { segments } => FaultKind::OlderCopy {
            segments: fields.whole("segments", 1, spec.window_segments)?.unwrap_or(segments),
        },
        FaultKind::Jump { by, .. } => FaultKind::Jump {
            by: fields
                .whole("by", shortest_jump(spec), 1 << 40)?
                .unwrap_or_else(|| by.max(shortest_jump(spec))),
            every_ms: fields.seconds("every_s", 1.0)?,
        },
        FaultKind::EncoderRestart { first } => {
            FaultKind::EncoderRestart { first: fields.whole("first", 0, 1 << 62)?.unwrap_or(first) }
        }
        FaultKind::Tarpit(mode) => {
            let modes = [("drip", TarpitMode::Drip), ("silence", TarpitMode::Silence)];
            FaultKind::Tarpit(fields.one_of("mode", &modes)?.unwrap_or(mode))
        }
        other => other,
    })
}

fn rendition(fields: &Fields<'_>, spec: &StreamSpec) -> Result<Option<Rendition>, FieldError> {
    let known: Vec<_> = spec.renditions().iter().map(|known| (known.name(), *known)).collect();
    fields.one_of("rendition", &known)
}

/// A specification as JSON, all fields given.
#[must_use]
pub fn spec_json(spec: &StreamSpec) -> Value {
    json!({
        "layout": spec.layout.name(),
        "container": spec.container.name(),
        "segment_s": spec.segment.seconds(),
        "window_segments": spec.window_segments,
        "gzip": spec.gzip,
        "redirect": spec.redirect,
        "first_sequence": spec.first_sequence,
    })
}

/// A fault as JSON: what was asked for, and what became of it.
#[must_use]
pub fn applied_json(applied: &Applied, now_ms: u64) -> Value {
    let fault = &applied.fault;
    let seconds = |ms: Option<u64>| ms.map(|ms| ms as f64 / 1_000.0);
    let details = match fault.kind {
        FaultKind::SegmentSlow { speed_ratio } => json!({"speed_ratio": speed_ratio}),
        FaultKind::OlderCopy { segments } => json!({"segments": segments}),
        FaultKind::Jump { by, every_ms } => json!({"by": by, "every_s": seconds(every_ms)}),
        FaultKind::EncoderRestart { first } => json!({"first": first}),
        FaultKind::Tarpit(TarpitMode::Drip) => json!({"mode": "drip"}),
        FaultKind::Tarpit(TarpitMode::Silence) => json!({"mode": "silence"}),
        _ => json!({}),
    };
    json!({
        "id": applied.id,
        "kind": fault.name(),
        "details": details,
        "rendition": fault.rendition.map(Rendition::name),
        "on": fault.on.map(What::name),
        "after_s": seconds(Some(fault.after_ms)),
        "for_s": seconds(fault.for_ms),
        "every": fault.every,
        "count": fault.count,
        "flap_period_s": seconds(fault.flap_ms),
        "set_ms": applied.set_ms,
        "active": applied.active_since(now_ms).is_some(),
        "faulty_answers": applied.faulty,
        "first_faulty_ms": applied.first_faulty_ms,
    })
}
