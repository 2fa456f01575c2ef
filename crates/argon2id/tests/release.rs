//! Whether released memory leaves the process. In a process of its own, where no other test allocates meanwhile, and for
//! the allocator the capacity was chosen for.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used)]

use tillgate_argon2id::{Cost, Input, Memory, argon2id};

/// KiB of this process that are resident, by the kernel's account.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn released_memory_goes_back_to_the_system_and_unneeded_memory_is_never_taken() {
    let cost = Cost { memory_kib: 19_456, passes: 1, lanes: 1 };
    let input = Input { password: b"password", salt: b"somesalt", ..Input::default() };
    let mut memory = Memory::new();
    // The worst that glibc can come to: after this has been freed, only what is larger gets a mapping of its own.
    drop(std::hint::black_box(vec![1_u8; 31 << 20]));
    for round in 0..3 {
        let before = resident_kib();
        argon2id(&mut memory, cost, &input, &mut [0; 32]).unwrap();
        let with = resident_kib();
        memory.release();
        let after = resident_kib();
        assert!(with >= before + 18_000, "round {round}: {before} KiB, then {with} KiB");
        assert!(with < before + 24_000, "round {round}: {before} KiB, then {with} KiB");
        assert!(after + 18_000 <= with, "round {round}: {with} KiB, then {after} KiB");
    }
}
