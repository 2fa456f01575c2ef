//! Sets `SOURCE_COMMIT`, which `tillgate --version` shows: from the environment variable of that
//! name, otherwise in a release build from the repository. Other builds have no commit, so that
//! they need not be linked again after each commit. Sets `LIBPQ_VERSION`, the version of the client
//! library of PostgreSQL.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SOURCE_COMMIT");
    let given = std::env::var("SOURCE_COMMIT").ok();
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = given.or_else(|| release.then(repository_commit).flatten()).unwrap_or_default();
    println!("cargo::rustc-env=SOURCE_COMMIT={}", commit.trim());
    println!("cargo::rustc-env=LIBPQ_VERSION={}", libpq_version().unwrap_or_else(|| "unknown".to_owned()));
}

/// The short hash and the date of the checked-out commit.
fn repository_commit() -> Option<String> {
    // the log of HEAD changes with each commit; each work tree has its own
    if let Some(log) = run_git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={}", log.trim());
    }
    run_git(&["log", "-1", "--format=%h, %cs"])
}

/// The version of libpq. The crate with its source has the version `0.3.14+libpq-18.6`, for
/// example.
fn libpq_version() -> Option<String> {
    let lock = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR")?).join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let lock = std::fs::read_to_string(lock).ok()?;
    let (_, package) = lock.split_once("name = \"pq-src\"")?;
    let version = package.lines().find_map(|line| line.strip_prefix("version = "))?;
    let (_, libpq) = version.split_once("+libpq-")?;
    Some(libpq.trim_matches('"').to_owned())
}

fn run_git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()
}
