//! Standard clients that `tests/run` has installed: Python with its libraries, and libraries for
//! Node.js.

use std::path::{Path, PathBuf};
use std::process::Command;

fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository_root().join("../target"), PathBuf::from)
}

fn find_installed(path: &str) -> PathBuf {
    let path = target_folder().join("clients").join(path);
    assert!(path.exists(), "{} is not there: tests/run install puts it there", path.display());
    path
}

/// The Python interpreter with the libraries.
pub fn python_command() -> Command {
    Command::new(find_installed("python/bin/python"))
}

/// A command that runs a script of `tests/scripts` with that Python.
pub fn python_script(name: &str) -> Command {
    let mut command = python_command();
    command.arg(repository_root().join("scripts").join(name));
    command
}

/// A command that runs a script of `tests/scripts` with Node.js. It resolves libraries relative to
/// the script, so the script is copied next to them.
pub fn node_script(name: &str) -> Command {
    let folder = find_installed("node/installed.json").with_file_name("");
    let copy = folder.join(format!("{}-{name}", std::process::id()));
    std::fs::copy(repository_root().join("scripts").join(name), &copy).unwrap();
    node_command(&copy)
}

/// A command that runs a file with Node.js.
pub fn node_command(file: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg(file);
    command
}

/// A file of an installed package of npm.
pub fn find_node_file(path: &str) -> PathBuf {
    find_installed("node/node_modules").join(path)
}

/// A folder for what tests write to look at, in the target folder. It is kept.
pub fn output_folder(name: &str) -> PathBuf {
    let folder = target_folder().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a client, which must succeed, and returns its output.
#[track_caller]
pub fn run_ok(mut client: Command) -> String {
    let output = client.output().unwrap_or_else(|error| panic!("{client:?} does not run: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{client:?} ended with {}:\n{stdout}\n{stderr}", output.status);
    stdout.into_owned()
}
