//! The program says what it wants; what it does needs an emulator, and is `cargo xtask e2e-cloud`.

use std::process::Command;

#[test]
fn without_zips_it_says_what_is_missing() {
    let output = Command::new(env!("CARGO_BIN_EXE_hlsops-e2e-cloud")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("--zips") && said.contains("--architecture"), "{said}");
}
