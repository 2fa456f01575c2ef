//! tillgate
fn main() {}
