use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn parse_cli(text: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("tillgate").chain(text.split_whitespace()))
}

#[test]
fn command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_published_form_is_parsed() {
    for text in [
        "serve",
        "serve --listen 0.0.0.0:80 --behind-proxy 10.0.0.0/8 --behind-proxy fd00::/8 --data /srv --database \
         postgres://h/d --config c.toml",
        "demo",
        "demo --password correct-horse --yes --listen 127.0.0.1:0",
        "demo --small",
        "demo --alive",
        "demo --alive=20",
        "migrate",
        "migrate --check",
        "user add anna --email anna@example.com --display-name Anna --role cashier --role manager --on \
         P01=cashier,manager --on P02=",
        "user list --json",
        "user list --search ann --status suspended --limit 5 --all",
        "user list --role cashier --store Station",
        "user show anna",
        "user set anna --rename ann --no-email --display-name Ann",
        "user add anna --generate",
        "user password anna --generate passwords.txt",
        "user password anna --generate passwords.txt --no-must-change-password",
        "user password anna --must-change-password",
        "user add anna --must-change-password",
        "user set anna --no-must-change-password",
        "user status anna suspended",
        "user password anna --tenant corner-shop",
        "user unlock anna",
        "user pin anna",
        "user pin anna --output pins.txt",
        "user pin anna --remove --json",
        "user invite anna --mail --json",
        "address unlock 203.0.113.7",
        "address unlock 2001:db8::/48 --json",
        "user roles anna --role cashier --on P01=cashier --off P02",
        "device add P01 --env CashRegister --description door --role cashier --setting stock=S01 --password",
        "device list",
        "device list --search door --status active --env pda --limit 3",
        "device list --store Station --all",
        "device status P01 locked",
        "device password P01",
        "device unlock P01",
        "device set P01 --description window --setting stock= --role cashier",
        "role add night --right storno --right ticketClose --env PDA --env Tool",
        "role list",
        "role list --search night --built-in false",
        "role rights --json",
        "role list --limit 2",
        "store list --search stat --limit 2",
        "ticket list --state closed --store Station --from 2026-11-21 --until 2026-11-22 --number 7",
        "ticket list --refund true --refund-of 018f3b3e-0000-7000-8000-000000000000",
        "session list",
        "session list --all --user anna --device P01 --limit 3",
        "manual ./pages",
        "session end 018f3b3e-0000-7000-8000-000000000000",
        "session end --user anna",
        "session end --device P01",
        "token generate --user anna --device P01",
        "device enroll P01 --lifetime 1h --replace --json",
        "device enroll --all --store Station --lifetime 7d --output codes.csv",
        "device enroll --all --output codes.txt --bom",
        "device enroll P01 --confirm",
        "device accept KQLZ-SGBV --device P01 --fingerprint 4712 --replace --json",
        "device deny KQLZ-SGBV",
        "api-key add till-sync --user anna --device P01",
        "api-key add window --user anna --device P01 --description night --right ticketClose --right storno --json",
        "access check GET /api/v1/products --mount kasir --role cashier --right ticketClose --json",
        "api-key list",
        "api-key list --user anna --device P01 --status revoked --limit 2",
        "api-key status 018f3b3e-0000-7000-8000-000000000000 revoked",
        "audit list --user anna --device P01 --outcome refused --limit 9",
        "audit list --subject anna --subject-kind user --store Station --search wrong",
        "audit export --format csv --from 2026-11-01 --until 2026-11-30T08:00:00Z --action login --action user.add \
         --output a.csv",
        "audit export --format csv --bom --output a.txt",
        "audit export --format csv --bom=false --output a.csv",
        "audit export --all-tenants --json",
        "audit verify --seal kept.json --json",
        "keys list",
        "keys list --limit 2",
        "tenant list --limit 2",
        "user password anna --keys --yes",
        "keys rotate",
        "keys rotate --now",
        "keys recreate --yes",
        "mail test anna@example.com --json",
        "keys revoke 018f3b3e-0000-7000-8000-000000000000 --yes",
        "backup copy.db",
        "doctor",
        "doctor --accept-clock",
        "doctor --restored",
        "--json --data /srv user list",
    ] {
        if let Err(error) = parse_cli(text) {
            panic!("{text}: {error}");
        }
    }
}

