//! `cargo xtask cost`: what an installation costs a month, from the figures in `infra/cloud/cost.json`.
//!
//! Left out, as they depend on use: requests to the API and the dashboard's downloads (cents), messages, logs
//! beyond one line a run, and the traffic that reading every segment makes at the streams' own servers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::error::Error;

const FIGURES: &str = include_str!("../../../cloud/cost.json");

const STREAMS: [f64; 4] = [1.0, 100.0, 10_000.0, 100_000.0];
/// A month is a twelfth of a year.
const MINUTES: f64 = 43_800.0;
const GB: f64 = 1e9;

/// Figures and prices by name.
struct Model {
    numbers: BTreeMap<String, f64>,
}

/// What a number of streams costs a month, in dollars.
#[derive(Clone, Copy, Debug)]
struct Bill {
    streams: f64,
    watchers: f64,
    lambda: f64,
    table: f64,
    fixed: f64,
    canaries: f64,
}

impl Bill {
    fn total(&self) -> f64 {
        self.lambda + self.table + self.fixed
    }
}

/// Prints the table and where each figure is from.
pub(crate) fn print() -> Result<(), Error> {
    let json: Value = serde_json::from_str(FIGURES)?;
    let model = Model::read(&json)?;
    println!("{}", model.table()?);
    println!("{}", sources(&json));
    Ok(())
}

impl Model {
    fn read(json: &Value) -> Result<Self, Error> {
        let section = |name: &'static str| json[name].as_object().ok_or(Error::NoFigure(name.into()));
        let figures = section("figures")?.iter().map(|(name, figure)| (name, &figure["value"]));
        let numbers = figures.chain(section("prices")?.iter()).map(|(name, value)| {
            Ok((name.clone(), value.as_f64().ok_or_else(|| Error::NoFigure(name.clone()))?))
        });
        Ok(Self { numbers: numbers.collect::<Result<_, Error>>()? })
    }

    fn number(&self, name: &str) -> Result<f64, Error> {
        self.numbers.get(name).copied().ok_or_else(|| Error::NoFigure(name.into()))
    }

    /// How many streams a watcher holds: what its share of a CPU, its memory and a shard allow.
    fn streams_per_watcher(&self) -> Result<f64, Error> {
        let memory = self.number("watcher_memory_mb")?;
        let cpu_ms =
            60_000.0 * memory / self.number("lambda_mb_per_cpu")? * self.number("share_of_cpu_used")?;
        let by_cpu = cpu_ms / self.number("cpu_ms_per_stream_minute")?;
        let by_memory = memory / (self.number("memory_mb_at_200_streams")? / 200.0);
        Ok(by_cpu.min(by_memory).min(self.number("streams_per_shard")?).floor())
    }

    fn bill(&self, streams: f64) -> Result<Bill, Error> {
        let number = |name| self.number(name);
        let watchers = (streams / self.streams_per_watcher()?).ceil();
        let run_s = number("hand_over_every_s")?;
        let hand_overs = MINUTES * 60.0 / run_s;
        let busy_s = MINUTES * 60.0 * (1.0 + number("hand_over_overlap_s")? / run_s);
        let gb_s = watchers * busy_s * number("watcher_memory_mb")? / 1_024.0
            + MINUTES * number("dispatch_gb_s_per_tick")?;
        let runs = watchers * hand_overs + MINUTES;
        let lambda = gb_s * number("lambda_gb_s_arm64")? + runs * number("lambda_request")?;
        let writes = MINUTES
            * (streams * number("write_units_per_stream_minute")?
                + watchers * number("write_units_per_shard_minute")?)
            + streams * hand_overs * number("write_units_per_hand_over_of_a_stream")?;
        let reads = MINUTES
            * (watchers * number("read_units_per_shard_minute")? + number("read_units_per_tick")?)
            + streams * hand_overs * number("read_units_per_hand_over_of_a_stream")?;
        let stored = streams * number("bytes_per_stream_minute")? * 1_440.0 * number("days_kept")? / GB;
        let table = writes * number("write_unit")?
            + reads * number("read_unit")?
            + stored * (number("table_gb_month")? + number("backup_gb_month")?);
        // A message is sent, received and deleted.
        let fixed = MINUTES * number("scheduler_invocation")?
            + 3.0 * watchers * hand_overs * number("queue_request")?
            + number("alarms")? * number("alarm_month")?
            + number("metrics")? * number("metric_month")?
            + number("dashboard_month")?;
        let canaries = streams * MINUTES * number("canary_run")?;
        Ok(Bill { streams, watchers, lambda, table, fixed, canaries })
    }

