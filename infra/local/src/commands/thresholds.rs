//! `hlsops thresholds`: what decides about health, and from which value on.

use clap::Args;
use hlsops_wire::{List, Stream, Threshold};
use http::Method;

use super::table::lay_out;
use super::{Done, Place};
use crate::client::{Api, Ask, CallError};
use crate::exit::Exit;

/// Options of `hlsops thresholds`.
#[derive(Args, Debug)]
pub(crate) struct ThresholdsOptions {
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(options: ThresholdsOptions) -> Done {
    let thresholds = all(&options.place.api().await?).await?;
    options.place.print(&thresholds, |thresholds| {
        let row = |known: &Threshold| {
            let value = |value| value_of(&known.name, value);
            let allowed = format!("{} to {}", value(Some(known.min)), value(Some(known.max)));
            vec![known.name.clone(), value(known.default), value(known.seed1), allowed, known.about.clone()]
        };
        let rows: Vec<_> = thresholds.iter().map(row).collect();
        lay_out(&["THRESHOLD", "DEFAULT", "SEED1", "ALLOWED", "WHAT IT DECIDES"], &rows)
    })?;
    Ok(Exit::Clean)
}

/// All thresholds there are.
pub(super) async fn all(api: &Api) -> Result<Vec<Threshold>, CallError> {
    let thresholds: List<Threshold> = api.ask(Ask::api(Method::GET, &["thresholds"])).await?;
    Ok(thresholds.items)
}

/// Those in force for a stream, and where each comes from.
pub(super) fn in_force(stream: &Stream, thresholds: &[Threshold]) -> String {
    let row = |known: &Threshold| {
        let own = stream.thresholds.get(&known.name).copied();
        let profile = if stream.profile == "seed1" { known.seed1 } else { known.default };
        let from = if own.is_some() { "this stream".into() } else { format!("profile {}", stream.profile) };
        vec![known.name.clone(), value_of(&known.name, own.or(profile)), from]
    };
    let rows: Vec<_> = thresholds.iter().map(row).collect();
    lay_out(&["THRESHOLD", "VALUE", "FROM"], &rows)
}

/// A value as it is set; of a long time in milliseconds also how long that is.
fn value_of(name: &str, value: Option<f64>) -> String {
    let Some(value) = value else { return "not judged".to_owned() };
    let units = [(3_600_000.0, "h"), (60_000.0, "min"), (1_000.0, "s")];
    let whole = units.into_iter().find(|(unit, _)| value >= *unit && value % unit == 0.0);
    match whole.filter(|_| name.ends_with("_ms")) {
        Some((unit, word)) => format!("{value} ({} {word})", value / unit),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn long_times_are_said_as_people_say_them() {
        let of = |name, value| value_of(name, Some(value));
        assert_eq!(
            [of("clear_ms", 120_000.0), of("a_ms", 86_400_000.0), of("a_ms", 1_500.0), of("a_ms", 0.0)],
            ["120000 (2 min)", "86400000 (24 h)", "1500", "0"]
        );
        assert_eq!(of("lost_unhealthy", 60_000.0), "60000");
    }

    #[test]
    fn a_stream_has_its_own_thresholds_and_those_of_its_profile() {
        let threshold = |name: &str, default, seed1| Threshold {
            name: name.into(),
            about: String::new(),
            min: 0.0,
            max: 1e6,
            default,
            seed1,
        };
        let known = [
            threshold("window_ms", Some(120_000.0), Some(60_000.0)),
            threshold("ratio_degraded", Some(1.2), Some(0.8)),
            threshold("lost_unhealthy", None, Some(3.0)),
        ];
        let stream = |profile: &str| -> Stream {
            serde_json::from_value(json!({
                "id": "str_1", "link_id": "1", "name": "TV", "manifest_url": "https://h/a", "enabled": true,
                "watch": {}, "profile": profile, "thresholds": {"window_ms": 90_000.0},
                "health": {"state": "healthy"}, "created_at": ""
            }))
            .unwrap()
        };
        let lines = |profile: &str| {
            let text = in_force(&stream(profile), &known);
            text.lines()
                .skip(1)
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        let own = "window_ms 90000 (90 s) this stream";
        assert_eq!(
            lines("default"),
            [own, "ratio_degraded 1.2 profile default", "lost_unhealthy not judged profile default"]
        );
        assert_eq!(
            lines("seed1"),
            [own, "ratio_degraded 0.8 profile seed1", "lost_unhealthy 3 profile seed1"]
        );
    }
}
