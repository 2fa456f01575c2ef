//! The use cases of the back office, each one transaction with its audit event and its changes, and the ports that they need.

pub mod ports;

pub use ports::{OfficeTx, OfficeView};
