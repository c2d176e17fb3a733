//! The store on the embedded engine: races, lost replies, costs, and a simulation of them all.

mod configuration;
mod incidents;
mod minutes;
mod outbox;
mod shards;
mod simulation;
mod support;
