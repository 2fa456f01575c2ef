//! The commands `device`, `role` and `store`.

use serde_json::json;
use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, TestInstallation};

tillgate_testkit::on_both_databases!(
    devices_are_added_set_and_locked,
    roles_are_changed_and_deleted_only_if_unused,
    stores_are_opened_renamed_and_closed
);

fn devices_are_added_set_and_locked(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    let add =
        ["device", "add", "P01", "--env", "pda", "--role", "cashier", "--setting", "stock=S01", "--password", "--json"];
    let added = home.run_ok_with(&add, PASSWORD).json();
    assert_eq!((&added["environment"], &added["status"]), (&json!("PDA"), &json!("active")));
    let set =
        home.run_ok(&["device", "set", "P01", "--setting", "stock=", "--setting", "fiscal=eKasa", "--json"]).json();
    assert_eq!(set["settings"], json!({ "fiscal": "eKasa" }));
    home.run_ok_with(&["device", "password", "P01"], PASSWORD);
    home.run_ok(&["device", "unlock", "P01"]);
    home.run_ok(&["device", "status", "P01", "locked"]);
    let error = home.run_refused(&["device", "status", "P01", "retired"], 2);
    assert!(
        error.contains("This permanently retires the device \"P01\" and ends 0 sessions. Nothing was done"),
        "{error}"
    );
    home.run_ok(&["device", "status", "P01", "retired", "--yes"]);
    assert!(
        home.run_refused(&["device", "status", "P01", "active"], 1).contains("\"retired\" cannot become \"active\"")
    );
    assert_eq!(home.run_ok(&["device", "list", "--all", "--json"]).json()[0]["status"], "retired");
    home.run_ok(&["device", "add", "p01", "--env", "Tool"]);
    assert!(home.run_refused(&["device", "add", "P01", "--env", "Tool"], 1).contains("name: \"P01\" is taken"));
    let set = ["device", "set", "P01", "--rename", "K01", "--env", "BackOffice", "--role", "cashier", "--json"];
    let set = home.run_ok(&set).json();
    assert_eq!(
        (&set["name"], &set["environment"], &set["roles"]),
        (&json!("K01"), &json!("BackOffice"), &json!(["cashier"]))
    );
    assert_eq!(home.run_ok(&["device", "set", "K01", "--no-role", "--json"]).json()["roles"], json!([]));
    home.run_ok_with(&["device", "password", "K01"], PASSWORD);
    assert!(home.run_ok(&["device", "password", "K01", "--remove"]).out.contains("has no password"));
    assert!(home.run_ok(&["device", "password", "K01", "--remove"]).out.contains("had no password"));
    assert_eq!(home.run_ok(&["device", "show", "K01", "--json"]).json()["status"], "active");
    assert!(home.run_refused(&["device", "show", "P09"], 1).contains("no device \"P09\""));
}

#[test]
fn roles_are_added_and_listed() {
    let home = TestInstallation::new().with_admin();
    let slip = ["role", "add", "night", "--right", "ticketClos", "--env", "PDA"];
    let error = home.run_refused(&slip, 2);
    assert!(error.contains("no right \"ticketClos\"; did you mean \"ticketClose\"?"), "{error}");
    let own = ["role", "add", "own", "--right", "drawerOpen", "--new-right", "ticketClos", "--env", "PDA", "--json"];
    assert_eq!(home.run_ok(&own).json()["rights"], json!(["drawerOpen", "ticketClos"]));
    home.run_ok(&["role", "delete", "own"]);
    let role = home.run_ok(&["role", "add", "night", "--right", "storno", "--env", "PDA", "--json"]).json();
    assert_eq!(role["rights"], json!(["storno"]));
    assert!(home.run_refused(&["role", "add", "NIGHT", "--right", "storno", "--env", "PDA"], 1).contains("is taken"));
    let names: Vec<_> = home
        .run_ok(&["role", "list", "--json"])
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].clone())
        .collect();
    assert_eq!(names.len(), 4);
    assert!(names.contains(&json!("admin")) && names.contains(&json!("night")));
}