    /// As Markdown.
    fn table(&self) -> Result<String, Error> {
        let mut text = String::from(
            "| streams | watchers | Lambda | table | rest | a month | a stream-month | canaries, once a minute |\n\
             |--:|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        for streams in STREAMS {
            let bill = self.bill(streams)?;
            let _ = writeln!(
                text,
                "| {} | {} | ${:.2} | ${:.2} | ${:.2} | **${:.2}** | ${:.3} | ${:.0} |",
                bill.streams,
                bill.watchers,
                bill.lambda,
                bill.table,
                bill.fixed,
                bill.total(),
                bill.total() / bill.streams,
                bill.canaries
            );
        }
        Ok(text)
    }
}

fn sources(json: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = format!("Prices of {}: {}.\n", text(&json["date"]), text(&json["region"]));
    for (name, figure) in json["figures"].as_object().into_iter().flatten() {
        let (value, kind, source) = (&figure["value"], text(&figure["kind"]), text(&figure["source"]));
        let _ = writeln!(lines, "- {name} = {value} ({kind}: {source})");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        Model::read(&serde_json::from_str(FIGURES).unwrap()).unwrap()
    }

    #[test]
    fn every_figure_says_what_it_is_and_where_it_is_from() {
        let json: Value = serde_json::from_str(FIGURES).unwrap();
        for (name, figure) in json["figures"].as_object().unwrap() {
            let kind = figure["kind"].as_str().unwrap();
            assert!(["measured", "design", "bound", "assumed"].contains(&kind), "{name}: {kind}");
            assert!(figure["source"].as_str().is_some_and(|source| source.len() > 10), "{name}: no source");
        }
    }

    #[test]
    fn a_bill_can_be_worked_out_by_hand() {
        let mut model = model();
        for (name, value) in [
            ("watcher_memory_mb", 1_024.0),
            ("streams_per_shard", 10.0),
            ("hand_over_every_s", 600.0),
            ("hand_over_overlap_s", 0.0),
            ("dispatch_gb_s_per_tick", 0.0),
            ("lambda_gb_s_arm64", 0.000_01),
            ("lambda_request", 0.0),
            ("write_units_per_stream_minute", 1.0),
            ("write_units_per_shard_minute", 0.0),
            ("write_units_per_hand_over_of_a_stream", 2.0),
            ("read_unit", 0.0),
            ("write_unit", 0.000_001),
            ("bytes_per_stream_minute", 0.0),
        ] {
            model.numbers.insert(name.into(), value);
        }
        let bill = model.bill(20.0).unwrap();
        // Two watchers of 1 GB all month; 20 streams: a unit a minute, and two every ten minutes.
        assert!((bill.watchers - 2.0).abs() < 1e-9);
        assert!((bill.lambda - 2.0 * 43_800.0 * 60.0 * 0.000_01).abs() < 1e-6, "{bill:?}");
        assert!((bill.table - 20.0 * 43_800.0 * 1.2 * 0.000_001).abs() < 1e-6, "{bill:?}");
    }

    #[test]
    fn the_table_in_the_readme_is_this_one() {
        let table = model().table().unwrap();
        let readme = include_str!("../../../cloud/README.md");
        assert!(readme.contains(table.trim()), "put this into infra/cloud/README.md:\n{table}");
    }

    #[test]
    fn more_streams_cost_more_and_each_of_them_less() {
        let model = model();
        let bills: Vec<Bill> = STREAMS.iter().map(|streams| model.bill(*streams).unwrap()).collect();
        for pair in bills.windows(2) {
            assert!(pair[0].total() < pair[1].total());
            assert!(pair[0].total() / pair[0].streams > pair[1].total() / pair[1].streams);
        }
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let mut model = model();
        model.numbers.remove("alarms");
        assert!(model.bill(1.0).unwrap_err().to_string().contains("`alarms`"));
    }
}
