//! The database of a command that changes data, named on standard error: it may be another one than
//! that of the server, for example if the command was started in another folder.

use std::io::IsTerminal;
use std::sync::Arc;

use tillgate_persistence::Database;

use super::api_key::ApiKeyCommand;
use super::audit::AuditCommand;
use super::device::DeviceCommand;
use super::keys::KeyCommand;
use super::role::RoleCommand;
use super::session::SessionCommand;
use super::store::StoreCommand;
use super::tenant::TenantCommand;
use super::user::UserCommand;
use super::{Command, CommandError, Context, print};
use crate::composition;
use crate::configuration::Settings;

impl Command {
    /// Whether the command changes data of an existing database that its output does not name.
    pub(super) const fn changes_data(&self) -> bool {
        match self {
            Self::SetupToken | Self::Migrate(_) | Self::Address(_) | Self::Token(_) | Self::Sweep => true,
            Self::User(command) => !matches!(command, UserCommand::List { .. } | UserCommand::Show { .. }),
            Self::Device(command) => !matches!(command, DeviceCommand::List { .. } | DeviceCommand::Show { .. }),
            Self::Role(command) => !matches!(command, RoleCommand::List { .. } | RoleCommand::Rights),
            Self::Tenant(command) => !matches!(command, TenantCommand::List { .. } | TenantCommand::Show),
            Self::Store(command) => !matches!(command, StoreCommand::List { .. }),
            Self::Session(command) => !matches!(command, SessionCommand::List { .. }),
            Self::ApiKeys(command) => !matches!(command, ApiKeyCommand::List(_)),
            // an export and a verification are audit events, and a verification seals others
            Self::Audit(command) => !matches!(command, AuditCommand::List { .. }),
            Self::Keys(command) => !matches!(command, KeyCommand::List { .. }),
            Self::Serve(_)
            | Self::Demo(_)
            | Self::Init(_)
            | Self::Ticket(_)
            | Self::Access(_)
            | Self::Mail(_)
            | Self::Backup(_)
            | Self::Doctor(_)
            | Self::Completions(_)
            | Self::Version
            | Self::Manual(_) => false,
        }
    }
}

impl Context {
    /// Opens the existing database, and names it if the command changes data.
    pub(crate) fn open_database(&self, settings: &Settings) -> Result<Arc<Database>, CommandError> {
        let database = composition::open_existing_database(settings)?;
        self.name_database(settings)?;
        Ok(database)
    }

    /// Names the database on standard error if the command changes data: always on a terminal,
    /// elsewhere only if nothing has selected it. With `--json`, standard error is for errors.
    pub(crate) fn name_database(&self, settings: &Settings) -> Result<(), CommandError> {
        if self.changes_data && !self.json && (settings.is_default_database || std::io::stderr().is_terminal()) {
            print::print_note(&format!("database: {}", composition::database_location(settings)?));
        }
        Ok(())
    }
}
