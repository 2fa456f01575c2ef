//! The filters of the commands that list, and what they say of a name that does not exist.

use serde_json::{Value, json};
use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, TestInstallation};

tillgate_testkit::on_both_databases!(
    users_and_devices_are_filtered,
    audit_events_are_filtered_by_subject_and_text,
    one_error_names_every_wrong_argument
);

/// A member of every object that a command lists.
fn list(home: &TestInstallation, line: &[&str], member: &str) -> Vec<String> {
    let listed = home.run_ok(&[line, &["--json"]].concat()).json();
    let of = |each: &Value| each[member].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(of).collect()
}

fn users_and_devices_are_filtered(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["store", "add", "Station"]);
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister", "--store", "Station"]);
    home.run_ok(&["device", "add", "P02", "--env", "CashRegister"]);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    home.run_ok_with(&["user", "add", "jana", "--role", "manager", "--on", "P02="], PASSWORD);
    let users = |filters: &[&str]| list(&home, &[&["user", "list"], filters].concat(), "user_name");
    assert_eq!(users(&["--role", "cashier"]), ["anna"], "a role on a device");
    assert_eq!(users(&["--role", "Manager"]), ["jana"]);
    assert_eq!(users(&["--store", "station"]), ["anna"]);
    assert_eq!(users(&["--store", "Main store"]), [""; 0]);
    assert_eq!(users(&["--store", "Station", "--role", "manager"]), [""; 0]);
    home.run_ok(&["user", "status", "anna", "deleted", "--yes"]);
    assert_eq!(users(&[]), ["admin", "jana"]);
    assert_eq!(users(&["--all", "--search", "an"]), ["anna", "jana"]);
    let refused = home.run_refused(&["user", "list", "--role", "cashir"], 1);
    assert!(refused.contains("there is no role \"cashir\"; did you mean \"cashier\"?"), "{refused}");
    let refused = home.run_refused(&["user", "list", "--store", "Staton"], 1);
    assert!(refused.contains("there is no store \"Staton\"; did you mean \"Station\"?"), "{refused}");

    let devices = |filters: &[&str]| list(&home, &[&["device", "list"], filters].concat(), "name");
    home.run_ok(&["device", "status", "P02", "retired", "--yes"]);
    assert_eq!((devices(&[]), devices(&["--all"])), (vec!["P01".to_owned()], vec!["P01".to_owned(), "P02".to_owned()]));
    assert_eq!(devices(&["--status", "retired"]), ["P02"]);
    let limited = home.run_ok(&["device", "list", "--all", "--limit", "1"]);
    assert!(limited.err.contains("1 more row omitted") && limited.out.lines().count() == 2, "{}", limited.out);
}

fn audit_events_are_filtered_by_subject_and_text(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["store", "add", "Station"]);
    home.run_ok(&["device", "add", "anna", "--env", "Tool", "--store", "Station"]);
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok_with(&["user", "add", "anna"], PASSWORD);
    home.run_ok(&["user", "set", "anna", "--display-name", "Anna K."]);
    let actions = |filters: &[&str]| list(&home, &[&["audit", "list"], filters].concat(), "action");
    assert_eq!(actions(&["--subject", "ANNA", "--subject-kind", "user"]), ["user.update", "user.add"]);
    assert_eq!(actions(&["--subject", "anna", "--subject-kind", "device"]), ["device.add"]);
    assert_eq!(actions(&["--subject", "p01"]), ["device.add"]);
    assert_eq!(actions(&["--subject-kind", "store"]), ["store.add"]);
    assert_eq!(actions(&["--store", "Station"]), [""; 0], "nobody was on its devices");
    let id = home.run_ok(&["device", "show", "P01", "--json"]).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(actions(&["--subject", &id]), ["device.add"]);
    assert_eq!(actions(&["--search", "Device.ad"]), ["device.add", "device.add"]);
    let exported = home.run_ok(&["audit", "export", "--subject", "P01"]).out;
    assert!(exported.contains("device.add") && exported.lines().count() == 1, "{exported}");
    let refused = home.run_refused(&["audit", "list", "--subject", "anna"], 2);
    assert!(refused.contains("add --subject-kind user or device, or use the id"), "{refused}");
    let refused = home.run_refused(&["audit", "list", "--subject", "P02"], 1);
    assert!(refused.contains("there is no subject with the name \"P02\"; did you mean \"P01\"?"), "{refused}");
}

