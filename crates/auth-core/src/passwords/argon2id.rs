//! The password hasher of tillgate: Argon2id (RFC 9106) of the `argon2` crate, with PHC strings as
//! verifiers. Memory buffers are reused.

mod buffer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use buffer::Buffer;
use phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;
use tillgate_domain::Secret;
use zeroize::Zeroizing;

use super::{HashError, PasswordHasher, SALT_BYTES};
use crate::ports::Verifier;

/// The parameters of Argon2id (RFC 9106, section 3.1). The default is OWASP's second
/// recommendation: 19 MiB, 2 passes, 1 lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The memory in KiB: at least 8 per lane, at most 1 GiB.
    pub memory_kib: u32,
    /// The number of passes over the memory: 1 to 64.
    pub passes: u32,
    /// The number of lanes: 1 to 16. They are computed one after the other, so more lanes do not
    /// make a hash faster.
    pub lanes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// Parameters outside the allowed range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Argon2id parameters are out of range; use 8 KiB per lane to 1048576 KiB of memory, 1 to 64 passes and 1 to 16 lanes"
)]
pub struct InvalidCost;

impl Cost {
    fn check(self) -> Result<Self, InvalidCost> {
        let memory = self.lanes.saturating_mul(8)..=1 << 20;
        let fits = memory.contains(&self.memory_kib)
            && (1..=MAX_PASSES).contains(&self.passes)
            && (1..=16).contains(&self.lanes);
        fits.then_some(self).ok_or(InvalidCost)
    }

    /// The work of one hash: the KiB that it writes in all passes.
    fn work(self) -> u64 {
        u64::from(self.memory_kib).saturating_mul(u64::from(self.passes))
    }

    /// Parameters of hashes whose work together is `work`, except for a rest that is too small for
    /// a hash: some passes over the memory of these parameters, and one pass over less memory.
    fn split_work(self, work: u64) -> [Option<Self>; 2] {
        let memory = u64::from(self.memory_kib).max(1);
        let passes = u32::try_from(work / memory).unwrap_or(u32::MAX).min(MAX_PASSES);
        let rest = u32::try_from(work % memory).unwrap_or(self.memory_kib);
        [Self { passes, ..self }, Self { memory_kib: rest, passes: 1, ..self }].map(|cost| cost.check().ok())
    }
}

/// The greatest number of passes.
const MAX_PASSES: u32 = 64;

/// The name of the algorithm in a PHC string.
const ALGORITHM_NAME: &str = "argon2id";
/// Version 1.3 as in a PHC string; new verifiers use no other.
const ALGORITHM_VERSION: u32 = 0x13;
/// The length of the hash in a verifier, in bytes.
const HASH_BYTES: usize = 32;

/// The Argon2id password hasher.
pub struct Argon2id {
    cost: Cost,
    /// The work of the most expensive verifier that was verified, at least that of the current
    /// parameters. Every failure costs this much.
    max_work: AtomicU64,
    /// Buffers that are not in use; as many as hashes were computed at the same time recently.
    idle_buffers: Mutex<Vec<Buffer>>,
}

impl Argon2id {
    /// A hasher with these parameters. A verifier with other parameters is verified with its own.
    pub fn new(cost: Cost) -> Result<Self, InvalidCost> {
        Ok(Self { cost: cost.check()?, max_work: AtomicU64::new(cost.work()), idle_buffers: Mutex::default() })
    }

