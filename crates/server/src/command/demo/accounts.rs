//! The accounts of the demo: who they are, and what has become of them. Their ids are the same in every demo, which is the mark by
//! which one is known again.

use tillgate_auth_core::ports::{AuthView, CredentialKind};
use tillgate_domain::{
    DeviceId, DeviceStatus, Environment, Instant, PrincipalId, Store, StoreExt, Stored, UserId, UserStatus,
};
use tillgate_persistence::Database;

use crate::command::Stop;

/// An account of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// Its name.
    pub(super) name: &'static str,
    /// Its id, the same in every demo.
    pub(super) id: PrincipalId,
    /// What kind of device it is; `None` for a user.
    pub(super) environment: Option<Environment>,
}

/// Devices first: the users are allowed on them.
pub(super) fn all() -> [Account; 7] {
    let device = |number, name, environment| Account {
        name,
        id: PrincipalId::Device(DeviceId::new(MADE, bytes(number))),
        environment: Some(environment),
    };
    let user =
        |number, name| Account { name, id: PrincipalId::User(UserId::new(MADE, bytes(number))), environment: None };
    [
        device(1, "P01", Environment::CashRegister),
        device(2, "P02", Environment::CashRegister),
        device(3, "PDA1", Environment::Pda),
        device(4, "OFFICE", Environment::BackOffice),
        user(5, "admin"),
        user(6, "manager"),
        user(7, "cashier"),
    ]
}

/// 2026-01-01T00:00:00Z, in every id of a demo.
const MADE: Instant = Instant::from_millis(1_767_225_600_000);

fn bytes(number: u8) -> [u8; 10] {
    let mut bytes = *b"till-demo\0";
    if let Some(last) = bytes.last_mut() {
        *last = number;
    }
    bytes
}

/// Whether a demo has been made in this database.
pub(super) fn marked(database: &Database) -> Result<bool, Stop> {
    Ok(missing(database)?.len() < all().len())
}

/// The accounts that have never been made here. A deleted one has been.
pub(super) fn missing(database: &Database) -> Result<Vec<Account>, Stop> {
    choose(database, &|_, found| Ok(found.is_none()))
}

/// The names of those that could log in with the password that the demo gave them: nobody has set another since.
pub(super) fn with_demo_password(database: &Database) -> Result<Vec<String>, Stop> {
    let open = choose(database, &|version, found| Ok(found == Some(true) && version()? == Some(FIRST)))?;
    Ok(open.iter().map(|account| account.name.to_owned()).collect())
}

/// The version of a password that nobody has changed.
const FIRST: i64 = 1;

/// Those of which a question is true. It hears whether the account is in use, `None` where it is not there, and may ask for the
/// version of its password.
fn choose(
    database: &Database,
    question: &dyn Fn(&mut dyn FnMut() -> Stored<Option<i64>>, Option<bool>) -> Stored<bool>,
) -> Result<Vec<Account>, Stop> {
    let store: &dyn Store<AuthView> = database;
    let chosen = store.read(|tx| {
        let mut chosen = Vec::new();
        for account in all() {
            let active = match account.id {
                PrincipalId::User(id) => tx.users().find(id)?.map(|user| user.status == UserStatus::Active),
                PrincipalId::Device(id) => tx.devices().find(id)?.map(|device| device.status == DeviceStatus::Active),
            };
            let mut version = || {
                Ok(tx.credentials().find(account.id, CredentialKind::Password)?.map(|credential| credential.version))
            };
            if question(&mut version, active)? {
                chosen.push(account);
            }
        }
        Ok(chosen)
    });
    chosen.map_err(Stop::failed)
}
