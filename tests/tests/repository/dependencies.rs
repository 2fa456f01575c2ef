//! Every dependency has a license and a registry that `deny.toml` allows, according to cargo's
//! metadata and lock file.

use std::path::Path;

use serde_json::Value;
use spdx::{Expression, ParseMode};
use tillgate_tests::cargo_metadata;
use toml::Table;

fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read_toml(path: &str) -> Table {
    std::fs::read_to_string(repository_root().join(path)).unwrap().parse().unwrap()
}

/// The texts of a list in `deny.toml`.
fn read_deny_list(section: &str, key: &str) -> Vec<String> {
    let list = read_toml("deny.toml")[section][key].as_array().unwrap().clone();
    assert!(!list.is_empty(), "{section}.{key} is empty");
    list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Whether an SPDX expression can be satisfied by allowed licenses alone. `/` means OR in old
/// manifests.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let parsed =
        Expression::parse_mode(expression, ParseMode::LAX).unwrap_or_else(|error| panic!("{expression}: {error}"));
    parsed.evaluate(|license| allowed.contains(&license.to_string()))
}

#[test]
fn every_dependency_has_an_allowed_license() {
    let allowed = read_deny_list("licenses", "allow");
    let metadata = cargo_metadata(repository_root());
    let packages = metadata["packages"].as_array().unwrap();
    let foreign = packages.iter().filter(|package| !package["source"].is_null());
    let mut checked = 0;
    for package in foreign {
        let name = package["name"].as_str().unwrap();
        let license = package["license"].as_str().unwrap_or_else(|| panic!("{name} names no license"));
        assert!(is_allowed(license, &allowed), "{name} is under {license}, which deny.toml does not allow");
        checked += 1;
    }
    assert!(checked > 100, "only {checked} dependencies were found");
}

#[test]
fn every_dependency_is_from_an_allowed_registry() {
    let registries = read_deny_list("sources", "allow-registry");
    let packages = read_toml("Cargo.lock")["package"].as_array().unwrap().clone();
    for package in &packages {
        // the workspace's own crates have no source
        let Some(source) = package.get("source").and_then(|source| source.as_str()) else { continue };
        let registry = source.strip_prefix("registry+").unwrap_or_else(|| panic!("{}: {source}", package["name"]));
        assert!(registries.iter().any(|allowed| allowed == registry), "{}: {source}", package["name"]);
        assert!(package.get("checksum").is_some(), "{} has no checksum", package["name"]);
    }
}

#[test]
fn license_expressions_are_parsed_as_spdx() {
    let allowed = ["MIT".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
    for expression in ["MIT", "GPL-3.0-only OR MIT", "MIT/GPL-2.0", "Apache-2.0 WITH LLVM-exception AND MIT"] {
        assert!(is_allowed(expression, &allowed), "{expression}");
    }
    for expression in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "Apache-2.0", "(MIT OR ISC) AND Zlib"] {
        assert!(!is_allowed(expression, &allowed), "{expression}");
    }
}

#[test]
fn package_without_a_source_is_a_workspace_member() {
    let metadata = cargo_metadata(repository_root());
    let members: Vec<&Value> = metadata["workspace_members"].as_array().unwrap().iter().collect();
    for package in metadata["packages"].as_array().unwrap().iter().filter(|package| package["source"].is_null()) {
        assert!(members.contains(&&package["id"]), "{} is a path outside the workspace", package["name"]);
    }
}