    fn hash_into(&self, password: &str, salt: &[u8], cost: Cost, out: &mut [u8]) -> Result<(), HashError> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(out.len()));
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(|_| HashError::Broken)?);
        let mut buffer = self.lock().pop().unwrap_or_default();
        let done = buffer.blocks(argon2.params().block_count()).and_then(|blocks| {
            argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, blocks).map_err(|_| HashError::Broken)
        });
        self.lock().push(buffer);
        done
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Buffer>> {
        self.idle_buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PasswordHasher for Argon2id {
    fn hash(&self, password: &str, salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError> {
        let mut hash = Zeroizing::new([0; HASH_BYTES]);
        self.hash_into(password, salt, self.cost, hash.as_mut())?;
        write_phc(self.cost, salt, hash.as_ref()).map(Secret::new).map_err(|_| HashError::Broken)
    }

    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        let ParsedVerifier { cost, salt, hash } = ParsedVerifier::parse(verifier)?;
        let mut computed = Zeroizing::new(vec![0; hash.as_bytes().len()]);
        self.hash_into(password, &salt, cost, &mut computed)?;
        self.max_work.fetch_max(cost.work(), Ordering::Relaxed);
        Ok(computed.ct_eq(hash.as_bytes()).into())
    }

    fn needs_rehash(&self, verifier: &Verifier) -> bool {
        ParsedVerifier::parse(verifier).is_ok_and(|parts| {
            parts.cost != self.cost || parts.salt.len() < SALT_BYTES || parts.hash.as_bytes().len() != HASH_BYTES
        })
    }

    fn equalize_cost(&self, password: &str, verifier: &Verifier) -> Result<(), HashError> {
        let done = ParsedVerifier::parse(verifier)?.cost.work();
        let missing = self.max_work.load(Ordering::Relaxed).saturating_sub(done);
        let mut nothing = Zeroizing::new([0; HASH_BYTES]);
        for cost in self.cost.split_work(missing).into_iter().flatten() {
            self.hash_into(password, &[0; SALT_BYTES], cost, nothing.as_mut())?;
        }
        Ok(())
    }

    fn create_decoy(&self, password: &str, salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError> {
        // a digest in the place of the hash: no password with this hash can be found
        let hash = digest(&SHA256, password.as_bytes());
        write_phc(self.cost, salt, hash.as_ref()).map(Secret::new).map_err(|_| HashError::Broken)
    }

    fn trim_memory(&self) {
        let mut kept = self.lock();
        let spare = if kept.len() > 1 { kept.split_off(1) } else { Vec::new() };
        drop(kept);
        // Freed outside the lock, because the memory is wiped first.
        drop(spare);
    }

    fn release_memory(&self) {
        // Freed outside the lock, because the memory is wiped first.
        let kept = std::mem::take(&mut *self.lock());
        drop(kept);
    }
}

/// The parts of a PHC string.
struct ParsedVerifier {
    cost: Cost,
    salt: Salt,
    hash: Output,
}

impl ParsedVerifier {
    fn parse(verifier: &Verifier) -> Result<Self, HashError> {
        let text = PasswordHash::new(verifier.expose()).map_err(|_| HashError::Unreadable("it is no PHC string"))?;
        if text.algorithm.as_str() != ALGORITHM_NAME || text.version != Some(ALGORITHM_VERSION) {
            return Err(HashError::Unreadable("it is not of Argon2id, version 19"));
        }
        let number = |name| text.params.get_decimal(name).ok_or(HashError::Unreadable("its cost is not given"));
        let cost = Cost { memory_kib: number("m")?, passes: number("t")?, lanes: number("p")? };
        let cost = cost.check().map_err(|_| HashError::Unreadable("its cost is out of bounds"))?;
        if text.params.iter().count() != 3 {
            return Err(HashError::Unreadable("it names a parameter that is not known"));
        }
        let (Some(salt), Some(hash)) = (text.salt, text.hash) else {
            return Err(HashError::Unreadable("it bears no salt or no hash"));
        };
        Ok(Self { cost, salt, hash })
    }
}

fn write_phc(cost: Cost, salt: &[u8], hash: &[u8]) -> phc::Result<String> {
    let mut params = ParamsString::new();
    params.add_decimal("m", cost.memory_kib)?;
    params.add_decimal("t", cost.passes)?;
    params.add_decimal("p", cost.lanes)?;
    let text = PasswordHash {
        algorithm: Ident::new(ALGORITHM_NAME)?,
        version: Some(ALGORITHM_VERSION),
        params,
        salt: Some(Salt::new(salt)?),
        hash: Some(Output::new(hash)?),
    };
    Ok(text.to_string())
}

#[cfg(test)]
mod tests;
