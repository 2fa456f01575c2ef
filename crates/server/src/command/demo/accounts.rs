//! The accounts of the demo and their state in a database. Their ids are the same in every demo, by
//! which a demo is recognized.

use tillgate_auth_core::passwords::{Argon2id, Cost, verify_password};
use tillgate_auth_core::ports::{AuthPorts, CredentialKind};
use tillgate_domain::{
    DeviceId, DeviceStatus, Environment, Instant, PrincipalId, Secret, Store, StoreExt, UserId, UserStatus,
};
use tillgate_persistence::Database;

use super::staff::{PEOPLE, TILLS};
use crate::command::CommandError;

/// How much of the demo shop is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShopSize {
    /// The accounts of the examples only.
    Small,
    /// Two stores with more tills and people, and a day of their work.
    Full,
}

/// A user or device of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DemoAccount {
    /// The login name, such as `cashier` or `P01`.
    pub(super) name: &'static str,
    /// The id, the same in every demo.
    pub(super) id: PrincipalId,
    /// The kind of device; `None` for a user.
    pub(super) environment: Option<Environment>,
    /// Whether it has a password and can log in as itself.
    pub(super) has_password: bool,
}

/// The accounts of a shop of this size, devices first: the users are assigned to them.
pub(super) fn list_accounts(size: ShopSize) -> Vec<DemoAccount> {
    let device = |number, name, environment, has_password| DemoAccount {
        name,
        id: PrincipalId::Device(DeviceId::new(CREATED_AT, id_bytes(number))),
        environment: Some(environment),
        has_password,
    };
    let user = |number, name| DemoAccount {
        name,
        id: PrincipalId::User(UserId::new(CREATED_AT, id_bytes(number))),
        environment: None,
        has_password: true,
    };
    let (tills, people) = match size {
        ShopSize::Small => (&[][..], &[][..]),
        ShopSize::Full => (TILLS, PEOPLE),
    };
    let mut accounts = vec![
        device(1, "P01", Environment::CashRegister, true),
        device(2, "P02", Environment::CashRegister, true),
        device(3, "PDA1", Environment::Pda, true),
        device(4, "OFFICE", Environment::BackOffice, true),
    ];
    accounts.extend(tills.iter().map(|till| device(till.number, till.name, till.environment, false)));
    accounts.extend([user(5, "admin"), user(6, "manager"), user(7, "cashier")]);
    accounts.extend(people.iter().map(|person| user(person.number, person.name)));
    accounts
}

/// The account of the full shop with this name.
pub(super) fn find_account(name: &str) -> Option<DemoAccount> {
    list_accounts(ShopSize::Full).into_iter().find(|account| account.name == name)
}

/// 2026-01-01T00:00:00Z, which is part of every id of a demo.
const CREATED_AT: Instant = Instant::from_millis(1_767_225_600_000);

fn id_bytes(number: u8) -> [u8; 10] {
    let mut bytes = *b"till-demo\0";
    if let Some(last) = bytes.last_mut() {
        *last = number;
    }
    bytes
}

/// The state of a demo account in a database.
struct AccountState {
    account: DemoAccount,
    /// Whether the account is active; `None` if it was never created.
    active: Option<bool>,
    /// The version of its password; `None` without a password.
    version: Option<i64>,
}

/// Whether a demo was created in this database.
pub(super) fn has_demo_accounts(database: &Database) -> Result<bool, CommandError> {
    Ok(read_states(database)?.iter().any(|state| state.active.is_some()))
}

/// The accounts of a shop of this size that were never created in this database. A deleted account
/// counts as created.
pub(super) fn missing_accounts(database: &Database, size: ShopSize) -> Result<Vec<DemoAccount>, CommandError> {
    let wanted = list_accounts(size);
    let missing =
        read_states(database)?.into_iter().filter(|state| state.active.is_none() && wanted.contains(&state.account));
    Ok(missing.map(|state| state.account).collect())
}

/// The names of active accounts that still have their demo password.
pub(super) fn accounts_with_demo_password(database: &Database) -> Result<Vec<&'static str>, CommandError> {
    let open = |state: &AccountState| state.active == Some(true) && state.version == Some(FIRST_PASSWORD_VERSION);
    Ok(read_states(database)?.into_iter().filter(open).map(|state| state.account.name).collect())
}

/// Whether some account still has its demo password, and that is not `chosen`.
pub(super) fn has_other_password(
    database: &Database,
    chosen: &Secret<String>,
    cost: Cost,
) -> Result<bool, CommandError> {
    let Some(state) = read_states(database)?.into_iter().find(|state| state.version == Some(FIRST_PASSWORD_VERSION))
    else {
        return Ok(false);
    };
    let store: &dyn Store<AuthPorts> = database;
    let found = store
        .read("check_demo", |tx| tx.credentials().find(state.account.id, CredentialKind::Password))
        .map_err(CommandError::failed)?;
    let Some(credential) = found else { return Ok(false) };
    let hasher = Argon2id::new(cost).map_err(CommandError::usage)?;
    Ok(!verify_password(&hasher, chosen.expose(), &credential.verifier).map_err(CommandError::failed)?)
}

/// The version of a password that was never changed.
const FIRST_PASSWORD_VERSION: i64 = 1;

fn read_states(database: &Database) -> Result<Vec<AccountState>, CommandError> {
    let store: &dyn Store<AuthPorts> = database;
    let read = store.read("check_demo", |tx| {
        let mut states = Vec::new();
        for account in list_accounts(ShopSize::Full) {
            let active = match account.id {
                PrincipalId::User(id) => tx.users().find(id)?.map(|user| user.status == UserStatus::Active),
                PrincipalId::Device(id) => tx.devices().find(id)?.map(|device| device.status == DeviceStatus::Active),
            };
            let credential = tx.credentials().find(account.id, CredentialKind::Password)?;
            states.push(AccountState { account, active, version: credential.map(|credential| credential.version) });
        }
        Ok(states)
    });
    read.map_err(CommandError::failed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::command::demo::staff::SUPERVISOR;

    #[test]
    fn people_work_on_devices_and_in_roles_of_the_shop() {
        for person in PEOPLE {
            for (device, role) in person.devices {
                let account = find_account(device).unwrap_or_else(|| panic!("{} on {device}", person.name));
                assert!(account.environment.is_some(), "{} on {device}", person.name);
                assert!(["cashier", "manager", SUPERVISOR.name].contains(role), "{} as {role}", person.name);
            }
        }
    }

    #[test]
    fn ids_and_names_are_unique_and_the_small_shop_is_part_of_the_full_one() {
        let accounts = list_accounts(ShopSize::Full);
        let names: BTreeSet<&str> = accounts.iter().map(|account| account.name).collect();
        let ids: BTreeSet<_> = accounts.iter().map(|account| account.id).collect();
        assert_eq!((names.len(), ids.len()), (accounts.len(), accounts.len()));
        assert!(list_accounts(ShopSize::Small).iter().all(|account| accounts.contains(account)));
    }
}
