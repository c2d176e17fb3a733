//! A killed server loses nothing it answered and invents nothing. `cargo xtask bench killed` does it longer.

use hlsops_bench::killed::{Killing, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_goes_on_where_it_was() {
    let killing =
        Killing { program: env!("CARGO_BIN_EXE_hlsops").into(), kills: 3, seed: 11, life_ms: (2_000, 5_000) };
    let outcome = run(&killing).await.unwrap();
    assert!(outcome.verdict.is_clean() && outcome.ended_well, "{outcome:#?}");
    assert_eq!(outcome.first_polls.len(), 3, "every process watches");
}
