//! An embedded DynamoDB: the `dynoxide` engine on a SQLite file, behind `aws-sdk-dynamodb`
//! without a socket.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use hlsops_engine::{Engine, EngineConfig, TableSpec, ensure_table};
//!
//! let engine = Engine::open(EngineConfig::new("data"))?;
//! let client = engine.client();
//! ensure_table(&client, &TableSpec::new("hlsops")).await?;
//! # Ok(()) }
//! ```
//!
//! # How a call goes
//! The SDK writes a request as ever and hands it to its HTTP client. That is ours: it maps
//! `x-amz-target` to an [`Operation`] and runs the JSON body through the engine on a blocking
//! thread. Nothing above can tell it from the network, so the store has one implementation.
//!
//! # Invariants
//! - **One engine per folder**, by a lock of the operating system; a killed process leaves none behind.
//! - **An answered write survives a killed process**, whatever the [`Durability`]; a power cut
//!   too, by default.
//! - **The disk is bounded.** A full folder refuses writes with a message that says what to do,
//!   as a typed service error; reads and deletes go on.
//! - **Faults are in front of the engine, never in it**: [`Engine::client`] has no code for them,
//!   [`Engine::client_with`] puts a [`FaultPlan`] between the SDK and the engine.
//!
//! # What it does not do as DynamoDB does
//! It never throttles and never conflicts (the plan does); every read is consistent, also on an
//! index; idempotency tokens live ten minutes and not across a restart; expired items vanish only when
//! [swept](Engine::sweep); table and index names need three characters. Streams, PartiQL, tags and
//! backups by API are not wired.

mod backup;
mod config;
mod connector;
mod dispatch;
mod engine;
mod error;
mod faults;
mod lock;
mod operation;
mod reply;
mod space;
mod sweep;
mod table;

pub use config::{Durability, EngineConfig};
/// A clock that stands still until told, for [`Engine::in_memory_at`].
pub use dynoxide::storage_backend::ManualClock;
pub use engine::{DATABASE_FILE, Engine};
pub use error::{EngineError, Holder};
pub use faults::{Call, Fault, FaultPlan};
pub use lock::is_in_use;
pub use operation::Operation;
pub use space::Usage;
pub use table::{TableError, TableSpec, ensure_table};
