//! How the parts are put together: settings, database, engine, web server. Each command takes as much of it as it needs.

use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::CacheLimits;
use tillgate_auth_core::auth::{Auth, Settings as AuthSettings};
use tillgate_auth_core::keys::{self, MasterKey, SigningAlgorithm};
use tillgate_auth_core::passwords::{Cost, ListError, PasswordList, PasswordPolicy, QueueLimits};
use tillgate_auth_core::ports::AuthView;
use tillgate_auth_core::terms::{Refresh, Terms};
use tillgate_auth_core::throttle::{Rate, ThrottleLimits};
use tillgate_domain::office::{self, NewTenant, OfficeView};
use tillgate_domain::{Branch, BranchId, Locale, RoleId, Slug, Store, StoreExt, Tenant, TenantId, Zone};
use tillgate_http::{Dialect, Fiuu, Kasir, Krmpesan, Mount, Mounts, Native, OAuth, Portos, PosStar, Web};
use tillgate_persistence::{Address, Database, Limits};

use crate::command::Stop;
use crate::configuration::{Algorithm, ForwardingHeaders, Settings};
use crate::draw::Draw;
use crate::{disk, exposure, master, shell};

/// Where the database is.
pub(crate) fn address(settings: &Settings) -> Result<Address, Stop> {
    let url = settings.database.url.expose();
    let wants_tls = ["require", "verify-ca", "verify-full"].iter().any(|mode| url.contains(&format!("sslmode={mode}")));
    if wants_tls && !cfg!(feature = "postgres-tls") {
        return Err(Stop::usage(
            "database.url: sslmode asks for TLS, but this program was built without the feature postgres-tls (tillgate --version \
             says so): take a build with it, or cargo build --release --features postgres-tls",
        ));
    }
    Address::parse(settings.database.url.expose(), &settings.server.data)
        .map_err(|why| Stop::usage(format!("database.url: {why}")))
}

/// Where the database is, for messages: the file of SQLite, or PostgreSQL's address without its password.
pub(crate) fn place(settings: &Settings) -> Result<String, Stop> {
    Ok(match address(settings)? {
        Address::Sqlite(path) => path.display().to_string(),
        postgres @ Address::Postgres(_) => postgres.to_string(),
    })
}

/// Makes the database of a new installation, its data folder and the tenant `default`; one that is there is brought up to date.
/// `progress` hears of each migration before it runs.
pub(crate) fn create(settings: &Settings, progress: &mut dyn FnMut(&str)) -> Result<Arc<Database>, Stop> {
    make_folder(&settings.server.data)?;
    let database = Database::create(&address(settings)?, &limits(settings)).map(Arc::new).map_err(Stop::failed)?;
    bring_up(database, progress)
}

/// Opens the database for those who serve and brings the tables up to date. None is ever made here: where a volume is not mounted
/// or a path is wrong, a new database would answer every till with a 401.
pub(crate) fn prepare(settings: &Settings, progress: &mut dyn FnMut(&str)) -> Result<Arc<Database>, Stop> {
    if !has_database(settings)? {
        return Err(no_database(settings)?);
    }
    bring_up(open(settings)?, progress)
}

/// Whether there is a database with tables. An empty file is none, and is not opened: SQLite would write into it.
pub(crate) fn has_database(settings: &Settings) -> Result<bool, Stop> {
    if let Address::Sqlite(path) = address(settings)?
        && std::fs::metadata(path).map_or(0, |found| found.len()) == 0
    {
        return Ok(false);
    }
    open(settings)?.has_tables().map_err(Stop::failed)
}

fn no_database(settings: &Settings) -> Result<Stop, Stop> {
    Ok(Stop::failed(format!(
        "there is no database at {}: mount its volume or name its place with --data or --database. A new installation makes it \
         once: {}",
        place(settings)?,
        settings.command("init")
    )))
}

fn bring_up(database: Arc<Database>, progress: &mut dyn FnMut(&str)) -> Result<Arc<Database>, Stop> {
    database.migrate(progress).map_err(Stop::failed)?;
    let instance = uuid::Builder::from_random_bytes(Draw::default().bytes()?).into_uuid();
    database.establish(instance).map_err(Stop::failed)?;
    make_default_tenant(&*database)?;
    Ok(database)
}

