//! Commands of a user who cannot write to the data folder.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use tillgate_testkit::{give_to_unprivileged_user, is_root, unprivileged_command};

use crate::program::TestInstallation;

/// The page that says what to do.
const PAGE: &str = include_str!("../../../../docs/operating.md");

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
#[ignore = "requires setpriv"]
fn folder_that_the_user_cannot_write_is_reported() {
    let home = TestInstallation::new().with_admin();
    let data = home.data();
    // another process copies the program: a file that is open for writing cannot be started
    let program = home.path("tillgate");
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_tillgate")).arg(&program).status().unwrap();
    assert!(copied.success());
    let both_users = "belongs to root (user id 0), but this process runs as nobody (user id 65534)";
    let assert_reported = |owner: &str, is_foreign: bool| {
        let reason = format!("this user cannot write to {}, or its disk is read-only", data.display());
        for line in [&["user", "list"][..], &["sweep"], &["migrate"], &["serve", "--listen", "127.0.0.1:0"]] {
            let mut command = unprivileged_command(&program);
            command.args(line).arg("--data").arg(&data).current_dir(home.path("")).env_clear().stdin(Stdio::null());
            let output = command.output().unwrap();
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "folder of {owner}: {line:?}: {error}");
            assert!(error.contains(&reason) && !error.contains("PRAGMA"), "folder of {owner}: {line:?}: {error}");
            assert_eq!(error.contains(both_users), is_foreign, "folder of {owner}: {line:?}: {error}");
        }
    };
    if is_root() {
        set_mode(&data, 0o755);
        assert_reported("another user", true);
        let file = home.path("shop.toml");
        std::fs::write(&file, "").unwrap();
        set_mode(&file, 0o600);
        let mut command = unprivileged_command(&program);
        let output = command.args(["user", "list", "--config"]).arg(&file).env_clear().output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let reason = format!("{both_users}; run the command as the user");
        assert!(output.status.code() == Some(2) && error.contains(&reason), "{error}");
    }
    for file in std::fs::read_dir(&data).unwrap() {
        give_to_unprivileged_user(&file.unwrap().path()).unwrap();
    }
    give_to_unprivileged_user(&data).unwrap();
    set_mode(&data, 0o555);
    assert_reported("the user, who may only read it", false);
    set_mode(&data, 0o700);
    let mut command = unprivileged_command(&program);
    command.args(["user", "list"]).arg("--data").arg(&data).current_dir(home.path("")).env_clear();
    assert!(command.output().unwrap().status.success(), "with its usual mode it is writable");
    assert!(PAGE.contains("`this user cannot write to …, or its disk is read-only`"));
}
