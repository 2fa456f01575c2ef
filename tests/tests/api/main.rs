//! Calls of the native API, of OAuth and of every dialect over real sockets, most of them on both
//! databases.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access_table;
mod audit;
mod bound_tokens;
mod day_at_a_till;
mod enrollment;
mod events;
mod fiuu;
mod kasir;
mod krmpesan;
mod mounts;
mod native_requests;
mod oauth;
mod odd_text;
mod openapi;
mod password_resets;
mod permissions;
mod portos;
mod posstar;
mod tickets;
