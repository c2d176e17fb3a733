//! The renditions of a stream as a table.

use std::sync::Arc;

use hlsops_wire::{Rendition, RenditionKind, StreamDetail};
use leptos::prelude::*;

use crate::ui::{at, playlist_chip};

/// A figure, or why there is none.
type Figure = Result<String, &'static str>;

const NONE_OBTAINED: &str = "no segment was obtained in that time";
/// Also where nothing was asked for, or what was is not in the figures yet.
const NONE_COUNTED: &str = "no segment was counted in that time";

/// Why there is no figure of segments that were obtained.
const fn none_obtained(rendition: &Rendition) -> &'static str {
    if rendition.segments_lost_count == 0 { NONE_COUNTED } else { NONE_OBTAINED }
}

/// `3.1x`; what is far better than real time is no matter.
fn ratio(rendition: &Rendition) -> Figure {
    match rendition.download_ratio {
        Some(ratio) if ratio >= 100.0 => Ok("over 100\u{d7}".into()),
        Some(ratio) => Ok(format!("{ratio:.1}\u{d7}")),
        None if rendition.segments_obtained_count == 0 => Err(none_obtained(rendition)),
        None => Err("no download took long enough to be measured"),
    }
}

fn ttfb(rendition: &Rendition) -> Figure {
    rendition.ttfb_p50_ms.map(|value| format!("{value} ms")).ok_or_else(|| none_obtained(rendition))
}

/// `4 of 60`: lost of all that were obtained or lost.
fn lost(rendition: &Rendition) -> Figure {
    let all = rendition.segments_obtained_count + rendition.segments_lost_count;
    if all == 0 { Err(NONE_COUNTED) } else { Ok(format!("{} of {all}", rendition.segments_lost_count)) }
}

/// The buffer of a rendition that was loaded at all.
fn buffer(rendition: &Rendition) -> Figure {
    let known = rendition.target_duration_s.map(|_| format!("{:.1} s", rendition.buffer_s));
    known.ok_or("its playlist was never loaded")
}

/// The figure; a dash says to eyes and ears why it is one.
fn shown(figure: Figure) -> impl IntoView {
    match figure {
        Ok(text) => text.into_any(),
        Err(why) => {
            view! { <span title=why>"\u{2013}"<span class="unseen">{format!(": {why}")}</span></span> }
                .into_any()
        }
    }
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
                fallback=|| view! { <p class="none">"None is known: the stream's playlist has not loaded yet."</p> }>
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
        "Segments lost, of those obtained and lost in that time ({window}): one that is listed again under a new number counts again. A reason counts those of all renditions together."
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
    let is_slow = rendition.download_ratio.is_some_and(|ratio| ratio < 1.0);
    let is_empty = rendition.buffer_empty_since_at.is_some() && rendition.target_duration_s.is_some();
    view! {
        <tr>
            <th scope="row">{rendition.label.clone()}<small>{kind(rendition.kind)}</small></th>
            <td data-label="Playlist">
                {playlist_chip(&rendition.playlist_state)}
                {rendition.failure.clone().map(|failure| view! { <small class="bad">{failure}</small> })}
                <small>"since "{at(&rendition.playlist_since_at)}</small>
            </td>
            <td class="num" data-label="Buffer" class:bad=is_empty>{shown(buffer(rendition))}</td>
            <td class="num" data-label="Lost" class:bad=rendition.segments_lost_count != 0>{shown(lost(rendition))}</td>
            <td class="num" data-label="TTFB">{shown(ttfb(rendition))}</td>
            <td class="num" data-label="Download ratio" class:bad=is_slow>{shown(ratio(rendition))}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn where_there_is_no_figure_it_is_said_why() {
        let loaded = rendition(Some(6.0));
        assert_eq!(buffer(&rendition(None)), Err("its playlist was never loaded"));
        assert_eq!(buffer(&loaded), Ok("0.0 s".into()));
        assert_eq!(lost(&loaded), Ok("4 of 60".into()));
        let of = |download_ratio| ratio(&Rendition { download_ratio, ..loaded.clone() });
        assert_eq!(
            [of(Some(3.12)), of(Some(49_333.0))],
            [Ok("3.1\u{d7}".into()), Ok("over 100\u{d7}".into())]
        );
        assert_eq!(of(None), Err("no download took long enough to be measured"));
        assert_eq!(ttfb(&Rendition { ttfb_p50_ms: Some(640), ..loaded.clone() }), Ok("640 ms".into()));
        let all_lost = Rendition { segments_obtained_count: 0, ..loaded };
        let of = |rendition: &Rendition| [ratio(rendition), ttfb(rendition), lost(rendition)];
        assert_eq!(of(&all_lost), [Err(NONE_OBTAINED), Err(NONE_OBTAINED), Ok("4 of 4".into())]);
        let none = Rendition { segments_lost_count: 0, ..all_lost };
        assert!(of(&none).iter().all(|figure| *figure == Err(NONE_COUNTED)));
    }

    #[test]
    fn the_window_is_told_in_whole_minutes_where_it_has_them() {
        let words = [Some(120.0), Some(90.0), None].map(window_words);
        assert_eq!(words, ["2\u{a0}min", "90\u{a0}s", "lately"]);
    }
}