#[test]
fn roles_stores_and_api_keys_are_filtered() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["role", "add", "night", "--right", "storno", "--env", "PDA", "--description", "after ten"]);
    assert_eq!(list(&home, &["role", "list", "--search", "TEN"], "name"), ["night"]);
    assert_eq!(list(&home, &["role", "list", "--built-in", "false"], "name"), ["night"]);
    assert_eq!(list(&home, &["role", "list", "--built-in", "true", "--search", "man"], "name"), ["manager"]);
    home.run_ok(&["store", "add", "Station"]);
    assert_eq!(list(&home, &["store", "list", "--search", "stat"], "name"), ["Station"]);

    for name in ["P01", "P02"] {
        home.run_ok(&["device", "add", name, "--env", "CashRegister"]);
    }
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=night", "--on", "P02=night"], PASSWORD);
    home.start(&["serve"]).wait_until_ready();
    let add = |name: &'static str, device: &'static str| {
        let line = ["api-key", "add", name, "--user", "anna", "--device", device, "--right", "storno", "--json"];
        home.run_ok(&line).json()["id"].as_str().unwrap().to_owned()
    };
    let (first, _) = (add("sync", "P01"), add("till", "P02"));
    home.run_ok(&["api-key", "status", &first, "revoked"]);
    let keys = |filters: &[&str]| list(&home, &[&["api-key", "list"], filters].concat(), "name");
    assert_eq!(keys(&["--user", "anna"]), ["sync", "till"]);
    assert_eq!((keys(&["--device", "P02"]), keys(&["--user", "admin"])), (vec!["till".to_owned()], Vec::new()));
    assert_eq!(
        (keys(&["--status", "revoked"]), keys(&["--status", "active"])),
        (vec!["sync".into()], vec!["till".into()])
    );
}

#[test]
fn lists_end_at_their_limit_and_say_so() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["tenant", "add", "bakery"]);
    home.run_ok(&["store", "add", "Station"]);
    home.start(&["serve"]).wait_until_ready();
    for name in ["P01", "P02"] {
        home.run_ok(&["device", "add", name, "--env", "CashRegister"]);
        home.run_ok(&["user", "roles", "admin", "--on", &format!("{name}=cashier")]);
        home.run_ok(&["api-key", "add", name, "--user", "admin", "--device", name, "--right", "ticketClose"]);
    }
    for kind in ["tenant", "store", "role", "api-key", "keys", "user", "device", "session"] {
        let list = |limit: &[&str]| home.run_ok(&[&[kind, "list"], limit].concat());
        let all = list(&[]);
        let rows = all.out.lines().count() - 1;
        assert_eq!(all.err, "", "{kind}");
        let first = list(&["--limit", "1"]);
        let shown: Vec<&str> = all.out.lines().take(2).map(|line| line.split("  ").next().unwrap()).collect();
        assert_eq!(first.out.lines().map(|line| line.split("  ").next().unwrap()).collect::<Vec<_>>(), shown, "{kind}");
        let omitted = match rows.saturating_sub(1) {
            0 => String::new(),
            1 => "1 more row omitted by --limit\n".to_owned(),
            number => format!("{number} more rows omitted by --limit\n"),
        };
        assert_eq!(first.err, omitted, "{kind}");
        assert!(rows > 1 || ["user", "session"].contains(&kind), "{kind}: {}", all.out);
        assert_eq!(list(&["--limit", "1", "--json"]).json().as_array().unwrap().len(), rows.min(1), "{kind}");
        assert!(home.run_refused(&[kind, "list", "--limit", "0"], 2).contains("a whole number from 1"), "{kind}");
    }
}

#[test]
fn rights_are_listed_with_the_roles_that_grant_them() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["role", "add", "own", "--right", "drawerOpen", "--env", "PDA"]);
    let rights = home.run_ok(&["role", "rights", "--json"]).json();
    let roles_with = |name: &str| {
        let found = rights.as_array().unwrap().iter().find(|right| right["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {rights}"))["roles"].clone()
    };
    assert_eq!((roles_with("drawerOpen"), roles_with("tenantUpdate")), (json!(["admin", "own"]), json!(["admin"])));
    assert!(home.run_ok(&["role", "rights"]).out.lines().any(|line| line.starts_with("ticketClose ")));
}

