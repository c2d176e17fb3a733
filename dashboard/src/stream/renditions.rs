//! The renditions of a stream as a table.

use hlsops_wire::{Rendition, RenditionKind};
use leptos::prelude::*;

use crate::live::Freshness;
use crate::time;
use crate::ui::playlist_chip;

/// `3.1x`; worse than real time stands out.
fn ratio(ratio: Option<f64>) -> (String, bool) {
    ratio.map_or((String::from("\u{2013}"), false), |ratio| (format!("{ratio:.1}\u{d7}"), ratio < 1.0))
}

fn optional(value: Option<u64>, unit: &str) -> String {
    value.map_or_else(|| "\u{2013}".into(), |value| format!("{value} {unit}"))
}

/// `4 of 60`: lost of all that were asked for in the last two minutes.
fn lost(rendition: &Rendition) -> String {
    let all = rendition.segments_obtained_count + rendition.segments_lost_count;
    if all == 0 { "\u{2013}".into() } else { format!("{} of {all}", rendition.segments_lost_count) }
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
pub(crate) fn Renditions(renditions: Signal<Vec<Rendition>>) -> impl IntoView {
    view! {
        <section class="panel" aria-labelledby="renditions">
            <header><h2 id="renditions">"Renditions"</h2></header>
            <Show when=move || !renditions.with(Vec::is_empty)
                fallback=|| view! { <p class="none">"None is known yet: the first look shows them."</p> }>
                <div class="scroll" tabindex="0" role="region" aria-label="Table of renditions">
                    <table>
                        <thead><tr>
                            <th scope="col">"Rendition"</th><th scope="col">"Playlist"</th>
                            <th scope="col" class="num">"Buffer"</th>
                            <th scope="col" class="num"><abbr title="Segments lost in the last two minutes">"Lost"</abbr></th>
                            <th scope="col" class="num"><abbr title="Median time to the first byte of a segment">"TTFB"</abbr></th>
                            <th scope="col" class="num"><abbr title="Media seconds per download second">"Speed"</abbr></th>
                        </tr></thead>
                        <tbody>{move || renditions.get().iter().map(row).collect_view()}</tbody>
                    </table>
                </div>
            </Show>
        </section>
    }
}

fn row(rendition: &Rendition) -> impl IntoView + use<> {
    let now = Freshness::current().server_now_untracked();
    let (speed, slow) = ratio(rendition.download_ratio);
    let lasting =
        time::parse(&rendition.playlist_since_at).map(|at| format!("for {}", time::length(now - at)));
    let is_empty = rendition.buffer_empty_since_at.is_some();
    view! {
        <tr>
            <th scope="row">{rendition.label.clone()}<small>{kind(rendition.kind)}</small></th>
            <td>
                {playlist_chip(&rendition.playlist_state)}
                {rendition.failure.clone().map(|failure| view! { <small class="bad">{failure}</small> })}
                <small title=rendition.playlist_since_at.clone()>{lasting}</small>
            </td>
            <td class="num" class:bad=is_empty>{format!("{:.1} s", rendition.buffer_s)}</td>
            <td class="num" class:bad=rendition.segments_lost_count != 0>{lost(rendition)}</td>
            <td class="num">{optional(rendition.ttfb_p50_ms, "ms")}</td>
            <td class="num" class:bad=slow>{speed}</td>
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
        assert_eq!(ratio(None), ("\u{2013}".into(), false));
        assert_eq!(optional(Some(640), "ms"), "640 ms");
    }
}
