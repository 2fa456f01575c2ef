//! The published wire contracts. They are independent of each other; code that two of them share is
//! outside of both.

pub(crate) mod fiuu;
pub(crate) mod kasir;
pub(crate) mod krmpesan;
pub(crate) mod portos;
pub(crate) mod posstar;
