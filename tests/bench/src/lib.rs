//! What the benchmarks share: streams to watch, child processes to compare, figures and tables.
//!
//! One program per benchmark lies in `src/bin`; `cargo xtask bench NAME` runs it. Each prints a table for people
//! and, as its last line, one JSON object for machines. Machines are noisy, so what a benchmark claims is a count,
//! or a ratio of two things measured in turn or at the same time; no test asserts a time. Everything ends by itself.

pub mod bare;
pub mod child;
mod error;
pub mod figures;
pub mod killed;
pub mod origin_child;
pub mod process;
pub mod script;
pub mod stand;
pub mod table;

pub use error::BenchError;