#[test]
fn invalid_command_lines_are_refused() {
    for text in [
        "sevre",
        "user add",
        "user add anna@example.com",
        "user add anna --email anna",
        "user add anna --on P01",
        "user status anna pending",
        "user status anna gone",
        "device add P01",
        "device add P01 --env till",
        "device status P01 broken",
        "device enroll",
        "device enroll P01 --lifetime soon",
        "device enroll P01 --output codes.csv",
        "device enroll P01 --bom",
        "device enroll P01 --all --output codes.csv",
        "device enroll --all",
        "device accept KQLZ-SGBV --fingerprint 4712",
        "device accept KQLZ-SGBV --device P01",
        "device deny",
        "device enroll P01 --store Station",
        "device add P01 --env PDA --setting stock",
        "role add night --right storno",
        "role add night --env PDA",
        "role add night --right Storno --env PDA",
        "session end",
        "session end --user anna --device P01",
        "session end 018f3b3e-0000-7000-8000-000000000000 --user anna",
        "session end nobody",
        "api-key add window --user anna",
        "api-key add --user anna --device P01",
        "api-key add window --user anna --device P01 --right Storno",
        "api-key status 018f3b3e-0000-7000-8000-000000000000 locked",
        "api-key status window revoked",
        "audit list --action fly",
        "audit list --outcome maybe",
        "audit list --subject-kind person",
        "ticket list --number seven",
        "audit export --format xml",
        "audit verify all",
        "keys revoke",
        "mail test anna",
        "backup",
        "user list --tenant No_Slug",
        "user add anna --password secret123",
    ] {
        let refused = parse_cli(text).map(|_| ()).expect_err(text);
        assert_eq!(refused.exit_code(), 2, "{text}");
    }
}

#[test]
fn every_command_has_a_valid_example() {
    fn check(parent: &str, command: &clap::Command) {
        let name = format!("{parent}{}", command.get_name());
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (_, example) = help.split_once("Example:\n  tillgate ").unwrap_or_else(|| panic!("{name} has none"));
        assert!(example.starts_with(&name), "the example of {name} is of another command: {example}");
        let example = example.split(" > ").next().unwrap().replace("\"Shop 3\"", "Shop3");
        if let Err(error) = parse_cli(&example) {
            panic!("{example}: {error}");
        }
        command.get_subcommands().for_each(|each| check(&format!("{name} "), each));
    }
    Cli::command().get_subcommands().for_each(|command| check("", command));
}

#[test]
fn invalid_id_is_explained() {
    for (text, list) in [
        ("session end abc", "session list"),
        ("audit list --session abc", "session list --all"),
        ("api-key status abc revoked", "api-key list"),
        ("api-key rotate abc", "api-key list"),
        ("api-key expire abc never", "api-key list"),
        ("keys revoke abc", "keys list"),
        ("ticket show abc", "ticket list"),
    ] {
        let error = parse_cli(text).map(|_| ()).expect_err(text).to_string();
        assert!(error.contains(&format!("not an id; `tillgate {list}` shows the ids")), "{text}: {error}");
        assert!(parse_cli(list).is_ok(), "{list}");
    }
}

#[test]
fn usage_error_is_summarized_in_one_line() {
    let summary = |text: &str| summarize_usage_error(&parse_cli(text).map(|_| ()).expect_err(text));
    assert_eq!(summary("user lst"), "unrecognized subcommand 'lst' tip: a similar subcommand exists: 'list'");
    assert_eq!(summary("user add"), "the following required arguments were not provided: <NAME>");
    let error = summary("session end abc");
    assert_eq!(error, "invalid value 'abc' for '[ID]': not an id; `tillgate session list` shows the ids");
}

#[test]
fn global_options_have_their_own_heading() {
    let shown = parse_cli("user add --help").map(|_| ()).unwrap_err().to_string();
    let (own, global) = shown.split_once("Global options:").unwrap();
    for name in ["--data", "--database", "--config", "--tenant", "--json"] {
        assert!(global.contains(name) && !own.contains(name), "{name}: {shown}");
    }
    assert!(own.contains("--generate") && global.contains("TILLGATE_DATABASE__URL"), "{shown}");
}

#[test]
fn help_and_version_are_no_error() {
    for (text, kind) in [("--help", ErrorKind::DisplayHelp), ("--version", ErrorKind::DisplayVersion)] {
        let shown = parse_cli(text).map(|_| ()).unwrap_err();
        assert_eq!((shown.kind(), shown.exit_code()), (kind, 0));
    }
}

#[test]
fn missing_features_are_not_offered() {
    let names: Vec<String> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(
        names,
        [
            "serve",
            "setup-token",
            "demo",
            "init",
            "migrate",
            "user",
            "device",
            "role",
            "tenant",
            "store",
            "session",
            "address",
            "ticket",
            "token",
            "api-key",
            "access",
            "audit",
            "keys",
            "mail",
            "sweep",
            "backup",
            "doctor",
            "completions",
            "version",
            "manual",
        ]
        .map(str::to_owned)
    );
}
