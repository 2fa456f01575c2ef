//! Stock clients that tests/run has put beside the build: a Python with its libraries, and the libraries of Node.js.

use std::path::{Path, PathBuf};
use std::process::Command;

fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn find_installed(path: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository_root().join("../target"), PathBuf::from);
    let path = target.join("clients").join(path);
    assert!(path.exists(), "{} is not there: tests/run install puts it there", path.display());
    path
}

/// The Python that has the libraries.
pub fn python_command() -> Command {
    Command::new(find_installed("python/bin/python"))
}

/// A script of `tests/scripts` in that Python.
pub fn python_script(name: &str) -> Command {
    let mut command = python_command();
    command.arg(repository_root().join("scripts").join(name));
    command
}

/// A script of `tests/scripts` in Node.js. It finds libraries beside itself alone, so it is put beside them.
pub fn node_script(name: &str) -> Command {
    let folder = find_installed("node/installed.json").with_file_name("");
    let copy = folder.join(format!("{}-{name}", std::process::id()));
    std::fs::copy(repository_root().join("scripts").join(name), &copy).unwrap();
    let mut command = Command::new("node");
    command.arg(copy);
    command
}

/// Runs a client to its end, which must be a good one, and returns what it prints.
#[track_caller]
pub fn run_ok(mut client: Command) -> String {
    let output = client.output().unwrap_or_else(|error| panic!("{client:?} does not run: {error}"));
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{client:?} ended with {}:\n{said}\n{failed}", output.status);
    said.into_owned()
}
