//! The metrics are those that docs/operating.md lists, no fewer and no more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::json;
use tillgate_testkit::postgres::create_database;
use tillgate_tests::{Engine, Installation, eventually};

/// The names in the first column of the page's table.
fn documented() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `tillgate_"));
    rows.map(|row| format!("tillgate_{}", row.split('`').next().unwrap())).collect()
}

#[test]
fn every_metric_is_documented_and_every_documented_metric_is_there() {
    let shop = Installation::with_shop(Engine::Sqlite);
    let server = shop.serve();
    let mut till = server.till().login("cashier", "P01");
    till.refresh().expect(200);
    till.post("/api/v1/sessions", &json!({"login": "nobody", "password": "not-the-password"})).expect(401);
    let text = server.metrics().expect(200).text().to_owned();
    let there: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split(['{', ' ']).next().unwrap())
        .map(|name| {
            ["_bucket", "_sum", "_count"].iter().fold(name, |name, part| name.trim_end_matches(part)).to_owned()
        })
        .collect();
    assert_eq!(there, documented());
    for name in there {
        assert!(text.contains(&format!("# HELP {name} ")), "{name} says nothing of itself");
    }
}

#[test]
fn a_transaction_that_somebody_left_open_is_told_until_it_ends() {
    let shop = Installation::with_shop(Engine::Postgres);
    let server = shop.serve();
    let seconds = || {
        let text = server.metrics().expect(200).text().to_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("tillgate_feed_open_seconds "));
        line.unwrap().parse::<f64>().unwrap()
    };
    let mut elsewhere = PgConnection::establish(&create_database()).unwrap();
    elsewhere.batch_execute("BEGIN; CREATE TEMP TABLE forgotten (n int)").unwrap();
    // it is seen to be open once a later one has ended
    let till = server.till().login("cashier", "P01");
    eventually(Duration::from_secs(30), "word of a transaction that stays open", || seconds() > 1.0);
    till.current().expect(200);
    elsewhere.batch_execute("COMMIT").unwrap();
    eventually(Duration::from_secs(30), "word of its end", || seconds() < 1.0);
}

#[test]
fn every_cache_of_the_configuration_says_how_full_it_is() {
    let shop = Installation::with_shop(Engine::Sqlite);
    let server = shop.serve();
    server.till().login("cashier", "P01").current().expect(200);
    let text = server.metrics().expect(200).text().to_owned();
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
        let (held, limit) = (value("tillgate_cache_bytes", cache), value("tillgate_cache_limit_bytes", cache));
        assert!(held <= limit && limit > 0.0, "{cache} holds {held} of {limit} bytes");
    }
    for cache in ["tokens", "profiles", "sessions", "pages"] {
        assert!(value("tillgate_cache_bytes", cache) > 0.0, "{cache} is empty");
    }
}
