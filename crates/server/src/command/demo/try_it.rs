//! What the demo prints: its accounts, and what to try first.

use std::fmt::Write;

use super::passwords::{self, DemoCredential, PasswordDelivery};
use crate::command::confirmation::count_text;
use crate::configuration::Settings;

/// How many of each kind there are: `3 users and 4 devices`.
fn accounts_text(made: &[DemoCredential]) -> String {
    let devices = made.iter().filter(|(account, _)| account.environment.is_some()).count();
    format!("{} and {}", count_text(made.len() - devices, "user"), count_text(devices, "device"))
}

/// The text for whoever started the demo.
pub(super) fn instructions(
    settings: &Settings,
    url: &str,
    telling: PasswordDelivery,
    made: &[DemoCredential],
) -> String {
    let mut text = String::new();
    let file = passwords::password_file(&settings.server.data);
    let password = match (telling, made.is_empty()) {
        (PasswordDelivery::Chosen, _) => "PASSWORD='the password that you gave'".to_owned(),
        (PasswordDelivery::File, _) => format!("PASSWORD=$(sed -n 's/^cashier: //p' '{}')", file.display()),
        (PasswordDelivery::Terminal, _) => "PASSWORD='the cashier'\\''s password'".to_owned(),
    };
    // a text in memory takes every line
    let _ = match (telling, made.is_empty()) {
        (_, true) => writeln!(text, "The demo is as it was; its accounts have the passwords that they had."),
        (PasswordDelivery::Chosen, false) => {
            writeln!(text, "Made {}, all with the password that you gave.", accounts_text(made))
        }
        (PasswordDelivery::File, false) => {
            writeln!(text, "Made {}; their passwords are in {}.", accounts_text(made), file.display())
        }
        (PasswordDelivery::Terminal, false) => {
            let lines = made.iter().map(|(account, password)| format!("  {:8} {}\n", account.name, password.expose()));
            write!(text, "These passwords are shown this once:\n{}", lines.collect::<String>())
        }
    };
    let prefix = &settings.native.prefix;
    let mut calls = vec![(
        "a cashier logs in on the till P01",
        format!("{prefix}/sessions"),
        r#"{\"login\":\"cashier\",\"device\":\"P01\",\"password\":\"$PASSWORD\"}"#,
    )];
    if let Some(portos) = settings.mounts.iter().find(|mount| mount.dialect == "portos" && mount.host.is_none()) {
        let body = r#"{\"UserName\":\"cashier\",\"DeviceName\":\"P01\",\"Password\":\"$PASSWORD\"}"#;
        calls.push(("the same as a PORTOS till", format!("{}/api/auth", portos.prefix), body));
    }
    let _ = writeln!(text, "Try:\n  {password}");
    for (what, path, body) in calls {
        let _ = writeln!(text, "  # {what}\n  curl -s {url}{path} -H 'content-type: application/json' -d \"{body}\"");
    }
    if settings.operations.docs {
        let _ = writeln!(text, "Look at it: {url}/docs");
    }
    let _ = write!(text, "Users: admin, manager, cashier (each @example.com). Devices: P01, P02, PDA1, OFFICE.");
    text
}
