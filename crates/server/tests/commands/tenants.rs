//! The command `tenant`.

use serde_json::json;
use tillgate_testkit::DatabaseEngine;

use crate::program::TestInstallation;

tillgate_testkit::on_both_databases!(tenants_are_added_listed_and_limit_their_sessions);

fn tenants_are_added_listed_and_limit_their_sessions(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    let added =
        home.run_ok(&["tenant", "add", "bakery", "--zone", "Asia/Jakarta", "--store", "Pasar", "--json"]).json();
    assert_eq!((&added["name"], &added["stores"]), (&json!("bakery"), &json!(["Pasar"])));
    assert!(home.run_refused(&["tenant", "add", "bakery"], 1).contains("slug: \"bakery\" is taken"));
    assert_eq!(home.run_ok(&["tenant", "list", "--json"]).json().as_array().unwrap().len(), 2);
    assert!(home.run_ok(&["tenant", "list"]).out.contains("Asia/Jakarta"));
    let set = ["tenant", "set", "--tenant", "bakery", "--access", "5m", "--idle", "12h", "--json"];
    let limits = home.run_ok(&set).json()["limits"].clone();
    assert_eq!(limits, json!({ "access": 300, "idle": 43200, "absolute": null, "overlap": null }));
    let none = ["tenant", "set", "--tenant", "bakery", "--access", "none", "--json"];
    assert_eq!(home.run_ok(&none).json()["limits"]["access"], json!(null));
    assert!(home.run_refused(&["tenant", "set", "--access", "1s"], 1).contains("--access must lie between 2m and 1d"));
    let long = home.run_refused(&["tenant", "set", "--idle", "31d", "--overlap", "6m"], 1);
    let longest = "the longest that the server's configuration gives";
    assert!(long.contains(&format!("--idle must lie between 5m and 30d, {longest}")), "{long}");
    assert!(long.contains(&format!("--overlap must lie between 30s and 5m, {longest}")), "{long}");
    assert!(
        home.run_refused(&["tenant", "set", "--tenant", "bakery", "--overlap", "3m"], 1).contains("between 30s and 2m")
    );
    home.run_refused(&["tenant", "set", "--access", "soon"], 2);
    assert_eq!(home.run_ok(&["tenant", "show", "--json"]).json()["limits"]["idle"], json!(null), "another tenant");
    assert_eq!(home.run_ok(&["role", "list", "--tenant", "bakery", "--json"]).json().as_array().unwrap().len(), 3);
}

#[test]
fn tenant_accent_color_is_set_and_removed() {
    let home = TestInstallation::new().with_admin();
    for (given, kept) in [("#7C2D12", json!("#7c2d12")), ("none", json!(null))] {
        let after = home.run_ok(&["tenant", "set", "--accent-color", given, "--json"]).json();
        assert_eq!(after["accent_color"], kept);
        assert_eq!(home.run_ok(&["tenant", "show", "--json"]).json(), after);
        assert_eq!(home.run_ok(&["tenant", "show"]).out.contains("#7c2d12"), !kept.is_null());
    }
}

#[test]
fn tenant_is_shown_with_a_label_on_each_line() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["store", "add", "Station"]);
    let set = home.run_ok(&["tenant", "set", "--access", "5m", "--machine-codes", "true", "--locale", "sk-SK"]).out;
    assert_eq!(set, "default: Default, UTC, sk-SK, access 5m\n");
    let document = home.run_ok(&["tenant", "show", "--json"]).json();
    let shown = home.run_ok(&["tenant", "show"]).out;
    let expected = format!(
        "slug:          default\n\
         name:          Default\n\
         zone:          UTC\n\
         language:      sk-SK\n\
         accent color:  the default\n\
         machine codes: accepted\n\
         stores:        Main store,Station\n\
         access:        at most 5m\n\
         idle:          that of the configuration\n\
         absolute:      that of the configuration\n\
         overlap:       that of the configuration\n\
         created:       {}\n\
         id:            {}\n",
        document["created_at"].as_str().unwrap(),
        document["id"].as_str().unwrap()
    );
    assert_eq!(shown, expected);
}

#[test]
fn tenant_zone_and_locale_are_set() {
    let home = TestInstallation::new().with_admin();
    let before = home.run_ok(&["tenant", "show", "--json"]).json();
    assert_eq!((&before["zone"], &before["locale"]), (&json!("UTC"), &json!("en")));
    let line = ["tenant", "set", "--zone", "Asia/Kuala_Lumpur", "--locale", "ms-MY", "--json"];
    let after = home.run_ok(&line).json();
    assert_eq!((&after["zone"], &after["locale"]), (&json!("Asia/Kuala_Lumpur"), &json!("ms-MY")));
    assert_eq!(after["name"], before["name"]);
    assert_eq!(home.run_ok(&["tenant", "show", "--json"]).json(), after);
    assert!(home.run_refused(&["tenant", "set"], 2).contains("--zone"));
    home.run_refused(&["tenant", "set", "--zone", "Mars/Olympus"], 2);
    assert!(home.run_refused(&["tenant", "set", "--accent-color", "#ffdd00"], 2).contains("must be darker"));
    home.run_refused(&["tenant", "set", "--name", " "], 1);
    assert_eq!(home.run_ok(&["tenant", "show", "--json"]).json(), after);
}
