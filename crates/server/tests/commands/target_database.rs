//! Commands that change data name their database on standard error.

use std::process::{Command, Stdio};

use crate::program::{PASSWORD, TestInstallation};

/// Runs a command in the folder of the installation, whose database is the default one there, and
/// returns its standard output and the line that names the database.
fn run_in_folder(home: &TestInstallation, line: &[&str], variables: &[(&str, &str)]) -> (String, Option<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tillgate"));
    command.args(line).current_dir(home.path("")).env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
    let output = command.output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{line:?}: {out}{err}");
    let note = err.lines().find(|line| line.starts_with("database: ")).map(str::to_owned);
    (out, note)
}

#[test]
fn database_that_nothing_selects_is_named() {
    let home = TestInstallation::new().with_database();
    let database = home.data().canonicalize().unwrap().join("tillgate.db");
    let note = Some(format!("database: {}", database.display()));
    let plain = run_in_folder(&home, &["sweep", "--data", "data"], &[]);
    assert_eq!(plain.1, None, "a flag selects it");
    assert_eq!(run_in_folder(&home, &["sweep"], &[]), (plain.0, note.clone()));
    assert_eq!(run_in_folder(&home, &["migrate"], &[]).1, note);
    for (line, variables) in [
        (&["sweep", "--json"][..], &[][..]),
        (&["store", "list"], &[]),
        (&["migrate", "--check"], &[]),
        (&["sweep", "--database", "sqlite:tillgate.db"], &[]),
        (&["sweep"], &[("TILLGATE_SERVER__DATA", "data")]),
        (&["sweep"], &[("TILLGATE_DATABASE__URL", "sqlite:tillgate.db")]),
    ] {
        assert_eq!(run_in_folder(&home, line, variables).1, None, "{line:?} {variables:?}");
    }
    let file = home.data().join("tillgate.toml");
    std::fs::write(&file, "[server]\ngrace = \"5s\"\n").unwrap();
    assert_eq!(run_in_folder(&home, &["sweep"], &[]).1, note, "the file does not select a database");
    std::fs::write(&file, "[database]\nurl = \"sqlite:tillgate.db\"\n").unwrap();
    assert_eq!(run_in_folder(&home, &["sweep"], &[]).1, None);
}

#[test]
#[ignore = "requires script"]
fn every_database_is_named_on_a_terminal() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    let note = format!("database: {}", home.data().join("tillgate.db").display());
    for line in [
        &["role", "add", "night", "--right", "storno", "--env", "PDA"][..],
        &["tenant", "add", "corner"],
        &["tenant", "set", "--zone", "UTC"],
        &["store", "add", "Station"],
        &["session", "end", "--user", "anna"],
        &["address", "unlock", "203.0.113.7"],
        &["api-key", "add", "Sync", "--user", "anna", "--device", "P01"],
        &["audit", "verify"],
        &["audit", "export"],
        &["keys", "rotate"],
        &["user", "status", "anna", "suspended"],
        &["device", "status", "P01", "locked"],
        &["migrate"],
        &["sweep"],
    ] {
        let changed = home.run_on_terminal(line, "");
        assert_eq!(changed.code, 0, "{line:?}: {}", changed.out);
        assert!(changed.out.contains(&note), "{line:?}: {}", changed.out);
    }
    for line in [
        &["user", "list"][..],
        &["user", "show", "admin"],
        &["device", "list"],
        &["device", "show", "P01"],
        &["role", "list"],
        &["tenant", "list"],
        &["tenant", "show"],
        &["store", "list"],
        &["session", "list"],
        &["api-key", "list"],
        &["ticket", "list"],
        &["audit", "list"],
        &["keys", "list"],
        &["migrate", "--check"],
        &["store", "add", "Harbor", "--json"],
    ] {
        let shown = home.run_on_terminal(line, "");
        assert_eq!(shown.code, 0, "{line:?}: {}", shown.out);
        assert!(!shown.out.contains("database: "), "{line:?}: {}", shown.out);
    }
}