/// Opens the database as it is. Its tables may be older than the program.
pub(crate) fn open(settings: &Settings) -> Result<Arc<Database>, Stop> {
    let address = address(settings)?;
    Database::open(&address, &limits(settings)).map(Arc::new).map_err(|error| match &address {
        Address::Sqlite(path) if disk::is_read_only(path) => Stop::failed(format!(
            "{error}: this user may not write to {}, or its disk is read-only",
            path.parent().unwrap_or(path).display()
        )),
        _ => Stop::failed(error),
    })
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        deadline: settings.database.deadline,
        waiting: count(settings.database.waiting),
        connections: settings.database.connections,
        idle: settings.database.idle,
        pages: settings.caches.pages.0,
    }
}

/// Opens the database of a server that has been started before. Nothing is made and nothing is migrated.
pub(crate) fn open_existing(settings: &Settings) -> Result<Arc<Database>, Stop> {
    if !has_database(settings)? {
        return Err(no_database(settings)?);
    }
    let database = open(settings)?;
    match database.pending().map_err(Stop::failed)?.as_slice() {
        [] => check_master(settings, &database).map(|()| database),
        pending => Err(Stop::failed(format!(
            "the database is not up to date (missing: {}): run {}, or start the server",
            pending.join(", "),
            settings.command("migrate")
        ))),
    }
}

/// Refuses a master key that does not open the keys of the database: one of the two is not the one that was meant.
fn check_master(settings: &Settings, database: &Database) -> Result<(), Stop> {
    let Some(master) = master::find(settings)? else { return Ok(()) };
    let store: &dyn Store<AuthView> = database;
    match store.read(|tx| tx.keys().all()).map_err(Stop::failed)?.as_slice() {
        [] => Ok(()),
        stored => keys::check_master(stored, &master).map_err(|why| {
            Stop::failed(format!(
                "{} and {} do not belong together: {why}",
                place_of_key(settings),
                place(settings).unwrap_or_default()
            ))
        }),
    }
}

fn place_of_key(settings: &Settings) -> String {
    match master::place(settings) {
        master::Place::Given => "keys.master".to_owned(),
        master::Place::File(path) => path.display().to_string(),
    }
}

/// The tenant that a command is about.
pub(crate) fn tenant(database: &Database, slug: &Slug) -> Result<Tenant, Stop> {
    let found = office::tenant_named(database, slug).map_err(Stop::failed)?;
    found.ok_or_else(|| Stop::failed(format!("there is no tenant \"{slug}\"")))
}

/// The engine of a server: makes the master key and the first keys where the store has none.
pub(crate) fn engine(settings: &Settings, database: &Arc<Database>) -> Result<Arc<Auth>, Stop> {
    let store: &dyn Store<AuthView> = &**database;
    let keyless = store.read(|tx| tx.keys().all()).map_err(Stop::failed)?.is_empty();
    let master = master::find_or_make(settings, keyless)?;
    master::warn_if_open(settings);
    build(settings, database, master, true)
}

/// The engine of a command beside a server: it makes no key and has no chores.
pub(crate) fn engine_beside(settings: &Settings, database: &Arc<Database>) -> Result<Arc<Auth>, Stop> {
    let store: &dyn Store<AuthView> = &**database;
    if store.read(|tx| tx.keys().all()).map_err(Stop::failed)?.is_empty() {
        return Err(Stop::failed(format!(
            "the database has no keys yet: start the server once ({}), which makes them",
            settings.command("serve")
        )));
    }
    let master = master::find(settings)?.ok_or_else(|| Stop::failed(master::missing(settings)))?;
    build(settings, database, master, false)
}

fn build(settings: &Settings, database: &Arc<Database>, master: MasterKey, chores: bool) -> Result<Arc<Auth>, Stop> {
    // a server acts for others; what nobody asked for it does by itself
    let shell = (!chores).then(shell::name);
    let settings = AuthSettings { shell, ..auth_settings(settings)? };
    let builder = Auth::builder(Arc::clone(database) as _).master(master).settings(settings);
    let builder = if chores { builder } else { builder.without_chores() };
    builder.build().map_err(Stop::failed)
}

