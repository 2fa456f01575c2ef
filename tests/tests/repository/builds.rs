//! What pages and packages say about the build: the Rust version, the features, and the commit that
//! the program names.

use std::path::{Path, PathBuf};
use std::process::Command;

use tillgate_testkit::TestFolder;

fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read_file(path: &str) -> String {
    std::fs::read_to_string(repository_root().join(path)).unwrap()
}

/// What is between two texts, the first time.
fn find_between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("\"{before}\" is missing"));
    rest.split_once(after).unwrap().0
}

#[test]
fn readme_and_image_name_the_rust_version_of_the_manifest() {
    let manifest = read_file("Cargo.toml");
    let required = find_between(&manifest, "\nrust-version = \"", "\"");
    assert_eq!(find_between(&read_file("README.md"), "You need Rust ", " or newer"), required);
    assert_eq!(find_between(&read_file("Containerfile"), "library/rust:", "-slim"), required);
}

#[test]
fn packages_have_tls_to_postgresql() {
    for path in ["Containerfile", "packaging/deb/build"] {
        let text = read_file(path);
        let builds: Vec<&str> = text.lines().filter(|line| line.contains("cargo build ")).collect();
        assert!(!builds.is_empty(), "{path} builds nothing");
        for line in builds {
            assert!(line.contains(" --release ") && line.ends_with(" --features postgres-tls"), "{path}: {line}");
        }
    }
}

/// Runs the build script of the server, which cargo runs with other variables in a debug build.
fn source_commit(folder: &TestFolder, variables: &[(&str, &str)]) -> String {
    let package = repository_root().join("crates/server");
    let program = folder.join("build_script");
    if !program.exists() {
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "-o"]).arg(&program).arg(package.join("build.rs"));
        assert!(rustc.status().unwrap().success());
    }
    let mut script = Command::new(&program);
    script.current_dir(&package).env("CARGO_MANIFEST_DIR", &package).env_remove("SOURCE_COMMIT");
    let output = script.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    find_between(&text, "cargo::rustc-env=SOURCE_COMMIT=", "\n").to_owned()
}

#[test]
fn release_build_names_its_commit() {
    let folder = TestFolder::new();
    let git = Command::new("git").args(["log", "-1", "--format=%h, %cs"]).current_dir(repository_root()).output();
    // sources without their repository have no commit
    let commit = git.map(|output| String::from_utf8(output.stdout).unwrap()).unwrap_or_default();
    assert_eq!(source_commit(&folder, &[("PROFILE", "release")]), commit.trim());
    assert_eq!(source_commit(&folder, &[("PROFILE", "debug")]), "");
    let given = [("PROFILE", "release"), ("SOURCE_COMMIT", "05a1634, 2026-11-21\n")];
    assert_eq!(source_commit(&folder, &given), "05a1634, 2026-11-21");
}
