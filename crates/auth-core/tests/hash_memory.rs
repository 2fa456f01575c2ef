//! The memory of password hashes is returned to the system when there is nothing to hash. In a
//! process of its own, in which no other test allocates at the same time, and for the allocator for
//! which the capacity of a buffer was chosen.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used)]

use tillgate_auth_core::PasswordHasher;
use tillgate_auth_core::passwords::{Argon2id, Cost, SALT_BYTES};

/// The resident memory of this process in KiB, according to the kernel.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn hash_memory_is_returned_when_idle_and_never_exceeds_need() {
    let hasher = Argon2id::new(Cost { memory_kib: 19_456, passes: 1, lanes: 1 }).unwrap();
    // The worst case for glibc: after this was freed, only larger allocations get a mapping of
    // their own.
    drop(std::hint::black_box(vec![1_u8; 31 << 20]));
    for round in 0..3 {
        let before = resident_kib();
        hasher.hash("password", &[7; SALT_BYTES]).unwrap();
        let with = resident_kib();
        hasher.release_memory();
        let after = resident_kib();
        assert!(with >= before + 18_000, "round {round}: {before} KiB, then {with} KiB");
        assert!(with < before + 24_000, "round {round}: {before} KiB, then {with} KiB");
        assert!(after + 18_000 <= with, "round {round}: {with} KiB, then {after} KiB");
    }
}
