//! Argon2id alone, on as many threads as there are cores: the `argon2` crate, which tillgate uses,
//! and C libraries.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const PASSWORD: &[u8] = b"correct-horse-till";
const SALT: &[u8; 16] = b"0123456789abcdef";

/// An implementation of Argon2id.
#[derive(Clone, Debug)]
pub(crate) enum Implementation {
    /// A C program in this package, compiled at run time, which calls a system library.
    Library(&'static str, PathBuf),
    /// The `argon2` crate, which reuses its memory for the next hash as tillgate does.
    Crate,
}

impl Implementation {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Library(name, _) => (*name).to_owned(),
            Self::Crate => "argon2 crate".to_owned(),
        }
    }

    /// Hashes per second.
    pub(crate) fn rate(&self, threads: usize, span: Duration) -> f64 {
        match self {
            Self::Library(name, program) => {
                let output =
                    Command::new(program).args([threads.to_string(), span.as_secs_f64().to_string()]).output().unwrap();
                assert!(output.status.success(), "{name} failed: {output:?}");
                String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
            }
            Self::Crate => hash_in_threads(threads, span, || {
                let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).unwrap();
                let mut memory = vec![Block::new(); params.block_count()];
                let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                move || {
                    hasher.hash_password_into_with_memory(PASSWORD, SALT, &mut [0; 32], &mut memory).unwrap();
                }
            }),
        }
    }
}

/// The implementations on this machine, and a note for each that is missing.
pub(crate) fn find_public(folder: &Path) -> (Vec<Implementation>, Vec<String>) {
    let mut found = vec![Implementation::Crate];
    let mut missing = Vec::new();
    for (name, source, library) in
        [("libsodium", "libsodium.c", "sodium"), ("C reference (libargon2)", "libargon2.c", "argon2")]
    {
        let program = folder.join(source.trim_end_matches(".c"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c").join(source);
        let mut compile = Command::new("cc");
        compile.arg("-O2").arg(source).arg(format!("-l{library}")).args(["-lpthread", "-o"]).arg(&program);
        match compile.output() {
            Ok(output) if output.status.success() => found.push(Implementation::Library(name, program)),
            _ => missing
                .push(format!("{name} was not measured: cc does not link with -l{library} (install lib{library}-dev)")),
        }
    }
    (found, missing)
}

/// Computes hashes in several threads for a while. A hash counts by the part of it that lies in
/// that time.
fn hash_in_threads<F: FnMut()>(threads: usize, span: Duration, hasher: impl Fn() -> F + Sync) -> f64 {
    let over = Instant::now() + span;
    let one = || {
        let mut hash = hasher();
        let mut count = 0.0;
        let mut then = Instant::now();
        while then < over {
            hash();
            let next = Instant::now();
            let part = (over - then).as_secs_f64() / (next - then).as_secs_f64();
            count += part.min(1.0);
            then = next;
        }
        count
    };
    let sum: f64 = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).sum()
    });
    sum / span.as_secs_f64()
}
