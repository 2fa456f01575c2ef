//! Composition: builds the database, the engine and the mounts from the settings. Each command
//! builds only the parts that it needs.

use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::CacheLimits;
use tillgate_auth_core::auth::{Auth, AuthSettings};
use tillgate_auth_core::keys::{self, MasterKey, SigningAlgorithm};
use tillgate_auth_core::passwords::{Cost, PasswordList, PasswordListError, PasswordPolicy, QueueLimits};
use tillgate_auth_core::ports::AuthPorts;
use tillgate_auth_core::terms::{RefreshTerms, Terms};
use tillgate_auth_core::throttle::{Rate, ThrottleLimits};
use tillgate_domain::office::{self, NewTenant, OfficePorts};
use tillgate_domain::{Branch, BranchId, Locale, RoleId, Slug, Store, StoreExt, Tenant, TenantId, Zone};
use tillgate_http::{
    BrowserSettings, DialectEntry, DialectSettings, Fiuu, Kasir, Mount, Mounts, Native, OAuth, Portos, PosStar,
};
use tillgate_persistence::{Address, Database, Limits};

use crate::command::CommandError;
use crate::configuration::{Algorithm, ForwardingHeaders, Settings};
use crate::ids::IdSource;
use crate::{disk, exposure, master_key, shell};

/// The address of the database.
pub(crate) fn database_address(settings: &Settings) -> Result<Address, CommandError> {
    settings.database_address().map_err(CommandError::usage)
}

/// The location of the database for messages: the SQLite file, or the PostgreSQL address without
/// its password.
pub(crate) fn database_location(settings: &Settings) -> Result<String, CommandError> {
    Ok(match database_address(settings)? {
        Address::Sqlite(path) => path.display().to_string(),
        postgres @ Address::Postgres(_) => postgres.to_string(),
    })
}

/// Creates the database of a new installation with its data folder and the tenant `default`. An
/// existing database is migrated. `progress` is called before each migration.
pub(crate) fn create_database(
    settings: &Settings,
    progress: &mut dyn FnMut(&str),
) -> Result<Arc<Database>, CommandError> {
    make_folder(&settings.server.data)?;
    let database = Database::create(&database_address(settings)?, &database_limits(settings))
        .map(Arc::new)
        .map_err(CommandError::failed)?;
    migrate_database(database, progress)
}

/// Opens the database for a server and migrates it. Never creates one: if a volume is not mounted
/// or a path is wrong, a new database would answer every till with a 401.
pub(crate) fn prepare_database(
    settings: &Settings,
    progress: &mut dyn FnMut(&str),
) -> Result<Arc<Database>, CommandError> {
    if !has_database(settings)? {
        return Err(no_database_error(settings)?);
    }
    migrate_database(open_database(settings)?, progress)
}

/// Whether there is a database with tables. An empty SQLite file does not count and is not opened,
/// because SQLite would write to it.
pub(crate) fn has_database(settings: &Settings) -> Result<bool, CommandError> {
    if let Address::Sqlite(path) = database_address(settings)?
        && std::fs::metadata(path).map_or(0, |found| found.len()) == 0
    {
        return Ok(false);
    }
    open_database(settings)?.has_tables().map_err(CommandError::failed)
}

fn no_database_error(settings: &Settings) -> Result<CommandError, CommandError> {
    Ok(CommandError::failed(format!(
        "there is no database at {}: mount its volume, or set its location with --data or --database. For a new \
         installation, create it once: {}",
        database_location(settings)?,
        settings.command("init")
    )))
}

fn migrate_database(database: Arc<Database>, progress: &mut dyn FnMut(&str)) -> Result<Arc<Database>, CommandError> {
    database.migrate(progress).map_err(CommandError::failed)?;
    let instance = uuid::Builder::from_random_bytes(IdSource::default().random_bytes()?).into_uuid();
    database.set_instance_id(instance).map_err(CommandError::failed)?;
    make_default_tenant(&*database)?;
    Ok(database)
}

/// Opens the database as it is. Its schema may be older than the program.
pub(crate) fn open_database(settings: &Settings) -> Result<Arc<Database>, CommandError> {
    let address = database_address(settings)?;
    Database::open(&address, &database_limits(settings)).map(Arc::new).map_err(|error| match &address {
        Address::Sqlite(path) if disk::is_read_only(path) => CommandError::failed(format!(
            "{error}: this user cannot write to {}, or its disk is read-only",
            path.parent().unwrap_or(path).display()
        )),
        _ => CommandError::failed(error),
    })
}

