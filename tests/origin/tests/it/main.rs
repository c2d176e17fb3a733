//! Tests of the origin: its media, its live model, its faults in virtual time, and all of it over real connections.
#![cfg(test)]

mod common;
mod faults;
mod http;
mod media;
mod model;
