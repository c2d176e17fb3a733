//! The last hour as a band of states.

use hlsops_wire::{MetricsSeries, State, StateSpan};
use leptos::prelude::*;

use crate::time;
use crate::wall::query::slug;

/// Width of the band in its own units.
const WIDTH: f64 = 1_000.0;

/// A stretch of the band.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) x: f64,
    pub(crate) width: f64,
    pub(crate) state: State,
    /// `22:36:50-22:41:02 UNHEALTHY 4 min 12 s`
    pub(crate) name: String,
}

/// The stretches between two times, as parts of the band's width. What lies outside is cut off.
pub(crate) fn bars(from_ms: i64, to_ms: i64, spans: &[StateSpan]) -> Vec<Bar> {
    let length = (to_ms - from_ms).max(1);
    #[expect(clippy::cast_precision_loss, reason = "hours in milliseconds")]
    let place = |ms: i64| (ms - from_ms) as f64 / length as f64 * WIDTH;
    let bar = |span: &StateSpan| {
        let from = time::parse(&span.from_at)?.clamp(from_ms, to_ms);
        let to = time::parse(&span.to_at)?.clamp(from_ms, to_ms);
        let name = format!(
            "{}\u{2013}{} {} {}",
            time::clock(from),
            time::clock(to),
            span.state.name(),
            time::length(to - from)
        );
        (from < to).then(|| Bar { x: place(from), width: place(to) - place(from), state: span.state, name })
    };
    spans.iter().filter_map(bar).collect()
}

/// Where the band begins: not before the stream was added.
fn beginning(from_ms: i64, to_ms: i64, created_ms: Option<i64>) -> i64 {
    created_ms.map_or(from_ms, |created| created.clamp(from_ms, to_ms.max(from_ms)))
}

/// The band with its scale.
#[component]
pub(crate) fn Strip(
    series: Signal<Option<std::sync::Arc<MetricsSeries>>>,
    /// When the stream was added: there is nothing to show before.
    created: Signal<Option<i64>>,
) -> impl IntoView {
    let created = Memo::new(move |_| created.get());
    move || {
        let series = series.get()?;
        let (asked, to) = (time::parse(&series.from_at)?, time::parse(&series.to_at)?);
        let from = beginning(asked, to, created.get());
        let of = if from > asked { "since it was added" } else { "of the last hour" };
        let bars = bars(from, to, &series.states);
        let told: Vec<_> = bars.iter().map(|bar| bar.name.clone()).collect();
        let told = if told.is_empty() { "nothing is known".to_owned() } else { told.join("; ") };
        let middle = time::clock(from + (to - from) / 2);
        Some(view! {
            <figure class="strip">
                <svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label=format!("Health {of}: {told}")>
                    <rect class="unknown" width="1000" height="20"></rect>
                    {bars.into_iter().map(|bar| view! {
                        <rect class=slug(bar.state) x=bar.x.to_string() width=bar.width.max(1.0).to_string() height="20">
                            <title>{bar.name}</title>
                        </rect>
                    }).collect_view()}
                </svg>
                <figcaption><span>{time::clock(from)}{(from > asked).then_some(", added")}</span><span>{middle}</span><span>{time::clock(to)}</span></figcaption>
            </figure>
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, to: &str, state: State) -> StateSpan {
        let at = |time: &str| format!("2026-11-22T{time}.000Z");
        StateSpan { from_at: at(from), to_at: at(to), state }
    }

    #[test]
    fn stretches_are_cut_to_the_band_and_named() {
        let at = |time: &str| time::parse(&format!("2026-11-22T{time}.000Z")).unwrap();
        let spans = [
            span("02:30:00", "03:15:00", State::Healthy),
            span("03:15:00", "03:30:00", State::Unhealthy),
            span("05:00:00", "06:00:00", State::Paused),
        ];
        let bars = bars(at("03:00:00"), at("04:00:00"), &spans);
        assert_eq!(
            bars.iter().map(|bar| (bar.x, bar.width)).collect::<Vec<_>>(),
            [(0.0, 250.0), (250.0, 250.0)]
        );
        assert_eq!(bars[1].name, "03:15:00\u{2013}03:30:00 UNHEALTHY 15 min 0 s");
    }

    #[test]
    fn the_band_begins_with_the_stream() {
        assert_eq!([None, Some(5), Some(15), Some(25)].map(|at| beginning(10, 20, at)), [10, 10, 15, 20]);
    }

    #[test]
    fn an_empty_band_is_no_division_by_zero() {
        assert!(bars(5, 5, &[span("03:00:00", "03:00:00", State::Healthy)]).is_empty());
    }
}