fn database_limits(settings: &Settings) -> Limits {
    Limits {
        deadline: settings.database.deadline,
        waiting: to_usize(settings.database.waiting),
        connections: settings.database.connections,
        idle: settings.database.idle,
        pages: settings.caches.pages.0,
    }
}

/// Opens an existing database that is up to date. Creates and migrates nothing.
pub(crate) fn open_existing_database(settings: &Settings) -> Result<Arc<Database>, CommandError> {
    if !has_database(settings)? {
        return Err(no_database_error(settings)?);
    }
    let database = open_database(settings)?;
    match database.pending_migrations().map_err(CommandError::failed)?.as_slice() {
        [] => check_master_key(settings, &database).map(|()| database),
        pending => Err(CommandError::failed(format!(
            "the database is not up to date (missing: {}): run {}, or start the server",
            pending.join(", "),
            settings.command("migrate")
        ))),
    }
}

/// Checks that the master key decrypts the keys in the database; otherwise one of the two is the
/// wrong one.
fn check_master_key(settings: &Settings, database: &Database) -> Result<(), CommandError> {
    let Some(master) = master_key::find_master_key(settings)? else { return Ok(()) };
    let store: &dyn Store<AuthPorts> = database;
    match store.read("check_master_key", |tx| tx.keys().list()).map_err(CommandError::failed)?.as_slice() {
        [] => Ok(()),
        stored => keys::check_master_key(stored, &master).map_err(|why| {
            CommandError::failed(format!(
                "{} and {} do not belong together: {why}",
                master_key_location(settings),
                database_location(settings).unwrap_or_default()
            ))
        }),
    }
}

fn master_key_location(settings: &Settings) -> String {
    match master_key::master_key_source(settings) {
        master_key::MasterKeySource::Setting => "keys.master".to_owned(),
        master_key::MasterKeySource::File(path) => path.display().to_string(),
    }
}

/// Finds a tenant by its short name.
pub(crate) fn find_tenant(database: &Database, slug: &Slug) -> Result<Tenant, CommandError> {
    let found = office::find_tenant_by_slug(database, slug).map_err(CommandError::failed)?;
    found.ok_or_else(|| CommandError::failed(format!("there is no tenant \"{slug}\"")))
}

/// Builds the engine of a server. Creates the master key and the first keys if the database has
/// none.
pub(crate) fn build_engine(settings: &Settings, database: &Arc<Database>) -> Result<Arc<Auth>, CommandError> {
    let store: &dyn Store<AuthPorts> = &**database;
    let keyless = store.read("check_master_key", |tx| tx.keys().list()).map_err(CommandError::failed)?.is_empty();
    let master = master_key::find_or_create_master_key(settings, keyless)?;
    master_key::warn_if_open(settings);
    build_auth(settings, database, master, true)
}

/// Builds the engine of a command that runs beside a server: it creates no keys and runs no
/// maintenance.
pub(crate) fn build_command_engine(settings: &Settings, database: &Arc<Database>) -> Result<Arc<Auth>, CommandError> {
    let store: &dyn Store<AuthPorts> = &**database;
    if store.read("check_master_key", |tx| tx.keys().list()).map_err(CommandError::failed)?.is_empty() {
        return Err(CommandError::failed(format!(
            "the database has no keys yet: start the server once to create them ({})",
            settings.command("serve")
        )));
    }
    let master = master_key::find_master_key(settings)?
        .ok_or_else(|| CommandError::failed(master_key::missing_key_text(settings)))?;
    build_auth(settings, database, master, false)
}

fn build_auth(
    settings: &Settings,
    database: &Arc<Database>,
    master: MasterKey,
    maintenance: bool,
) -> Result<Arc<Auth>, CommandError> {
    // a server records no operating-system user: it acts for its clients, or for itself
    let os_user = (!maintenance).then(shell::shell_user);
    let settings = AuthSettings { os_user, ..build_auth_settings(settings)? };
    let builder = Auth::builder(Arc::clone(database) as _).master(master).settings(settings);
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
            unknown: Rate { burst: throttle.unknown_free, ..usual.unknown },
            known: Rate { burst: throttle.address_free, ..usual.known },
            proof: Rate { burst: throttle.free, ..usual.proof },
            network: Rate { burst: throttle.address_free, ..usual.network },
            known_for: throttle.known,
            ..usual
        },
        caches: build_cache_limits(settings),
        os_user: None,
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

