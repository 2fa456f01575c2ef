//! The database of a command: its location, creation, migration and opening.

use std::path::Path;
use std::sync::Arc;

use tillgate_auth_core::keys;
use tillgate_auth_core::ports::AuthPorts;
use tillgate_domain::office::{self, NewTenant, OfficePorts, PageRequest};
use tillgate_domain::{Branch, BranchId, Locale, RoleId, Slug, Store, StoreExt, Tenant, TenantId, Zone};
use tillgate_persistence::{Address, Database, Limits, OpenError};

use super::to_usize;
use crate::command::CommandError;
use crate::configuration::{Settings, libpq_error_text};
use crate::file_access::{describe_open_error, foreign_owner_text};
use crate::ids::IdSource;
use crate::suggestions::did_you_mean_or_list;
use crate::{disk, master_key};

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

/// Creates the database of a new installation with its data folder and the tenant `default`, and
/// returns it with `true`. An existing database is migrated and returned with `false`; `progress`
/// is called before each of its migrations.
pub(crate) fn create_database(
    settings: &Settings,
    progress: &mut dyn FnMut(&str),
) -> Result<(Arc<Database>, bool), CommandError> {
    make_folder(&settings.server.data)?;
    let address = database_address(settings)?;
    let database = Database::create(&address, &database_limits(settings)).map(Arc::new).map_err(|error| {
        let folder = match (&address, &error) {
            (_, OpenError::Address { detail }) => return CommandError::usage(libpq_error_text(detail)),
            (Address::Sqlite(path), _) if disk::is_read_only(path) => path.parent(),
            _ => None,
        };
        CommandError::failed(format!("{error}{}", folder.map(foreign_owner_suffix).unwrap_or_default()))
    })?;
    let is_new = !database.has_tables().map_err(CommandError::failed)?;
    // the migrations of a new database have nothing to update
    let progress = if is_new { &mut |_: &str| () } else { progress };
    Ok((migrate_database(settings, database, progress)?, is_new))
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
    migrate_database(settings, open_database(settings)?, progress)
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

fn migrate_database(
    settings: &Settings,
    database: Arc<Database>,
    progress: &mut dyn FnMut(&str),
) -> Result<Arc<Database>, CommandError> {
    // before the migration, which cannot be undone; every version has the table of the keys
    if database.has_tables().map_err(CommandError::failed)? {
        check_master_key(settings, &database)?;
    }
    database.migrate(progress).map_err(CommandError::failed)?;
    let instance = uuid::Builder::from_random_bytes(IdSource::default().random_bytes()?).into_uuid();
    database.set_instance_id(instance).map_err(CommandError::failed)?;
    make_default_tenant(&*database)?;
    Ok(database)
}

/// Opens the database as it is. Its schema may be older than the program.
pub(crate) fn open_database(settings: &Settings) -> Result<Arc<Database>, CommandError> {
    let address = database_address(settings)?;
    Database::open(&address, &database_limits(settings)).map(Arc::new).map_err(|error| match (&address, error) {
        (_, OpenError::Address { detail }) => CommandError::usage(libpq_error_text(&detail)),
        (Address::Sqlite(path), error) if disk::is_read_only(path) => {
            let folder = path.parent().unwrap_or(path);
            CommandError::failed(format!(
                "{error}: this user cannot write to {}, or its disk is read-only{}",
                folder.display(),
                foreign_owner_suffix(folder)
            ))
        }
        (_, error) => CommandError::failed(error),
    })
}

/// The end of an error about a folder of another user: both users, and what to do.
fn foreign_owner_suffix(folder: &Path) -> String {
    foreign_owner_text(folder).map(|text| format!(": {text}")).unwrap_or_default()
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

/// Opens an existing database that is up to date, and checks the master key. Creates and migrates
/// nothing.
pub(crate) fn open_existing_database(settings: &Settings) -> Result<Arc<Database>, CommandError> {
    let database = open_database_without_master_key(settings)?;
    check_master_key(settings, &database).map(|()| database)
}

/// Opens an existing database that is up to date, whatever the master key. Creates and migrates
/// nothing.
pub(crate) fn open_database_without_master_key(settings: &Settings) -> Result<Arc<Database>, CommandError> {
    if !has_database(settings)? {
        return Err(no_database_error(settings)?);
    }
    let database = open_database(settings)?;
    match database.pending_migrations().map_err(CommandError::failed)?.as_slice() {
        [] => Ok(database),
        pending => Err(CommandError::failed(format!(
            "the database is not up to date (missing: {}): run {}, or start the server",
            pending.join(", "),
            settings.command("migrate")
        ))),
    }
}

/// Opens an existing database of this or an older version. Creates and migrates nothing.
pub(crate) fn open_database_before_upgrade(settings: &Settings) -> Result<Arc<Database>, CommandError> {
    if !has_database(settings)? {
        return Err(no_database_error(settings)?);
    }
    let database = open_database(settings)?;
    if database.pending_migrations().map_err(CommandError::failed)?.is_empty() {
        check_master_key(settings, &database)?;
    }
    Ok(database)
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

/// Where the master key comes from, for messages.
pub(crate) fn master_key_location(settings: &Settings) -> String {
    match master_key::master_key_source(settings) {
        master_key::MasterKeySource::Setting => "keys.master".to_owned(),
        master_key::MasterKeySource::File(path) => path.display().to_string(),
    }
}

/// Finds a tenant by its short name. The error suggests a similar one, or the list.
pub(crate) fn find_tenant(database: &Database, slug: &Slug) -> Result<Tenant, CommandError> {
    let found = office::unguarded::find_tenant_by_slug(database, slug).map_err(CommandError::failed)?;
    if let Some(tenant) = found {
        return Ok(tenant);
    }
    let list_page = |page: &PageRequest<TenantId>| office::unguarded::list_tenants(database, page);
    let tenants = office::collect_pages(None, list_page, |tenant| tenant.id).map_err(CommandError::failed)?;
    let near = did_you_mean_or_list(slug.as_str(), tenants.iter().map(|tenant| tenant.slug.as_str()), "tenant");
    Err(CommandError::failed(format!("there is no tenant \"{slug}\"{near}")))
}

fn make_folder(folder: &Path) -> Result<(), CommandError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        let why = describe_open_error(folder, &error);
        CommandError::failed(format!("the data folder {}: {why}", folder.display()))
    })
}

/// Creates the tenant `default` (UTC, en) if it does not exist. If two processes start at once, one
/// of them creates it.
fn make_default_tenant(store: &dyn Store<OfficePorts>) -> Result<(), CommandError> {
    let slug = Slug::parse("default").map_err(CommandError::failed)?;
    if office::unguarded::find_tenant_by_slug(store, &slug).map_err(CommandError::failed)?.is_some() {
        return Ok(());
    }
    let ids = IdSource::default();
    let new = NewTenant {
        id: ids.new_id(TenantId::new)?,
        slug,
        name: "Default".to_owned(),
        zone: Zone::UTC,
        locale: Locale::parse("en").map_err(CommandError::failed)?,
        branch: Branch { id: ids.new_id(BranchId::new)?, name: "Main store".to_owned(), zone: None },
        roles: [ids.new_id(RoleId::new)?, ids.new_id(RoleId::new)?, ids.new_id(RoleId::new)?],
    };
    // a refusal means that another process created it first
    office::add_tenant(store, &ids.audit_context()?, &new).map_err(CommandError::failed)?.map(drop).or(Ok(()))
}
