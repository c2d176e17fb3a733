//! The store on the embedded engine: races, lost replies, costs, and a simulation of them all.

mod acknowledge;
mod channels;
mod configuration;
mod incidents;
mod minutes;
mod outbox;
mod shards;
mod simulation;
mod support;
