//! The server exports exactly the metrics that docs/operating.md lists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::json;
use tillgate_testkit::postgres;
use tillgate_tests::{DatabaseEngine, Installation, wait_until};

/// The names in the first column of the page's table.
fn documented_metrics() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.map(|row| row.split('`').next().unwrap().to_owned());
    names.filter(|name| ["tillgate_", "process_"].iter().any(|part| name.starts_with(part))).collect()
}

/// A metric that exists only if the server uses TLS; the test of certificates checks it.
const TLS_METRIC: &str = "tillgate_tls_certificate_expires_seconds";

#[test]
fn metrics_and_their_documentation_match() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let mut till = server.new_till().login("cashier", "P01");
    till.refresh().expect_status(200);
    till.post("/api/v1/sessions", &json!({"login": "nobody", "password": "not-the-password"})).expect_status(401);
    let text = server.read_metrics().expect_status(200).text().to_owned();
    let there: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split(['{', ' ']).next().unwrap())
        .map(|name| {
            ["_bucket", "_sum", "_count"].iter().fold(name, |name, part| name.trim_end_matches(part)).to_owned()
        })
        .collect();
    let build = text.lines().find(|line| line.starts_with("tillgate_build_info{")).unwrap();
    let commit = build.split_once("commit=\"").unwrap().1.split_once('"').unwrap().0;
    assert!(commit.chars().all(|digit| digit.is_ascii_hexdigit()), "a commit alone: {build}");
    let mut expected = documented_metrics();
    assert!(expected.remove(TLS_METRIC));
    assert_eq!(there, expected);
    for name in there {
        assert!(text.contains(&format!("# HELP {name} ")), "{name} says nothing of itself");
    }
}

/// The files of Rust below a folder.
fn source_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The names that a source gives to its units of work: the literals after `before`, if `after`
/// follows them.
fn unit_names<'t>(text: &'t str, before: &str, after: &[&str]) -> impl Iterator<Item = &'t str> {
    text.split(before).skip(1).filter_map(move |rest| {
        let (name, rest) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        let rest = rest.trim_start_matches(',').trim_start();
        after.iter().any(|after| rest.starts_with(after)).then_some(name)
    })
}

#[test]
fn units_of_work_and_their_documentation_match() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["auth-core", "domain", "http", "persistence", "server"] {
        source_files(&root.join("crates").join(folder).join("src"), &mut files);
    }
    let mut used = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for (before, after) in [
            (".read(", &["|"] as &[&str]),
            (".write(", &["|"]),
            (".await_admission(", &["|"]),
            ("UnitOfWork::read(", &[")"]),
            ("UnitOfWork::write(", &[")"]),
            ("UnitOfWork { name:", &["mode"]),
        ] {
            used.extend(unit_names(&text, before, after).map(str::to_owned));
        }
    }
    assert!(used.remove("test"), "unit tests call their units so");
    let page = std::fs::read_to_string(root.join("docs/operating.md")).unwrap();
    let section = page.split_once("### Units of work").unwrap().1.split_once("\n## ").unwrap().0;
    let rows = section.split_once("| --- | --- |").unwrap().1.split_once("\n\n").unwrap().0;
    let documented: BTreeSet<String> = rows.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(used, documented);
}

/// The metric names in a text, without the suffixes of histograms.
fn metric_names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let metrics = words.filter(|word| word.starts_with("tillgate_") || word.starts_with("process_"));
    metrics
        .map(|name| {
            ["_bucket", "_sum", "_count"].iter().fold(name, |name, part| name.trim_end_matches(part)).to_owned()
        })
        .collect()
}

#[test]
#[ignore = "requires promtool"]
fn alerts_and_dashboard_use_existing_metrics() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring");
    let known = documented_metrics();
    for file in ["alerts.yml", "dashboard.json"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let queried = metric_names(&text);
        assert!(queried.len() > 5, "{file}: {queried:?}");
        assert_eq!(queried.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "{file}");
    }
    let promtool = |arguments: &[&str], input: Option<&str>| {
        let mut promtool = std::process::Command::new("promtool");
        promtool.args(arguments).current_dir(&folder);
        promtool
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = promtool.spawn().expect("promtool is missing: tests/run install");
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.unwrap_or_default().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
    };
    promtool(&["check", "rules", "alerts.yml"], None);
    promtool(&["test", "rules", "alerts_test.yml"], None);
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    server.new_till().login("cashier", "P01").get_current_session().expect_status(200);
    promtool(&["check", "metrics"], Some(server.read_metrics().expect_status(200).text()));

    // the dashboard can be imported by Grafana: its panels have an id, a type and queries
    let dashboard: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("dashboard.json")).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "ids are given once");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{panel}");
    }
}

#[test]
#[ignore = "requires PostgreSQL"]
fn open_transaction_is_reported_until_it_ends() {
    let installation = Installation::with_fixture(DatabaseEngine::Postgres);
    let server = installation.serve();
    let seconds = || {
        let text = server.read_metrics().expect_status(200).text().to_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("tillgate_feed_open_seconds "));
        line.unwrap().parse::<f64>().unwrap()
    };
    let mut elsewhere = PgConnection::establish(&postgres::create_database()).unwrap();
    elsewhere.batch_execute("BEGIN; CREATE TEMP TABLE forgotten (n int)").unwrap();
    // the transaction is found to be open once a later one has ended
    let till = server.new_till().login("cashier", "P01");
    wait_until(Duration::from_secs(30), "word of a transaction that stays open", || seconds() > 1.0);
    till.get_current_session().expect_status(200);
    elsewhere.batch_execute("COMMIT").unwrap();
    wait_until(Duration::from_secs(30), "word of its end", || seconds() < 1.0);
}

#[test]
fn every_configured_cache_reports_its_usage() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    server.new_till().login("cashier", "P01").get_current_session().expect_status(200);
    let text = server.read_metrics().expect_status(200).text().to_owned();
    let value = |metric: &str, cache: &str| -> f64 {
        let start = format!("{metric}{{cache=\"{cache}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("no {start}")).parse().unwrap()
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/tillgate.toml");
    let configuration: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    let caches = configuration["caches"].as_table().unwrap();
    assert!(!caches.is_empty());
    for cache in caches.keys() {
        let (used, limit) = (value("tillgate_cache_bytes", cache), value("tillgate_cache_limit_bytes", cache));
        assert!(used <= limit && limit > 0.0, "{cache} holds {used} of {limit} bytes");
    }
    for cache in ["tokens", "profiles", "sessions", "pages"] {
        assert!(value("tillgate_cache_bytes", cache) > 0.0, "{cache} is empty");
    }
}