#[test]
fn unknown_names_are_answered_with_similar_ones() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["tenant", "add", "bakery"]);
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    home.run_ok(&["role", "add", "night", "--right", "drawerOpen", "--env", "CashRegister"]);
    let key = |user: &'static str, device: &'static str, right: &'static str| {
        vec!["api-key", "add", "sync", "--user", user, "--device", device, "--right", right]
    };
    for (line, code, near) in [
        (vec!["user", "list", "--tenant", "bakry"], 1, "there is no tenant \"bakry\"; did you mean \"bakery\"?"),
        (vec!["user", "roles", "anna", "--off", "P02"], 1, "there is no device \"P02\"; did you mean \"P01\"?"),
        (key("ana", "P01", "storno"), 1, "there is no user \"ana\"; did you mean \"anna\"?"),
        (key("anna", "P02", "storno"), 1, "there is no device \"P02\"; did you mean \"P01\"?"),
        (key("anna", "P01", "stornos"), 2, "no role grants the right \"stornos\"; did you mean \"storno\"?"),
        (key("anna", "P01", "drawerOpn"), 2, "did you mean \"drawerOpen\"?"),
        // no name is similar
        (vec!["user", "show", "boss"], 1, "there is no user \"boss\"; `tillgate user list` shows the users"),
        (vec!["device", "show", "x"], 1, "there is no device \"x\"; `tillgate device list` shows the devices"),
        (vec!["role", "delete", "boss"], 1, "there is no role \"boss\"; `tillgate role list` shows the roles"),
        (vec!["store", "close", "x"], 1, "there is no store \"x\"; `tillgate store list` shows the stores"),
        (
            vec!["user", "list", "--tenant", "x"],
            1,
            "there is no tenant \"x\"; `tillgate tenant list` shows the tenants",
        ),
    ] {
        let refused = home.run_refused(&line, code);
        assert!(refused.contains(near), "{line:?}: {refused}");
    }
    let noted = home.run_ok(&["session", "list", "--mount", "natve"]).err;
    assert!(noted.contains("no mount is named \"natve\"; did you mean \"native\"?"), "{noted}");
    assert_eq!(home.run_ok(&["session", "list", "--mount", "native"]).err, "");
}

/// Runs commands with several wrong arguments. None of them changes anything.
fn one_error_names_every_wrong_argument(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok_with(&["user", "add", "anna", "--role", "cashier", "--on", "P01=cashier"], PASSWORD);
    home.run_ok(&["role", "add", "night", "--right", "storno", "--env", "PDA"]);
    let dump = || {
        let lists = [&["user", "list", "--json"], &["device", "list", "--json"], &["role", "list", "--json"]];
        lists.map(|line| home.run_ok(line).json())
    };
    let before = dump();
    let (user, device, store) = ("there is no user", "there is no device \"P02\"", "there is no store \"x\"");
    let (role, right, other) = ("there is no role \"cashir\"", "no right \"ticketClos\"", "no right \"storn\"");
    let time = "\"soon\" is not a time";
    let on = ["--role", "boss", "--on", "P02=cashir", "--on", "P03=cashir"];
    for (line, code, named) in [
        (&["user", "add", "eva"][..], 1, &["role \"boss\"", role, device, "device \"P03\""][..]),
        (&["user", "roles", "eva", "--off", "P04"], 1, &[user, "role \"boss\"", role, device, "device \"P04\""]),
        (
            &["device", "add", "P05", "--env", "Tool", "--store", "x", "--role", "boss", "--role", "cashir"],
            1,
            &[store, role, "\"boss\""],
        ),
        (&["device", "set", "P02", "--store", "x", "--role", "cashir"], 1, &[device, store, role]),
        (&["role", "add", "late", "--right", "ticketClos", "--right", "storn", "--env", "PDA"], 2, &[right, other]),
        (&["role", "set", "nigt", "--right", "ticketClos", "--right", "storn"], 1, &["role \"nigt\"", right, other]),
        (
            &[
                "api-key",
                "add",
                "x",
                "--user",
                "eva",
                "--device",
                "P02",
                "--right",
                "ticketClos",
                "--right",
                "storn",
                "--expires-at",
                "soon",
            ],
            1,
            &[user, device, "the right \"ticketClos\"", "the right \"storn\"", time],
        ),
        (&["api-key", "list", "--user", "eva", "--device", "P02"], 1, &[user, device]),
        (&["user", "list", "--role", "cashir", "--store", "x"], 1, &[role, store]),
        (&["session", "list", "--user", "eva", "--device", "P02", "--store", "x"], 1, &[user, device, store]),
        (
            &["ticket", "list", "--user", "eva", "--device", "P02", "--store", "x", "--from", "soon"],
            1,
            &[user, device, store, time],
        ),
        (
            &["audit", "list", "--user", "eva", "--store", "x", "--subject", "nobody", "--until", "soon"],
            1,
            &[user, store, "\"nobody\"", time],
        ),
        (&["ticket", "list", "--from", "soon", "--until", "late"], 2, &[time, "\"late\" is not a time"]),
    ] {
        let line = if line[0] == "user" && line[1] != "list" { [line, &on].concat() } else { line.to_vec() };
        let refused = home.run_refused(&line, code);
        for each in named {
            assert_eq!(refused.matches(each).count(), 1, "{line:?} {each}: {refused}");
        }
    }
    assert_eq!(dump(), before);
}