fn auth_settings(settings: &Settings) -> Result<AuthSettings, Stop> {
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
        keep_ended: sessions.keep,
        sweep_delay: settings.database.sweep_delay,
        cost: cost(settings),
        policy: password_policy(settings)?,
        queue: QueueLimits {
            workers: NonZeroUsize::new(count(passwords.workers)),
            waiting: count(passwords.waiting).min(most_waiting(settings)),
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
        caches: cache_limits(settings),
        shell: None,
    })
}

fn cache_limits(settings: &Settings) -> CacheLimits {
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

/// Which passwords may be set: reads the list that the configuration names.
pub(crate) fn password_policy(settings: &Settings) -> Result<PasswordPolicy, Stop> {
    let Some(path) = &settings.passwords.list else { return Ok(PasswordPolicy::default()) };
    let stop = |why: ListError| Stop::usage(format!("passwords.list: the file {} {why}", path.display()));
    let file = File::open(path).map_err(|error| stop(error.into()))?;
    let list = PasswordList::read(BufReader::new(file)).map_err(stop)?;
    tracing::debug!(passwords = list.len(), "the list of passwords that nobody may choose was read");
    Ok(PasswordPolicy::with_list(list))
}

/// What a password costs.
pub(crate) fn cost(settings: &Settings) -> Cost {
    let memory = settings.passwords.memory.0 / 1024;
    Cost { memory_kib: u32::try_from(memory).unwrap_or(u32::MAX), passes: settings.passwords.passes, ..Cost::default() }
}

/// What the web server serves: the native API, what OAuth's clients ask, and the mounts of the configuration.
pub(crate) fn mounts(settings: &Settings) -> Result<Mounts, Stop> {
    let native = Native::new(native_terms(settings));
    let mut mounts = vec![
        Mount::at(&settings.native.prefix, Arc::new(native)).map_err(Stop::usage)?,
        Mount::at(&settings.oauth.prefix, Arc::new(OAuth::new())).map_err(Stop::usage)?,
    ];
    for each in &settings.mounts {
        // the configuration has checked that it is one of those that there are
        let dialect: Arc<dyn Dialect> = match each.dialect.as_str() {
            "kasir" => Arc::new(kasir(settings)),
            Fiuu::NAME => Arc::new(fiuu(settings)),
            PosStar::NAME => Arc::new(posstar(settings)),
            Krmpesan::NAME => Arc::new(Krmpesan::new(Krmpesan::terms())),
            _ => Arc::new(Portos::new(portos_terms(settings))),
        };
        let mut mount = Mount::at(&each.prefix, dialect).map_err(Stop::usage)?;
        if let Some(host) = &each.host {
            mount = mount.host(host);
        }
        if let Some(tenant) = &each.tenant {
            mount = mount.tenant(tenant.clone());
        }
        mounts.push(mount);
    }
    Mounts::check(mounts).map_err(Stop::usage)
}

fn native_terms(settings: &Settings) -> Terms {
    let sessions = &settings.sessions;
    let refresh = Refresh { idle: Some(sessions.idle), overlap: Some(sessions.overlap), first_reusable: false };
    Terms {
        access: sessions.access,
        refresh: Some(refresh),
        absolute: Some(sessions.absolute),
        midnight: false,
        exchange_overlap: None,
    }
}

fn portos_terms(settings: &Settings) -> Terms {
    let portos = &settings.portos;
    let refresh =
        Refresh { idle: Some(portos.idle), overlap: portos.rotation.then_some(portos.overlap), first_reusable: false };
    Terms { access: portos.access, refresh: Some(refresh), absolute: None, midnight: false, exchange_overlap: None }
}

fn kasir(settings: &Settings) -> Kasir {
    let kasir = &settings.kasir;
    let refresh = Refresh { idle: Some(kasir.idle), overlap: Some(kasir.overlap), first_reusable: true };
    let terms =
        Terms { access: kasir.access, refresh: Some(refresh), absolute: None, midnight: false, exchange_overlap: None };
    let web = Web { origins: kasir.origins.clone(), secure: kasir.secure, same_site: kasir.same_site };
    Kasir::new(terms, web, kasir.per_minute)
}

fn fiuu(settings: &Settings) -> Fiuu {
    let fiuu = &settings.fiuu;
    let refresh = Refresh { idle: None, overlap: fiuu.rotation.then_some(fiuu.overlap), first_reusable: false };
    let terms =
        Terms { access: fiuu.access, refresh: Some(refresh), absolute: None, midnight: true, exchange_overlap: None };
    Fiuu::new(terms, fiuu.per_minute)
}

fn posstar(settings: &Settings) -> PosStar {
    let posstar = &settings.posstar;
    let terms = Terms {
        access: posstar.access,
        refresh: None,
        absolute: posstar.absolute,
        midnight: false,
        exchange_overlap: Some(posstar.overlap),
    };
    PosStar::new(terms, posstar.per_minute)
}

/// The side of HTTP that no contract says.
pub(crate) fn http_settings(settings: &Settings) -> tillgate_http::Settings {
    tillgate_http::Settings {
        proxies: settings.server.proxies.clone(),
        proxy_headers: match settings.server.proxy_headers {
            ForwardingHeaders::XForwarded => tillgate_http::ProxyHeaders::XForwarded,
            ForwardingHeaders::Forwarded => tillgate_http::ProxyHeaders::Forwarded,
        },
        body_limit: usize::try_from(settings.limits.body.0).unwrap_or(usize::MAX),
        address_bytes: usize::try_from(settings.caches.addresses.0).unwrap_or(usize::MAX),
        terminal_bytes: usize::try_from(settings.caches.terminals.0).unwrap_or(usize::MAX),
        deadline: settings.limits.request,
        threads: count(settings.limits.threads),
        blocking_limit: blocking_threads(settings, workers(settings)).saturating_add(count(settings.limits.waiting)),
        header_deadline: settings.limits.head.max(Duration::from_millis(100)),
        metrics_here: exposure::operations(settings).is_none(),
        docs_here: settings.operations.docs,
        access: settings.access.clone(),
    }
}

/// Threads that serve requests: as many as the settings say, or one per core.
pub(crate) fn workers(settings: &Settings) -> usize {
    match count(settings.server.workers) {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        workers => workers,
    }
}

/// How many logins may wait for a hash, and how many for their turn, so that strangers leave threads for everybody else: of each,
/// strangers take half at most, and passwords that are set by callers who are not logged in a quarter of the former.
fn most_waiting(settings: &Settings) -> usize {
    (count(settings.limits.threads) * 2 / 3).max(1)
}

/// The part of each worker in the threads that wait for the database or for a hash.
fn blocking_threads(settings: &Settings, workers: usize) -> usize {
    (count(settings.limits.threads) / workers).max(1)
}

fn make_folder(folder: &Path) -> Result<(), Stop> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| Stop::failed(format!("the data folder {}: {error}", folder.display())))
}

/// Makes the tenant `default` (UTC, en) where there is none. Of two processes that start at once one makes it.
fn make_default_tenant(store: &dyn Store<OfficeView>) -> Result<(), Stop> {
    let slug = Slug::parse("default").map_err(Stop::failed)?;
    if office::tenant_named(store, &slug).map_err(Stop::failed)?.is_some() {
        return Ok(());
    }
    let draw = Draw::default();
    let new = NewTenant {
        id: draw.id(TenantId::new)?,
        slug,
        name: "Default".to_owned(),
        zone: Zone::UTC,
        locale: Locale::parse("en").map_err(Stop::failed)?,
        branch: Branch { id: draw.id(BranchId::new)?, name: "Main store".to_owned() },
        roles: [draw.id(RoleId::new)?, draw.id(RoleId::new)?, draw.id(RoleId::new)?],
    };
    // refused means that another process was first
    office::add_tenant(store, &draw.stamp()?, &new).map_err(Stop::failed)?.map(drop).or(Ok(()))
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
