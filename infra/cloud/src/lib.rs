//! The installation on AWS, or on an emulator of it: packaging, deploying and destroying it.
//!
//! `cargo xtask package|deploy|destroy` builds what is needed and runs this. Everything goes through the
//! template: nothing is created or changed beside it but the bucket of the zips, the files of the site, and
//! the first key.
#![expect(clippy::print_stdout, reason = "a deployment tells a terminal what it does")]

mod aws;
mod bucket;
mod confirm;
mod deploy;
mod destroy;
mod error;
pub mod package;
mod site;
mod stack;
pub mod template;
pub mod workarounds;

pub use deploy::{Deployed, Deployment, deploy};
pub use destroy::destroy;
pub use error::Error;
