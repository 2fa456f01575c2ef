//! The dependencies between the crates, as ARCHITECTURE.md describes them, checked with cargo's
//! metadata.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tillgate_tests::cargo_metadata;

/// The crates of the workspace on which each crate may depend.
const ALLOWED_DEPENDENCIES: &[(&str, &[&str])] = &[
    ("tillgate-domain", &[]),
    ("tillgate-auth-core", &["tillgate-domain"]),
    ("tillgate-memory", &["tillgate-domain", "tillgate-auth-core"]),
    ("tillgate-persistence", &["tillgate-domain", "tillgate-auth-core"]),
    ("tillgate-web", &[]),
    ("tillgate-http", &["tillgate-domain", "tillgate-auth-core", "tillgate-web"]),
    ("tillgate-server", &["tillgate-domain", "tillgate-auth-core", "tillgate-persistence", "tillgate-http"]),
    ("tillgate-testkit", &["tillgate-domain", "tillgate-auth-core"]),
    (
        "tillgate-test-store",
        &["tillgate-domain", "tillgate-auth-core", "tillgate-memory", "tillgate-persistence", "tillgate-testkit"],
    ),
    ("tillgate-tests", &["tillgate-testkit"]),
    (
        "tillgate-parsing",
        &[
            "tillgate-domain",
            "tillgate-auth-core",
            "tillgate-memory",
            "tillgate-persistence",
            "tillgate-http",
            "tillgate-server",
            "tillgate-testkit",
        ],
    ),
    ("tillgate-bench", &["tillgate-testkit", "tillgate-domain", "tillgate-auth-core", "tillgate-persistence"]),
];

/// External packages that no crate of the layer may depend on, not even indirectly.
const FORBIDDEN_DEPENDENCIES: &[(&str, &[&str])] = &[
    ("tillgate-domain", &["diesel", "actix-web", "tokio", "ring", "rustix", "time", "jsonwebtoken"]),
    ("tillgate-auth-core", &["diesel", "actix-web", "tokio", "http", "hyper"]),
    ("tillgate-memory", &["diesel", "actix-web", "tokio"]),
    ("tillgate-persistence", &["actix-web", "tokio"]),
    ("tillgate-http", &["diesel", "libsqlite3-sys", "pq-sys", "tillgate-persistence"]),
    ("tillgate-web", &["diesel", "actix-web", "tokio"]),
    ("tillgate-testkit", &["diesel", "actix-web"]),
];

struct Workspace {
    /// The direct normal dependencies of every package in the graph, by name.
    dependencies: BTreeMap<String, BTreeSet<String>>,
    /// The manifests of the workspace's packages, by name.
    members: BTreeMap<String, Value>,
}

fn load_workspace() -> Workspace {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let metadata = cargo_metadata(root);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let names: BTreeMap<String, String> =
        list(&metadata["packages"]).iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
    let members: BTreeSet<String> = list(&metadata["workspace_members"]).iter().map(text).collect();
    let own = list(&metadata["packages"])
        .into_iter()
        .filter(|package| members.contains(package["id"].as_str().unwrap()))
        .map(|package| (text(&package["name"]), package))
        .collect();
    let mut normal: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let runs = |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let dependencies =
            list(&node["deps"]).into_iter().filter(runs).map(|dependency| names[&text(&dependency["pkg"])].clone());
        normal.entry(names[&text(&node["id"])].clone()).or_default().extend(dependencies);
    }
    Workspace { dependencies: normal, members: own }
}

#[test]
fn crates_depend_on_lower_layers_only() {
    let workspace = load_workspace();
    let known: BTreeMap<&str, &[&str]> = ALLOWED_DEPENDENCIES.iter().copied().collect();
    for name in workspace.members.keys() {
        let may = known
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} has no place among the layers: give it one here"));
        let does = workspace.dependencies[name].iter().filter(|dependency| workspace.members.contains_key(*dependency));
        for dependency in does {
            assert!(may.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn layers_reach_no_forbidden_package() {
    let workspace = load_workspace();
    for (layer, never) in FORBIDDEN_DEPENDENCIES {
        let mut reached = BTreeSet::new();
        let mut todo = vec![(*layer).to_owned()];
        while let Some(name) = todo.pop() {
            for dependency in workspace.dependencies.get(&name).into_iter().flatten() {
                if reached.insert(dependency.clone()) {
                    todo.push(dependency.clone());
                }
            }
        }
        for package in *never {
            assert!(!reached.contains(*package), "{layer} reaches {package}");
        }
    }
}

#[test]
fn every_crate_inherits_lints_of_workspace_which_forbid_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let lints = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(lints.contains("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
    for (name, package) in load_workspace().members {
        let manifest = std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name}");
    }
}

#[test]
fn binary_links_one_cryptography_library() {
    let workspace = load_workspace();
    let mut reached = BTreeSet::new();
    let mut todo = vec!["tillgate-server".to_owned()];
    while let Some(name) = todo.pop() {
        for dependency in workspace.dependencies.get(&name).into_iter().flatten() {
            if reached.insert(dependency.clone()) {
                todo.push(dependency.clone());
            }
        }
    }
    for package in ["aws-lc-rs", "aws-lc-sys", "rsa", "ed25519-dalek", "p256"] {
        assert!(!reached.contains(package), "the binary links {package} besides ring");
    }
}
