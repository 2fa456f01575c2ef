//! A real server in operation: behind proxies and gateways, with a database that is away, under
//! load, at start and at shutdown, and as a Debian package.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod connections;
mod database_down;
mod debian;
mod gateway_caddy;
mod gateway_nginx;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod memory_arenas;
mod metrics;
mod overload;
mod processes;
mod proxy;
mod shutdown;
mod slow_readers;
mod storm;
mod tls;
mod traces;
