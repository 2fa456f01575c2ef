//! The engine, with its settings from the configuration.

use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tillgate_auth_core::auth::{Auth, AuthSettings};
use tillgate_auth_core::keys::{MasterKey, SigningAlgorithm};
use tillgate_auth_core::passwords::{Cost, PasswordList, PasswordListError, PasswordPolicy, QueueLimits};
use tillgate_auth_core::ports::AuthPorts;
use tillgate_auth_core::throttle::{BucketRate, ThrottleLimits};
use tillgate_auth_core::{CacheLimits, Clock, SystemClock};
use tillgate_domain::{Store, StoreExt};
use tillgate_persistence::Database;

use super::to_usize;
use crate::command::CommandError;
use crate::configuration::{Algorithm, Settings};
use crate::{master_key, secret_files, shell};

/// Builds the engine of a server. Creates the master key and the first keys if the database has
/// none.
pub(crate) fn build_engine(settings: &Settings, database: &Arc<Database>) -> Result<Arc<Auth>, CommandError> {
    let master = master_key::find_or_create_master_key(settings, !has_keys(database)?)?;
    master_key::warn_if_open(settings);
    secret_files::warn_if_open(settings);
    warn_if_boot_is_unknown(&SystemClock);
    build_auth(settings, database, master, true, Arc::new(SystemClock))
}

/// Builds the engine of a command that creates the master key and the first keys if the database
/// has none. It runs no maintenance.
pub(crate) fn build_engine_with_first_keys(
    settings: &Settings,
    database: &Arc<Database>,
) -> Result<Arc<Auth>, CommandError> {
    let master = master_key::find_or_create_master_key(settings, !has_keys(database)?)?;
    build_auth(settings, database, master, false, Arc::new(SystemClock))
}

/// Logs a warning if a clock that was set while no server ran cannot be noticed, although this
/// system identifies the start of the machine.
fn warn_if_boot_is_unknown(clock: &dyn Clock) {
    if cfg!(target_os = "linux") && clock.boot_id().is_none() {
        tracing::warn!(
            "/proc/sys/kernel/random/boot_id cannot be read, so a clock that is set while no server runs is not \
             noticed: make the file readable (under systemd, remove ProcSubset=pid from the unit)"
        );
    }
}

/// Builds the engine of a command that runs beside a server: it creates no keys and runs no
/// maintenance.
pub(crate) fn build_command_engine(settings: &Settings, database: &Arc<Database>) -> Result<Arc<Auth>, CommandError> {
    if !has_keys(database)? {
        return Err(CommandError::failed(format!(
            "the database has no keys yet: start the server once to create them ({})",
            settings.command("serve")
        )));
    }
    let master = find_master_key(settings)?;
    build_auth(settings, database, master, false, Arc::new(SystemClock))
}

/// Builds a second engine beside that of this server, with a clock of its own. It runs no
/// maintenance.
pub(crate) fn build_engine_with_clock(
    settings: &Settings,
    database: &Arc<Database>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<Auth>, CommandError> {
    build_auth(settings, database, find_master_key(settings)?, false, clock)
}

fn find_master_key(settings: &Settings) -> Result<MasterKey, CommandError> {
    master_key::find_master_key(settings)?.ok_or_else(|| CommandError::failed(master_key::missing_key_text(settings)))
}

/// Whether a server has created the first keys of the database.
pub(crate) fn has_keys(database: &Database) -> Result<bool, CommandError> {
    let store: &dyn Store<AuthPorts> = database;
    Ok(!store.read("list_keys", |tx| tx.keys().list()).map_err(CommandError::failed)?.is_empty())
}

fn build_auth(
    settings: &Settings,
    database: &Arc<Database>,
    master: MasterKey,
    maintenance: bool,
    clock: Arc<dyn Clock>,
) -> Result<Arc<Auth>, CommandError> {
    // a server records no operating-system user: it acts for its clients, or for itself
    let os_user = (!maintenance).then(shell::shell_user);
    let settings = AuthSettings { os_user, ..build_auth_settings(settings)? };
    let builder = Auth::builder(Arc::clone(database) as _).master(master).settings(settings).clock(clock);
    let builder = if maintenance { builder } else { builder.without_maintenance() };
    builder.build().map_err(CommandError::failed)
}

fn build_auth_settings(settings: &Settings) -> Result<AuthSettings, CommandError> {
    let Settings { keys, tokens, sessions, passwords, throttle, revocation, .. } = settings;
    let usual = ThrottleLimits::default();
    Ok(AuthSettings {
        issuer: tokens.issuer.clone(),
        algorithm: match keys.algorithm {
            Algorithm::EdDsa => SigningAlgorithm::EdDSA,
            Algorithm::Es256 => SigningAlgorithm::ES256,
        },
        key_lead: keys.lead,
        max_age: revocation.max_age,
        ended_session_retention: sessions.keep,
        sweep_delay: settings.database.sweep_delay,
        cost: password_cost(settings),
        policy: build_password_policy(settings)?,
        queue: QueueLimits {
            workers: NonZeroUsize::new(to_usize(passwords.workers)),
            waiting: to_usize(passwords.waiting).min(most_waiting(settings)),
            ..QueueLimits::default()
        },
        throttle: ThrottleLimits {
            unknown: BucketRate { burst: throttle.unknown_free, ..usual.unknown },
            known: BucketRate { burst: throttle.address_free, ..usual.known },
            proof: BucketRate { burst: throttle.free, ..usual.proof },
            network: BucketRate { burst: throttle.address_free, ..usual.network },
            known_for: throttle.known,
            ..usual
        },
        caches: build_cache_limits(settings),
        os_user: None,
        process_name: Some(shell::process_name()),
    })
}

fn build_cache_limits(settings: &Settings) -> CacheLimits {
    let caches = &settings.caches;
    CacheLimits {
        tokens: caches.tokens.0,
        profiles: caches.profiles.0,
        sessions: caches.sessions.0,
        first_uses: caches.first_uses.0,
        api_keys: caches.api_keys.0,
        revocations: caches.revocations.0,
        activity: caches.activity.0,
        denials: caches.denials.0,
        proofs: caches.proofs.0,
    }
}

/// The password policy, with the list of rejected passwords that the settings give.
pub(crate) fn build_password_policy(settings: &Settings) -> Result<PasswordPolicy, CommandError> {
    let Some(path) = &settings.passwords.list else { return Ok(PasswordPolicy::default()) };
    let stop =
        |why: PasswordListError| CommandError::usage(format!("passwords.list: the file {} {why}", path.display()));
    let file = File::open(path).map_err(|error| stop(error.into()))?;
    let list = PasswordList::parse(BufReader::new(file)).map_err(stop)?;
    tracing::debug!(passwords = list.len(), "list of rejected passwords loaded");
    Ok(PasswordPolicy::with_list(list))
}

/// The configured cost of Argon2id.
pub(crate) fn password_cost(settings: &Settings) -> Cost {
    let memory = settings.passwords.memory.0 / 1024;
    Cost { memory_kib: u32::try_from(memory).unwrap_or(u32::MAX), passes: settings.passwords.passes, ..Cost::default() }
}

/// The maximum number of logins that wait for a hash, and of those that wait for a turn: two thirds
/// of the threads, so that the rest stays free for other requests. Logins from unknown networks may
/// use half of each, and passwords set without a login a quarter of the former.
fn most_waiting(settings: &Settings) -> usize {
    (to_usize(settings.limits.threads) * 2 / 3).max(1)
}
