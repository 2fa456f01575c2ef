//! What the demo prints: its accounts, and example requests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use tillgate_domain::Secret;

use super::accounts::ShopSize;
use super::passwords::{self, PasswordDelivery};
use super::shop::NewAccounts;
use crate::command::confirmation::count_text;
use crate::configuration::Settings;

/// The number of created accounts: `15 users and 14 devices`.
fn accounts_text(created: &NewAccounts) -> String {
    let devices = created.accounts.iter().filter(|account| account.environment.is_some()).count();
    format!("{} and {}", count_text(created.accounts.len() - devices, "user"), count_text(devices, "device"))
}

/// The prefix of the back office for browsers.
pub(super) fn office_prefix(settings: &Settings) -> Option<&str> {
    let office = settings.mounts.iter().find(|mount| mount.dialect == "office" && mount.host.is_none());
    office.map(|mount| mount.prefix.as_str())
}

/// The password of the admin, or where it is. A generated password is not printed where it could
/// get into a log.
pub(super) fn admin_password(
    settings: &Settings,
    delivery: PasswordDelivery,
    passwords: &BTreeMap<String, Secret<String>>,
) -> String {
    match (delivery, passwords.get("admin")) {
        (_, None) => "that was shown or chosen when the demo was created".to_owned(),
        (PasswordDelivery::File, Some(_)) => {
            format!("of admin in {}", passwords::password_file(&settings.server.data).display())
        }
        (PasswordDelivery::Chosen | PasswordDelivery::Terminal, Some(password)) => password.expose().clone(),
    }
}

/// The line for a shell that sets `PASSWORD` to the password of the cashier. A generated password
/// is not printed where it could get into a log.
fn password_line(delivery: PasswordDelivery, file: &Path, passwords: &BTreeMap<String, Secret<String>>) -> String {
    match (delivery, passwords.get("cashier")) {
        (_, None) => "PASSWORD='the password that was shown or chosen when the demo was created'".to_owned(),
        (PasswordDelivery::File, Some(_)) => format!("PASSWORD=$(sed -n 's/^cashier: //p' '{}')", file.display()),
        (PasswordDelivery::Chosen | PasswordDelivery::Terminal, Some(password)) => {
            format!("PASSWORD='{}'", password.expose().replace('\'', r"'\''"))
        }
    }
}

/// The text that the demo prints once it is ready. `passwords` are those of the accounts, as far as
/// they are known.
pub(super) fn instructions(
    settings: &Settings,
    url: &str,
    (delivery, passwords): (PasswordDelivery, &BTreeMap<String, Secret<String>>),
    size: ShopSize,
    created: &NewAccounts,
) -> String {
    let mut text = String::new();
    let file = passwords::password_file(&settings.server.data);
    let exists = created.accounts.is_empty();
    // writing to a String cannot fail
    let _ = match (delivery, exists) {
        (_, true) => writeln!(text, "The demo already exists; its accounts keep their passwords."),
        (PasswordDelivery::Chosen, false) => {
            writeln!(text, "Created {}, all with the password that you chose.", accounts_text(created))
        }
        (PasswordDelivery::File, false) => {
            writeln!(text, "Created {}; their passwords are in {}.", accounts_text(created), file.display())
        }
        (PasswordDelivery::Terminal, false) => {
            let lines = created
                .credentials
                .iter()
                .map(|(account, password)| format!("  {:16} {}\n", account.name, password.expose()));
            write!(text, "Passwords of the accounts, shown only once:\n{}", lines.collect::<String>())
        }
    };
    let prefix = &settings.native.prefix;
    let mut calls = vec![(
        "log in as a cashier on the till P01",
        format!("{prefix}/sessions"),
        r#"{\"login\":\"cashier\",\"device\":\"P01\",\"password\":\"$PASSWORD\"}"#,
    )];
    if let Some(portos) = settings.mounts.iter().find(|mount| mount.dialect == "portos" && mount.host.is_none()) {
        let body = r#"{\"UserName\":\"cashier\",\"DeviceName\":\"P01\",\"Password\":\"$PASSWORD\"}"#;
        calls.push(("the same through the PORTOS API", format!("{}/api/auth", portos.prefix), body));
    }
    let _ = writeln!(text, "Try:\n  {}", password_line(delivery, &file, passwords));
    for (what, path, body) in calls {
        let _ = writeln!(text, "  # {what}\n  curl -s {url}{path} -H 'content-type: application/json' -d \"{body}\"");
    }
    if settings.operations.docs {
        let _ = writeln!(text, "API documentation: {url}/docs");
    }
    let _ = write!(text, "Users: admin, manager, cashier (each @example.com). Devices: P01, P02, PDA1, OFFICE.");
    if size == ShopSize::Full {
        let _ = write!(
            text,
            " There are twelve more users and ten more devices (P03 to P12). List them with: {}",
            settings.command("user list")
        );
    }
    text
}
