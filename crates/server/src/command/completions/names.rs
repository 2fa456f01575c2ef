//! The names that exist, for completion. They are read from the database of the line that is
//! completed; nothing is written. Without a database, or if it does not answer soon, there are
//! none.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use tillgate_domain::office::{self, PageRequest, UnguardedOffice};
use tillgate_domain::{DeviceStatus, Slug, TenantId, UserStatus};

use crate::composition;
use crate::configuration::{self, Flags};

/// How long a shell waits for names.
const NAME_TIMEOUT: Duration = Duration::from_secs(1);

/// A kind of name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameKind {
    /// Users that are not deleted.
    User,
    /// Devices that are not retired.
    Device,
    /// Roles of the tenant.
    Role,
    /// Stores of the tenant.
    Store,
    /// The short names of all tenants.
    Tenant,
    /// The mounts of the configuration.
    Mount,
}

/// The installation and the tenant that the line selects.
#[derive(Clone)]
pub(super) struct NameSource {
    flags: Flags,
    tenant: Option<Slug>,
    variables: Vec<(String, String)>,
}

impl NameSource {
    /// The installation and the tenant that these words and environment variables select.
    pub(super) fn new(variables: &[(String, String)], words: &[String]) -> Self {
        let path = |name| find_option(words, name).map(PathBuf::from);
        let flags = Flags {
            config: path("--config"),
            data: path("--data"),
            database: find_option(words, "--database").map(str::to_owned),
            ..Flags::default()
        };
        let tenant = find_option(words, "--tenant").unwrap_or("default");
        Self { flags, tenant: Slug::parse(tenant).ok(), variables: variables.to_vec() }
    }

    /// The names of this kind, in order; none if they cannot be read or are not read in time.
    pub(super) fn list_names(&self, kind: NameKind) -> Vec<String> {
        let source = self.clone();
        let (sender, receiver) = mpsc::channel();
        // nobody joins the thread: a database that hangs must not hold up the shell
        std::thread::spawn(move || sender.send(source.read_names(kind)));
        let mut names = receiver.recv_timeout(NAME_TIMEOUT).ok().flatten().unwrap_or_default();
        names.sort();
        names
    }

    fn read_names(&self, kind: NameKind) -> Option<Vec<String>> {
        let settings = configuration::load_settings(&self.flags, &self.variables).ok()?;
        if kind == NameKind::Mount {
            return Some(settings.list_mount_names().into_iter().map(str::to_owned).collect());
        }
        let database = composition::open_database_without_master_key(&settings).ok()?;
        if kind == NameKind::Tenant {
            let list_page = |page: &PageRequest<TenantId>| office::unguarded::list_tenants(&*database, page);
            let tenants = office::collect_pages(None, list_page, |tenant| tenant.id).ok()?;
            return Some(tenants.into_iter().map(|tenant| tenant.slug.to_string()).collect());
        }
        let tenant = composition::find_tenant(&database, self.tenant.as_ref()?).ok()?;
        let office = UnguardedOffice::new(&*database, tenant.id);
        Some(match kind {
            NameKind::User => {
                let users = office::collect_pages(None, |page| office.list_users(page), |user| user.id).ok()?;
                let users = users.into_iter().filter(|user| user.status != UserStatus::Deleted);
                users.map(|user| user.name.to_string()).collect()
            }
            NameKind::Device => {
                let devices = office::collect_pages(None, |page| office.list_devices(page), |device| device.id).ok()?;
                let devices = devices.into_iter().filter(|device| device.status != DeviceStatus::Retired);
                devices.map(|device| device.name.to_string()).collect()
            }
            NameKind::Role => office.list_roles().ok()?.into_iter().map(|role| role.name.to_string()).collect(),
            NameKind::Store => tenant.branches.into_iter().map(|store| store.name).collect(),
            NameKind::Tenant | NameKind::Mount => return None,
        })
    }
}

/// The value of an option, as `--name VALUE` or `--name=VALUE`. Bash passes the `=` as a word of
/// its own.
fn find_option<'w>(words: &'w [String], name: &str) -> Option<&'w str> {
    let at = words
        .iter()
        .rposition(|word| word.strip_prefix(name).is_some_and(|end| end.is_empty() || end.starts_with('=')))?;
    let (option, after) = words.get(at..)?.split_first()?;
    let value = option.strip_prefix(name)?.strip_prefix('=');
    value.or_else(|| after.iter().map(String::as_str).find(|word| *word != "="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_is_found_in_every_form() {
        let find = |line: &str, name: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            find_option(&words, name).map(str::to_owned)
        };
        assert_eq!(find("tillgate user --data /srv show", "--data").as_deref(), Some("/srv"));
        assert_eq!(find("tillgate --data=/srv user", "--data").as_deref(), Some("/srv"));
        assert_eq!(find("tillgate --data = /srv user", "--data").as_deref(), Some("/srv"));
        assert_eq!(find("tillgate --database sqlite:a", "--data"), None);
        assert_eq!(find("tillgate user show --data", "--data"), None);
    }
}