/// The mounts of the web server: the native API, the OAuth endpoints, and the mounts of the
/// configuration.
pub(crate) fn build_mounts(settings: &Settings) -> Result<Mounts, CommandError> {
    let native = Native::new(native_terms(settings));
    let mut mounts = vec![
        Mount::at_prefix(&settings.native.prefix, Arc::new(native)).map_err(CommandError::usage)?,
        Mount::at_prefix(&settings.oauth.prefix, Arc::new(OAuth::new())).map_err(CommandError::usage)?,
    ];
    for each in &settings.mounts {
        let entry = DialectEntry::find(&each.dialect)
            .ok_or_else(|| CommandError::usage(format!("mounts: the dialect \"{}\" does not exist", each.dialect)))?;
        let dialect = (entry.build)(dialect_settings(entry, settings));
        let mut mount = Mount::at_prefix(&each.prefix, dialect).map_err(CommandError::usage)?;
        if let Some(host) = &each.host {
            mount = mount.with_host(host);
        }
        if let Some(tenant) = &each.tenant {
            mount = mount.with_tenant(tenant.clone());
        }
        mounts.push(mount);
    }
    Mounts::check(mounts).map_err(CommandError::usage)
}

fn native_terms(settings: &Settings) -> Terms {
    let sessions = &settings.sessions;
    let refresh = RefreshTerms { idle: Some(sessions.idle), overlap: Some(sessions.overlap), first_reusable: false };
    Terms {
        access: sessions.access,
        refresh: Some(refresh),
        absolute: Some(sessions.absolute),
        midnight: false,
        exchange_overlap: None,
    }
}

/// Reads the settings of one dialect.
type ReadDialectSettings = fn(&Settings) -> DialectSettings;

/// The dialects that have a table of their own in the configuration.
const CONFIGURED_DIALECTS: [(&str, ReadDialectSettings); 4] = [
    (Portos::NAME, portos_settings),
    (Kasir::NAME, kasir_settings),
    (Fiuu::NAME, fiuu_settings),
    (PosStar::NAME, posstar_settings),
];

/// The settings of a dialect by the configuration; the dialect's defaults if the configuration has no table for it.
fn dialect_settings(entry: &DialectEntry, settings: &Settings) -> DialectSettings {
    let configured = CONFIGURED_DIALECTS.iter().find(|(name, _)| *name == entry.name);
    configured.map_or_else(|| entry.default_settings(), |(_, read)| read(settings))
}

fn portos_settings(settings: &Settings) -> DialectSettings {
    let portos = &settings.portos;
    let refresh = RefreshTerms {
        idle: Some(portos.idle),
        overlap: portos.rotation.then_some(portos.overlap),
        first_reusable: false,
    };
    DialectSettings {
        terms: Terms {
            access: portos.access,
            refresh: Some(refresh),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
        },
        requests_per_minute: None,
        browser: BrowserSettings::default(),
    }
}

fn kasir_settings(settings: &Settings) -> DialectSettings {
    let kasir = &settings.kasir;
    let refresh = RefreshTerms { idle: Some(kasir.idle), overlap: Some(kasir.overlap), first_reusable: true };
    DialectSettings {
        terms: Terms {
            access: kasir.access,
            refresh: Some(refresh),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
        },
        requests_per_minute: Some(kasir.per_minute),
        browser: BrowserSettings { origins: kasir.origins.clone(), secure: kasir.secure, same_site: kasir.same_site },
    }
}

fn fiuu_settings(settings: &Settings) -> DialectSettings {
    let fiuu = &settings.fiuu;
    let refresh = RefreshTerms { idle: None, overlap: fiuu.rotation.then_some(fiuu.overlap), first_reusable: false };
    DialectSettings {
        terms: Terms {
            access: fiuu.access,
            refresh: Some(refresh),
            absolute: None,
            midnight: true,
            exchange_overlap: None,
        },
        requests_per_minute: Some(fiuu.per_minute),
        browser: BrowserSettings::default(),
    }
}

