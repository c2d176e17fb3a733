//! The rules that were broken, with where they stand and what to do.

use hlsops_wire::{Finding, Severity};
use leptos::prelude::*;

use crate::ui::at;

/// The findings of the last day, up to a time.
#[component]
pub(crate) fn Findings(findings: Signal<Vec<Finding>>, to: Signal<Option<String>>) -> impl IntoView {
    view! {
        <section class="panel" aria-labelledby="findings">
            <header><h2 id="findings">"Findings"</h2><span class="fine">
                "last 24 hours"{move || to.get().map(|to| view! { " up to "{at(&to)}" UTC" })}
            </span></header>
            <Show when=move || findings.with(Vec::is_empty)><p class="none">"No rule was broken."</p></Show>
            <ul class="findings">{move || findings.get().iter().map(row).collect_view()}</ul>
        </section>
    }
}

fn row(finding: &Finding) -> impl IntoView + use<> {
    let (class, word) = match finding.severity {
        Severity::Error => ("chip ill", "error"),
        Severity::Warning => ("chip warn", "warning"),
    };
    let times = if finding.count == 1 { "once".to_owned() } else { format!("{} times", finding.count) };
    let of = finding.rendition.clone().unwrap_or_else(|| "the stream's own playlist".to_owned());
    view! {
        <li>
            <details>
                <summary>
                    <code>{finding.code.clone()}</code>
                    <span class=class>{word}</span>
                    <span class="what">{finding.summary.clone()}<span class="of">{of}</span></span>
                    <span class="fine">{times}", last " {at(&finding.last_at)}</span>
                </summary>
                <dl>
                    <div><dt>"Seen"</dt><dd>{finding.sample.clone()}</dd></div>
                    <div><dt>"Do"</dt><dd>{finding.fix.clone()}</dd></div>
                    <div><dt>"Rule"</dt><dd>{finding.clause.clone()}</dd></div>
                    <div><dt>"First"</dt><dd>{at(&finding.first_at)}</dd></div>
                </dl>
            </details>
        </li>
    }
}
