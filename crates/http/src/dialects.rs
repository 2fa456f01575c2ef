//! The published contracts. Each stands alone; what two of them share is a function of this crate, never of another dialect.

pub(crate) mod fiuu;
pub(crate) mod kasir;
pub(crate) mod krmpesan;
pub(crate) mod portos;
pub(crate) mod posstar;
