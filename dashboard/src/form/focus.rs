//! Who is refused is led to what is wrong.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

/// The first field that is wrong gets the focus and is seen, with what is said of it; where there is none, what
/// belongs to no field is. It is on the page a moment after it was found.
pub(super) fn first_wrong() {
    let lead = || {
        let first = |which| document().query_selector(which).ok().flatten();
        // What belongs to no field may stand above one.
        if let Some(said) = first("main form span.wrong").or_else(|| first("main form p.wrong")) {
            lead_to(&said);
        }
    };
    set_timeout(lead, Duration::ZERO);
}

fn lead_to(said: &Element) {
    while let Ok(Some(closed)) = said.closest("details:not([open])") {
        let _ = closed.set_attribute("open", "");
    }
    let field = said.closest(".field, .threshold").ok().flatten().and_then(|around| {
        let first = |which| around.query_selector(which).ok().flatten();
        first("[aria-invalid]").or_else(|| first("input, select, button"))
    });
    let nearest = ScrollIntoViewOptions::new();
    nearest.set_block(ScrollLogicalPosition::Nearest);
    said.scroll_into_view_with_scroll_into_view_options(&nearest);
    let target = field.as_ref().unwrap_or(said);
    let _ = target.unchecked_ref::<HtmlElement>().focus();
}