fn roles_are_changed_and_deleted_only_if_unused(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["role", "add", "night", "--right", "storno", "--env", "PDA"]);
    let line = ["role", "set", "night", "--rename", "late", "--right", "ticketClose", "--env", "Tool", "--json"];
    let role = home.run_ok(&line).json();
    assert_eq!(
        (&role["name"], &role["rights"], &role["environments"]),
        (&json!("late"), &json!(["ticketClose"]), &json!(["Tool"]))
    );
    assert!(home.run_refused(&["role", "set", "late"], 2).contains("--right"));
    assert!(home.run_refused(&["role", "set", "night", "--label", "x"], 1).contains("no role \"night\""));
    assert!(home.run_refused(&["role", "set", "cashier", "--label", "x"], 1).contains("built in"));
    assert!(home.run_refused(&["role", "delete", "admin"], 1).contains("built in"));
    home.run_ok_with(&["user", "add", "Eva", "--role", "late"], PASSWORD);
    assert!(home.run_refused(&["role", "delete", "late"], 1).contains("user Eva"));
    home.run_ok(&["user", "roles", "Eva", "--role", "cashier"]);
    home.run_ok(&["role", "delete", "LATE"]);
    assert_eq!(home.run_ok(&["role", "list", "--json"]).json().as_array().unwrap().len(), 3);
}

fn stores_are_opened_renamed_and_closed(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    let names = || {
        let listed = home.run_ok(&["store", "list", "--json"]).json();
        listed.as_array().unwrap().iter().map(|store| store["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(home.run_refused(&["store", "close", "Main store", "--yes"], 1).contains("the last store"));
    let id = home.run_ok(&["store", "add", "Stanica", "--json"]).json()["id"].as_str().unwrap().to_owned();
    assert!(home.run_refused(&["store", "add", "STANICA"], 1).contains("is taken"));
    home.run_ok(&["store", "rename", "stanica", "Letisko"]);
    let zone = |name: &str| home.run_ok(&["store", "zone", "letisko", name, "--json"]).json()["zone"].clone();
    assert_eq!((zone("Asia/Jakarta"), zone("none")), (json!("Asia/Jakarta"), json!(null)));
    assert!(home.run_refused(&["store", "zone", "letisko", "Nowhere"], 2).contains("unknown time zone"));
    assert_eq!(names(), ["Main store", "Letisko"]);
    let added = home.run_ok(&["device", "add", "P01", "--env", "PDA", "--store", "letisko", "--json"]).json();
    assert_eq!(added["store"], json!({ "id": id, "name": "Letisko", "zone": null }));
    let listed = |store: &str| home.run_ok(&["device", "list", "--store", store, "--json"]).json();
    assert_eq!((listed("Letisko")[0]["name"].clone(), listed("Main store")), (json!("P01"), json!([])));
    assert!(home.run_ok(&["device", "show", "P01"]).out.contains("store:       Letisko"));
    let refused = home.run_refused(&["store", "close", "Letisko", "--yes"], 1);
    assert!(refused.contains("the store has 1 device; move or retire it first"), "{refused}");
    assert!(home.run_refused(&["device", "set", "P01", "--store", "x"], 1).contains("there is no store \"x\""));
    home.run_ok(&["device", "set", "P01", "--store", "main store"]);
    home.run_ok(&["device", "set", "P01", "--no-store"]);
    assert!(home.run_ok(&["device", "show", "P01"]).out.contains("store:       none"));
    home.run_ok(&["store", "close", "Main store", "--yes"]);
    assert!(home.run_refused(&["store", "close", &id, "--yes"], 1).contains("the last store"));
    assert!(home.run_refused(&["store", "rename", "Main store", "x"], 1).contains("no store \"Main store\""));
    assert_eq!(names(), ["Letisko"]);
}
