//! The command `doctor`: what it reports about files of the machine.

use serde_json::{Value, json};

use crate::program::{PASSWORD, TestInstallation};

#[test]
fn empty_database_is_for_init() {
    let home = TestInstallation::new();
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(home.data().join("tillgate.db"), "").unwrap();
    let found = home.find_check(&[], "migrations");
    assert_eq!(found["found"], "the database is empty");
    assert!(found["mend"].as_str().unwrap().contains("tillgate init"), "{found}");
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_are_reported() {
    use std::os::unix::fs::PermissionsExt;
    let home = TestInstallation::new().with_admin();
    let set_mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    assert_eq!(home.find_check(&[], "secrets"), Value::Null);
    let (url, password, config) = (home.path("url"), home.path("password"), home.data().join("tillgate.toml"));
    std::fs::write(&url, "sqlite:tillgate.db\n").unwrap();
    std::fs::write(&password, "geheim\n").unwrap();
    let settings = format!("[database]\nurl_file = {url:?}\n[mail]\nuser = \"till\"\npassword_file = {password:?}\n");
    std::fs::write(&config, settings).unwrap();
    for path in [&url, &password] {
        set_mode(path, 0o600);
    }
    let files = format!("{} (database.url_file), {} (mail.password_file)", url.display(), password.display());
    let fine = json!({ "check": "secrets", "ok": true, "found": files, "mend": null });
    assert_eq!(home.find_check(&[], "secrets"), fine);
    for path in [&url, &password] {
        set_mode(path, 0o644);
        let found = home.find_check(&[], "secrets");
        let text = found["found"].as_str().unwrap();
        assert!(text.starts_with(path.to_str().unwrap()), "{found}");
        assert!(text.ends_with("can be read by other users of this machine") && !text.contains(';'), "{found}");
        assert!(found["mend"].as_str().unwrap().contains(&format!("chmod 600 '{}'", path.display())), "{found}");
        let server = home.start(&["serve"]);
        assert_eq!(server.login(&json!({ "login": "admin", "password": PASSWORD })), 201);
        drop(server);
        let log = std::fs::read_to_string(home.path("server.log")).unwrap();
        let warned =
            log.lines().any(|line| line.contains("can read a secret") && line.contains(path.to_str().unwrap()));
        assert!(warned, "{log}");
        set_mode(path, 0o600);
    }
    // a secret in the configuration itself, and the key of the certificate
    let inline = home.path("inline.toml");
    let settings = format!(
        "[mail]\nuser = \"till\"\npassword = \"geheim\"\n[server]\ntls_cert = {url:?}\ntls_key = {password:?}\n"
    );
    std::fs::write(&inline, settings).unwrap();
    for path in [&inline, &password] {
        set_mode(path, 0o644);
    }
    let flags = ["--config", inline.to_str().unwrap()];
    let text = home.find_check(&flags, "secrets")["found"].as_str().unwrap().to_owned();
    assert!(
        text.contains("inline.toml (mail.password) can") && text.contains("password (server.tls_key) can"),
        "{text}"
    );
}

/// A file system of the kernel has no free space.
#[cfg(target_os = "linux")]
#[test]
fn free_space_of_the_disk_of_the_database_is_checked() {
    let home = TestInstallation::new().with_database();
    let own = home.find_check(&[], "disk");
    let place = format!(" MB free at {}", home.data().display());
    assert!(own["found"].as_str().unwrap().ends_with(&place), "{own}");
    let full = home.find_check(&["--database", "sqlite:/proc/tillgate.db"], "disk");
    let remedy = "free some space: on a full disk nobody can log in";
    assert_eq!(full, json!({ "check": "disk", "ok": false, "found": "0 MB free at /proc", "mend": remedy }));
}

#[test]
fn settings_with_which_the_server_does_not_start_are_reported() {
    let home = TestInstallation::new().with_admin();
    let file = home.path("settings.toml");
    let flags = ["--config", file.to_str().unwrap()];
    for (settings, why) in [
        (
            "[log]\nlevel = \"debg\"\n",
            "log.level: \"debg\" is not a level such as info or warn; did you mean \"debug\"?",
        ),
        ("[passwords]\nlist = \"/nonexistent\"\n", "passwords.list: the file /nonexistent"),
    ] {
        std::fs::write(&file, settings).unwrap();
        let found = home.find_check(&flags, "configuration");
        assert!(found["ok"] == false && found["found"].as_str().unwrap().contains(why), "{found}");
        let refused = home.run_refused(&[&["serve", "--listen", "127.0.0.1:0"][..], &flags].concat(), 2);
        assert!(refused.contains(why), "{refused}");
    }
    // a mount for a tenant that does not exist: the command that adds it has a place for its name
    std::fs::write(&file, "[[mounts]]\ndialect = \"kasir\"\nprefix = \"/k\"\ntenant = \"bakery\"\n").unwrap();
    let found = home.find_check(&flags, "mounts");
    assert!(found["mend"].as_str().unwrap().contains("tillgate tenant add SLUG --config"), "{found}");
}
