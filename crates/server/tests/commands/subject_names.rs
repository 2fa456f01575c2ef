//! The command `audit list`.

use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, TestInstallation};

tillgate_testkit::on_both_databases!(audit_list_shows_the_names_of_subjects);

fn audit_list_shows_the_names_of_subjects(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok(&["role", "add", "night", "--right", "storno", "--env", "PDA"]);
    home.run_ok(&["store", "add", "Station"]);
    home.run_ok(&["tenant", "set", "--locale", "sk-SK"]);
    home.run_ok_with(&["user", "add", "anna"], PASSWORD);
    home.run_ok(&["user", "set", "anna", "--rename", "jana"]);
    home.run_ok(&["user", "status", "jana", "deleted", "--yes"]);
    home.run_ok(&["user", "roles", "admin", "--on", "P01=cashier"]);
    home.run_ok(&["api-key", "add", "sync", "--user", "admin", "--device", "P01"]);
    let listed = home.run_ok(&["audit", "list"]).out;
    // the cells of a row are separated by two spaces or more
    let cells =
        |line: &str| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).map(str::to_owned).collect();
    let rows: Vec<Vec<String>> = listed.lines().map(cells).collect();
    let subjects =
        |action: &str| -> Vec<&str> { rows.iter().filter(|row| row[3] == action).map(|row| row[4].as_str()).collect() };
    assert_eq!(subjects("ACTION"), ["SUBJECT"]);
    assert_eq!(subjects("device.add"), ["device P01"]);
    assert_eq!(subjects("role.add"), ["role night"]);
    assert_eq!(subjects("store.add"), ["store Station"]);
    assert_eq!(subjects("tenant.update"), ["tenant default"]);
    assert_eq!(subjects("user.delete"), ["user jana"]);
    assert_eq!(subjects("user.add"), ["user jana", "user admin"], "names are the current ones");
    let key = home.run_ok(&["api-key", "list", "--json"]).json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(subjects("api_key.add"), [format!("api_key {key}")]);
}
