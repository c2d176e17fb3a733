//! `/control`: streams, faults, and what was served.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::collections::HashMap;

use super::problem::Problem;
use crate::demo;
use crate::fields::FieldError;
use crate::ledger::Entry;
use crate::registry::Registry;
use crate::requests::{Change, applied_json, parse_change, parse_spec, spec_json};
use crate::stream::Stream;

type Answer = Result<Json<Value>, Problem>;

/// `GET /control`
pub(super) async fn list(State(registry): State<Arc<Registry>>) -> Json<Value> {
    let now_ms = registry.clock.now_ms();
    let streams: Vec<Value> = registry.all().iter().map(|stream| summary(stream, now_ms)).collect();
    Json(json!({"now_ms": now_ms, "streams": streams}))
}

/// `GET /control/{stream}`
pub(super) async fn show(State(registry): State<Arc<Registry>>, Path(name): Path<String>) -> Answer {
    let stream = find(&registry, &name)?;
    Ok(Json(full(&stream, registry.clock.now_ms())))
}

/// `PUT /control/{stream}`: makes the stream, or makes it anew. An empty body asks for the default.
pub(super) async fn put_stream(
    State(registry): State<Arc<Registry>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Answer {
    let spec = if body.is_empty() { parse_spec(&json!({}))? } else { parse_spec(&read(&body)?)? };
    let stream = registry.add(&name, spec)?;
    Ok(Json(full(&stream, registry.clock.now_ms())))
}

/// `DELETE /control/{stream}`
pub(super) async fn remove_stream(
    State(registry): State<Arc<Registry>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    registry.remove(&name).then_some(StatusCode::NO_CONTENT).ok_or_else(|| Problem::not_found("stream"))
}

/// `PUT /control/{stream}/fault`: adds a fault, or with `recovery` removes all.
pub(super) async fn put_fault(
    State(registry): State<Arc<Registry>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Answer {
    let stream = find(&registry, &name)?;
    let now_ms = registry.clock.now_ms();
    match parse_change(&read(&body)?, stream.spec())? {
        Change::Set(fault) => stream.set_fault(fault, now_ms).map(|_| ())?,
        Change::Recover => stream.clear_faults(now_ms),
    }
    Ok(Json(full(&stream, now_ms)))
}

/// `DELETE /control/{stream}/fault`
pub(super) async fn clear_faults(State(registry): State<Arc<Registry>>, Path(name): Path<String>) -> Answer {
    let stream = find(&registry, &name)?;
    let now_ms = registry.clock.now_ms();
    stream.clear_faults(now_ms);
    Ok(Json(full(&stream, now_ms)))
}

/// `GET /control/{stream}/served?since=`
pub(super) async fn served(
    State(registry): State<Arc<Registry>>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer {
    let stream = find(&registry, &name)?;
    if let Some(unknown) = query.keys().find(|key| *key != "since") {
        return Err(FieldError::new(unknown, &"an unknown parameter".into(), &["since"]).into());
    }
    let since_ms = match query.get("since") {
        None => 0,
        Some(text) => text.parse().map_err(|_| {
            FieldError::new("since", &text.as_str().into(), &["whole milliseconds since 1970"])
        })?,
    };
    let entries: Vec<Value> = stream.served(since_ms).iter().map(entry_json).collect();
    Ok(Json(json!({
        "now_ms": registry.clock.now_ms(),
        "first_faulty_ms": stream.first_faulty(),
        "entries": entries,
    })))
}

fn find(registry: &Registry, name: &str) -> Result<Arc<Stream>, Problem> {
    registry.find(name).ok_or_else(|| Problem::not_found("stream"))
}

fn read(body: &[u8]) -> Result<Value, FieldError> {
    serde_json::from_slice(body)
        .map_err(|error| FieldError::new("body", &error.to_string().into(), &["a JSON object"]))
}

fn summary(stream: &Stream, now_ms: u64) -> Value {
    let snapshot = stream.snapshot(now_ms);
    let active = snapshot.faults.iter().filter(|applied| applied.active_since(now_ms).is_some());
    json!({
        "name": stream.name(),
        "path": stream.spec().entry_path(stream.name()),
        "faults": active.map(|applied| applied.fault.name()).collect::<Vec<_>>(),
        "expected_health": snapshot.expected.health.name(),
        "requests": snapshot.requests,
    })
}

fn full(stream: &Stream, now_ms: u64) -> Value {
    let snapshot = stream.snapshot(now_ms);
    let faults = |list: &[crate::fault::Applied]| -> Vec<Value> {
        list.iter().map(|applied| applied_json(applied, now_ms)).collect()
    };
    let demo = demo::find(stream.name()).filter(|row| row.spec == snapshot.spec);
    json!({
        "name": stream.name(),
        "path": stream.spec().entry_path(stream.name()),
        "now_ms": now_ms,
        "epoch_ms": snapshot.epoch_ms,
        "spec": spec_json(&snapshot.spec),
        "renditions": snapshot.spec.renditions().iter().map(|known| known.name()).collect::<Vec<_>>(),
        "faults": faults(&snapshot.faults),
        "past_faults": faults(&snapshot.past),
        "first_faulty_ms": snapshot.faults.iter().filter_map(|applied| applied.first_faulty_ms).min(),
        "expected": {
            "playlist_state": snapshot.expected.playlist_state.name(),
            "health": snapshot.expected.health.name(),
            "codes": snapshot.expected.codes,
        },
        "demo": demo.map(demo::DemoStream::json),
        "requests": snapshot.requests,
    })
}

fn entry_json(entry: &Entry) -> Value {
    json!({
        "at_ms": entry.at_ms,
        "done_ms": entry.done_ms,
        "kind": entry.kind,
        "rendition": entry.rendition,
        "media_sequence": entry.media_sequence,
        "sequence": entry.sequence,
        "status": entry.status,
        "bytes": entry.bytes,
        "faulty": entry.fault.is_some(),
        "fault": entry.fault,
        "outcome": entry.outcome.name(),
    })
}