fn posstar_settings(settings: &Settings) -> DialectSettings {
    let posstar = &settings.posstar;
    DialectSettings {
        terms: Terms {
            access: posstar.access,
            refresh: None,
            absolute: posstar.absolute,
            midnight: false,
            exchange_overlap: Some(posstar.overlap),
        },
        requests_per_minute: Some(posstar.per_minute),
        browser: BrowserSettings::default(),
    }
}

/// The settings of the web server that do not depend on a dialect.
pub(crate) fn build_http_settings(settings: &Settings) -> tillgate_http::HttpSettings {
    tillgate_http::HttpSettings {
        proxies: settings.server.proxies.clone(),
        proxy_headers: match settings.server.proxy_headers {
            ForwardingHeaders::XForwarded => tillgate_http::ProxyHeaders::XForwarded,
            ForwardingHeaders::Forwarded => tillgate_http::ProxyHeaders::Forwarded,
        },
        body_limit: usize::try_from(settings.limits.body.0).unwrap_or(usize::MAX),
        rate_limiter_bytes: usize::try_from(settings.caches.addresses.0).unwrap_or(usize::MAX),
        terminal_list_bytes: usize::try_from(settings.caches.terminals.0).unwrap_or(usize::MAX),
        deadline: settings.limits.request,
        threads: to_usize(settings.limits.threads),
        blocking_limit: blocking_thread_count(settings, worker_count(settings))
            .saturating_add(to_usize(settings.limits.waiting)),
        header_deadline: settings.limits.head.max(Duration::from_millis(100)),
        serve_metrics: exposure::operations_address(settings).is_none(),
        serve_docs: settings.operations.docs,
        access_rules: settings.access.clone(),
    }
}

/// The number of threads that serve requests: as configured, or one per core.
pub(crate) fn worker_count(settings: &Settings) -> usize {
    match to_usize(settings.server.workers) {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        workers => workers,
    }
}

/// The maximum number of logins that wait for a hash, and of those that wait for a turn: two thirds
/// of the threads, so that the rest stays free for other requests. Logins from unknown networks may
/// use half of each, and passwords set without a login a quarter of the former.
fn most_waiting(settings: &Settings) -> usize {
    (to_usize(settings.limits.threads) * 2 / 3).max(1)
}

/// The share of one worker in the threads that wait for the database or for a hash.
fn blocking_thread_count(settings: &Settings, workers: usize) -> usize {
    (to_usize(settings.limits.threads) / workers).max(1)
}

fn make_folder(folder: &Path) -> Result<(), CommandError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| CommandError::failed(format!("the data folder {}: {error}", folder.display())))
}

/// Creates the tenant `default` (UTC, en) if it does not exist. If two processes start at once, one
/// of them creates it.
fn make_default_tenant(store: &dyn Store<OfficePorts>) -> Result<(), CommandError> {
    let slug = Slug::parse("default").map_err(CommandError::failed)?;
    if office::find_tenant_by_slug(store, &slug).map_err(CommandError::failed)?.is_some() {
        return Ok(());
    }
    let ids = IdSource::default();
    let new = NewTenant {
        id: ids.new_id(TenantId::new)?,
        slug,
        name: "Default".to_owned(),
        zone: Zone::UTC,
        locale: Locale::parse("en").map_err(CommandError::failed)?,
        branch: Branch { id: ids.new_id(BranchId::new)?, name: "Main store".to_owned() },
        roles: [ids.new_id(RoleId::new)?, ids.new_id(RoleId::new)?, ids.new_id(RoleId::new)?],
    };
    // a refusal means that another process created it first
    office::add_tenant(store, &ids.audit_context()?, &new).map_err(CommandError::failed)?.map(drop).or(Ok(()))
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use tillgate_http::DIALECTS;

    use super::*;
    use crate::configuration::{Flags, load_settings};

    #[test]
    fn default_configuration_has_the_default_terms_of_each_dialect() {
        let settings = load_settings(&Flags::default(), &[]).unwrap();
        for entry in DIALECTS {
            assert_eq!(dialect_settings(entry, &settings).terms, (entry.default_terms)(), "{}", entry.name);
        }
    }

    #[test]
    fn configured_dialects_are_registered() {
        for (name, _) in CONFIGURED_DIALECTS {
            assert!(DialectEntry::find(name).is_some(), "{name}");
        }
    }
}
