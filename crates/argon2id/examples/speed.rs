//! Prints how many hashes a second two threads compute together, with each implementation this machine supports and,
//! for comparison, with the `argon2` crate. All keep their memory. Several rounds, one after the other, since what else
//! the machine does changes from second to second; compare within a round.

use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use tillgate_argon2id::{Cost, Implementation, Input, Memory};

const THREADS: u16 = 2;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);
const COST: Cost = Cost { memory_kib: 19_456, passes: 2, lanes: 1 };

/// Hashes a second of all threads, each with its own `hash` from `make`.
fn speed<F: FnMut()>(make: impl Fn() -> F + Sync) -> f64 {
    let one = || {
        let mut hash = make();
        hash();
        // A library has no business with clocks; this is a measurement.
        #[allow(clippy::disallowed_methods)]
        let begin = Instant::now();
        let mut count = 0_u32;
        while begin.elapsed() < ROUND {
            hash();
            count += 1;
        }
        f64::from(count) / begin.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(one)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    })
}

fn main() {
    let input = Input { password: b"password", salt: b"some sixteen byt", ..Input::default() };
    let params = Params::new(COST.memory_kib, COST.passes, COST.lanes, Some(32)).unwrap_or_default();
    let theirs = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    for _ in 0..ROUNDS {
        for implementation in Implementation::available() {
            let speed = speed(|| {
                let mut memory = Memory::new();
                move || {
                    let mut out = [0; 32];
                    let done = implementation.argon2id(&mut memory, COST, &input, &mut out);
                    assert!(done.is_ok(), "the cost is one Argon2id allows");
                }
            });
            print!("{} {speed:.1}/s  ", implementation.name());
        }
        let speed = speed(|| {
            let mut memory = vec![Block::new(); theirs.params().block_count()];
            let theirs = theirs.clone();
            move || {
                let mut out = [0; 32];
                let done = theirs.hash_password_into_with_memory(input.password, input.salt, &mut out, &mut memory);
                assert!(done.is_ok(), "the cost is one Argon2id allows");
            }
        });
        println!("argon2 crate {speed:.1}/s");
    }
}
