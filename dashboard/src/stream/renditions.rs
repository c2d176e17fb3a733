//! The renditions of a stream as a table.

use std::sync::Arc;

use hlsops_wire::{Rendition, RenditionKind, StreamDetail};
use leptos::prelude::*;

use crate::ui::{at, playlist_chip};

/// `3.1x`; worse than real time stands out, and what is far better is no matter.
fn ratio(ratio: Option<f64>) -> (String, bool) {
    match ratio {
        Some(ratio) if ratio >= 100.0 => ("over 100\u{d7}".into(), false),
        Some(ratio) => (format!("{ratio:.1}\u{d7}"), ratio < 1.0),
        None => ("\u{2013}".into(), false),
    }
}

fn optional(value: Option<u64>, unit: &str) -> String {
    value.map_or_else(|| "\u{2013}".into(), |value| format!("{value} {unit}"))
}

/// `4 of 60`: lost of all that were due.
fn lost(rendition: &Rendition) -> String {
    let all = rendition.segments_obtained_count + rendition.segments_lost_count;
    if all == 0 { "\u{2013}".into() } else { format!("{} of {all}", rendition.segments_lost_count) }
}

/// The buffer of a rendition that was loaded at all.
fn buffer(rendition: &Rendition) -> String {
    let known = rendition.target_duration_s.map(|_| format!("{:.1} s", rendition.buffer_s));
    known.unwrap_or_else(|| "\u{2013}".into())
}

/// How far back the figures look: `2 min`, `90 s`.
fn window_words(window_s: Option<f64>) -> String {
    match window_s {
        Some(seconds) if seconds % 60.0 == 0.0 => format!("{}\u{a0}min", seconds / 60.0),
        Some(seconds) => format!("{seconds}\u{a0}s"),
        None => "lately".to_owned(),
    }
}

const fn kind(kind: RenditionKind) -> &'static str {
    match kind {
        RenditionKind::Main => "",
        RenditionKind::Audio => "audio",
        RenditionKind::Aux => "not judged",
    }
}

/// The table.
#[component]
pub(crate) fn Renditions(detail: Signal<Option<Arc<StreamDetail>>>) -> impl IntoView {
    let is_empty = move || detail.with(|d| d.as_ref().is_none_or(|d| d.renditions.is_empty()));
    let window = Memo::new(move |_| detail.with(|d| window_words(d.as_ref().and_then(|d| d.window_s))));
    let rows = move || detail.get().map(|d| d.renditions.iter().map(row).collect_view());
    view! {
        <section class="panel" aria-labelledby="renditions">
            <header><h2 id="renditions">"Renditions"</h2>{move || detail.get().map(|detail| span(&detail))}</header>
            <Show when=move || !is_empty()
                fallback=|| view! { <p class="none">"None is known yet: the first look shows them."</p> }>
                <div class="scroll" tabindex="0" role="region" aria-label="Table of renditions">
                    <table class="stack">
                        <thead>{move || head(&window.get())}</thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </Show>
        </section>
    }
}

/// Of what time the figures are.
fn span(detail: &StreamDetail) -> impl IntoView + use<> {
    let window = window_words(detail.window_s);
    let to = detail.figures_to_at.as_deref().map(at);
    to.map(|to| view! { <span class="fine">"figures of the "{window}" up to "{to}" UTC"</span> })
}

fn head(window: &str) -> impl IntoView + use<> {
    let lost = format!(
        "Segments lost, of all that were due in that time ({window}). A reason counts those of all renditions together."
    );
    view! {
        <tr>
            <th scope="col">"Rendition"</th><th scope="col">"Playlist"</th>
            <th scope="col" class="num"><abbr title="Media in the buffer of a viewer of this rendition">"Buffer"</abbr></th>
            <th scope="col" class="num"><abbr title=lost>{format!("Lost, {window}")}</abbr></th>
            <th scope="col" class="num"><abbr title="Median time to the first byte of a segment">"TTFB"</abbr></th>
            <th scope="col" class="num"><abbr title="Seconds of media per second of download: 2\u{d7} is twice as fast as a viewer needs, below 1\u{d7} is too slow">"Download ratio"</abbr></th>
        </tr>
    }
}

fn row(rendition: &Rendition) -> impl IntoView + use<> {
    let (ratio, slow) = ratio(rendition.download_ratio);
    let is_empty = rendition.buffer_empty_since_at.is_some() && rendition.target_duration_s.is_some();
    view! {
        <tr>
            <th scope="row">{rendition.label.clone()}<small>{kind(rendition.kind)}</small></th>
            <td data-label="Playlist">
                {playlist_chip(&rendition.playlist_state)}
                {rendition.failure.clone().map(|failure| view! { <small class="bad">{failure}</small> })}
                <small>"since "{at(&rendition.playlist_since_at)}</small>
            </td>
            <td class="num" data-label="Buffer" class:bad=is_empty>{buffer(rendition)}</td>
            <td class="num" data-label="Lost" class:bad=rendition.segments_lost_count != 0>{lost(rendition)}</td>
            <td class="num" data-label="TTFB">{optional(rendition.ttfb_p50_ms, "ms")}</td>
            <td class="num" data-label="Download ratio" class:bad=slow>{ratio}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slower_than_real_time_stands_out() {
        assert_eq!(ratio(Some(0.44)), ("0.4\u{d7}".into(), true));
        assert_eq!(ratio(Some(3.12)), ("3.1\u{d7}".into(), false));
        assert_eq!(ratio(Some(49_333.0)), ("over 100\u{d7}".into(), false));
        assert_eq!(ratio(None), ("\u{2013}".into(), false));
        assert_eq!(optional(Some(640), "ms"), "640 ms");
    }

    fn rendition(target_duration_s: Option<f64>) -> Rendition {
        Rendition {
            id: "ren_1".into(),
            label: "640x360".into(),
            kind: RenditionKind::Main,
            url: None,
            bandwidth_bps: None,
            playlist_state: "Live".into(),
            failure: None,
            playlist_since_at: String::new(),
            last_look_at: None,
            target_duration_s,
            buffer_s: 0.0,
            buffer_empty_since_at: None,
            consecutive_lost_count: 0,
            segments_obtained_count: 56,
            segments_lost_count: 4,
            ttfb_p50_ms: None,
            download_ratio: None,
        }
    }

    #[test]
    fn nothing_is_said_of_a_playlist_that_was_never_loaded() {
        assert_eq!(buffer(&rendition(None)), "\u{2013}");
        assert_eq!(buffer(&rendition(Some(6.0))), "0.0 s");
        assert_eq!(lost(&rendition(None)), "4 of 60");
    }

    #[test]
    fn the_window_is_told_in_whole_minutes_where_it_has_them() {
        let words = [Some(120.0), Some(90.0), None].map(window_words);
        assert_eq!(words, ["2\u{a0}min", "90\u{a0}s", "lately"]);
    }
}
