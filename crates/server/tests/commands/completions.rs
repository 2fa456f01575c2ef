//! The command `completions`, and the candidates that its scripts request.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use tillgate_testkit::DatabaseEngine;

use crate::program::{CommandOutput, PASSWORD, TestInstallation};

/// The shells whose scripts start the program.
const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "elvish"];

/// Requests the candidates for the last of these words, as the script of a shell does.
fn request_candidates(home: &TestInstallation, shell: &str, words: &[&str]) -> CommandOutput {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tillgate"));
    command.args(["--", "tillgate"]).args(words).current_dir(home.path("")).env_clear().stdin(Stdio::null());
    command.env("_TILLGATE_COMPLETE", shell).env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let output = command.output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    CommandOutput { code: output.status.code().unwrap(), out, err }
}

/// The values of the candidates, without their help.
fn list_candidates(home: &TestInstallation, shell: &str, words: &[&str]) -> Vec<String> {
    let response = request_candidates(home, shell, words);
    assert_eq!((response.code, response.err.as_str()), (0, ""), "{shell} {words:?}");
    let value = |line: &str| match shell {
        "fish" => line.split('\t').next().unwrap().to_owned(),
        "zsh" => line.split(':').next().unwrap().to_owned(),
        _ => line.to_owned(),
    };
    response.out.lines().map(value).collect()
}

/// An installation with users, tills, a store and a second tenant.
fn create_shop(engine: DatabaseEngine) -> TestInstallation {
    let home = TestInstallation::on(engine).with_admin();
    for name in ["P01", "P02", "Q01"] {
        home.run_ok(&["device", "add", name, "--env", "CashRegister"]);
    }
    home.run_ok(&["device", "status", "P02", "retired", "--yes"]);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    home.run_ok_with(&["user", "add", "gone"], PASSWORD);
    home.run_ok(&["user", "status", "gone", "deleted", "--yes"]);
    home.run_ok(&["store", "add", "Old town"]);
    home.run_ok(&["tenant", "add", "bakery", "--store", "Oven"]);
    home
}

fn names_of_the_selected_database_are_completed(engine: DatabaseEngine) {
    let home = create_shop(engine);
    let flags = home.flags_with_database();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    for shell in SHELLS {
        let complete = |words: &[&str]| list_candidates(&home, shell, &[&flags, words].concat());
        let complete_non_flags =
            |words: &[&str]| complete(words).into_iter().filter(|word| !word.starts_with('-')).collect::<Vec<_>>();
        assert_eq!(complete(&["user", "show", "a"]), ["admin", "anna"], "{shell}");
        assert_eq!(complete_non_flags(&["user", "show", ""]), ["admin", "anna"], "{shell}");
        assert_eq!(complete(&["device", "list", "--store", ""]), ["Main store", "Old town"], "{shell}");
        assert_eq!(complete(&["device", "set", "P01", "--store", "Old\\ "]), ["Old town"], "{shell}");
        assert_eq!(complete(&["token", "generate", "--device", ""]), ["P01", "Q01"], "{shell}");
        assert_eq!(complete(&["user", "roles", "anna", "--on", "P"]), ["P01="], "{shell}");
        assert_eq!(complete(&["user", "roles", "anna", "--on", "P01=man"]), ["P01=manager"], "{shell}");
        assert_eq!(complete(&["user", "add", "eve", "--on", "P01=cashier,ad"]), ["P01=cashier,admin"], "{shell}");
        assert_eq!(complete(&["user", "roles", "anna", "--role", "c"]), ["cashier"], "{shell}");
        assert_eq!(complete(&["--tenant", ""]), ["bakery", "default"], "{shell}");
        assert_eq!(complete_non_flags(&["--tenant", "bakery", "store", "rename", ""]), ["Oven"], "{shell}");
        assert_eq!(complete_non_flags(&["--tenant", "nowhere", "store", "rename", ""]), [""; 0], "{shell}");
        // a new name is free
        assert_eq!(complete(&["user", "add", "a"]), [""; 0], "{shell}");
    }
}

#[test]
fn names_of_the_selected_database_are_completed_sqlite() {
    names_of_the_selected_database_are_completed(DatabaseEngine::Sqlite);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn names_of_the_selected_database_are_completed_postgres() {
    names_of_the_selected_database_are_completed(DatabaseEngine::Postgres);
}

#[test]
fn words_and_values_are_completed_without_a_database() {
    let home = TestInstallation::new();
    for shell in SHELLS {
        let complete = |words: &[&str]| list_candidates(&home, shell, words);
        assert_eq!(complete(&["us"]), ["user"], "{shell}");
        assert_eq!(complete(&["user", "sh"]), ["show"], "{shell}");
        assert_eq!(complete(&["user", "show", "--js"]), ["--json"], "{shell}");
        assert_eq!(complete(&["session", "list", "--kind", ""]), ["person", "device", "permanent"], "{shell}");
        assert_eq!(complete(&["device", "add", "P01", "--env", "C"]), ["CashRegister"], "{shell}");
        assert_eq!(complete(&["user", "status", "anna", "s"]), ["suspended"], "{shell}");
        assert_eq!(complete(&["role", "add", "night", "--right", "ticketClo"]), ["ticketClose"], "{shell}");
        assert_eq!(complete(&["tenant", "set", "--zone", "Europe/Brat"]), ["Europe/Bratislava"], "{shell}");
        assert_eq!(complete(&["store", "zone", "Station", "no"]), ["none"], "{shell}");
        assert_eq!(complete(&["access", "check", "GET", "/", "--mount", "na"]), ["native"], "{shell}");
        assert_eq!(complete(&["completions", "po"]), ["powershell"], "{shell}");
    }
    std::fs::write(home.path("shop.toml"), "").unwrap();
    assert_eq!(list_candidates(&home, "bash", &["doctor", "--config", "sh"]), ["shop.toml"]);
    assert_eq!(list_candidates(&home, "bash", &["user", "list", "--search", "sh"]), [""; 0], "a text is no file");
}

/// Whatever is wrong, the shell gets no candidates and no error, and nothing is created.
#[test]
fn completion_without_names_prints_nothing() {
    let home = TestInstallation::new();
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging = format!("postgres://tillgate@{}/tillgate", hanging.local_addr().unwrap());
    std::fs::write(home.path("invalid.toml"), "[server]\nlistn = 1\n").unwrap();
    std::fs::write(home.path("broken.db"), "this is not a database\n".repeat(1_000)).unwrap();
    let broken = format!("sqlite:{}", home.path("broken.db").display());
    for shell in SHELLS {
        for flags in [
            &[][..],
            &["--data", "nowhere"],
            &["--config", "nowhere.toml"],
            &["--config", "invalid.toml"],
            &["--database", &broken],
            &["--database", "postgres://tillgate@127.0.0.1:1/tillgate"],
            &["--database", &hanging],
            &["--database", "mysql://nowhere"],
            &["--tenant", "No Tenant"],
        ] {
            let response = request_candidates(&home, shell, &[flags, &["user", "show", "a"]].concat());
            assert_eq!((response.code, response.out.trim(), response.err.as_str()), (0, "", ""), "{shell} {flags:?}");
        }
    }
    let mut files: Vec<_> = std::fs::read_dir(home.path("")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["broken.db", "invalid.toml"]);
}

#[test]
fn unknown_request_prints_nothing() {
    let home = TestInstallation::new();
    for shell in ["dos", "powershell", "1"] {
        let response = request_candidates(&home, shell, &["user", ""]);
        assert_eq!((response.code, response.out.as_str(), response.err.as_str()), (1, "", ""), "{shell}");
    }
    // an empty value is that of a variable that is not set
    let response = request_candidates(&home, "", &["version"]);
    assert!(response.code == 2 && response.err.contains("unrecognized"), "{}", response.err);
}

/// Completion reads an old database, a locked one and one of another version as far as it can, and
/// leaves the files as they are.
#[test]
fn completion_changes_nothing() {
    let home = create_shop(DatabaseEngine::Sqlite);
    let data = home.data();
    let read = || {
        let files = std::fs::read_dir(&data).unwrap().map(|file| file.unwrap().path());
        files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let before = read();
    let flags = ["--data", data.to_str().unwrap()];
    let names = list_candidates(&home, "bash", &[&flags[..], &["user", "show", "an"]].concat());
    assert_eq!(names, ["anna"]);
    assert!(read().keys().eq(before.keys()), "{:?} instead of {:?}", read().keys(), before.keys());
    assert!(read() == before, "a file was changed");
    std::fs::remove_file(data.join("master.key")).unwrap();
    let names = list_candidates(&home, "bash", &[&flags[..], &["user", "show", "an"]].concat());
    assert_eq!(names, ["anna"], "no key is needed");
    assert!(!data.join("master.key").exists());
}

#[test]
fn shell_completions_are_generated() {
    let home = TestInstallation::new();
    for shell in SHELLS {
        let script = home.run_ok(&["completions", shell]).out;
        let start = format!("_TILLGATE_COMPLETE=\"{shell}\"");
        let start = if shell == "fish" { "_TILLGATE_COMPLETE=fish".to_owned() } else { start };
        assert!(script.contains(&start) && script.contains(env!("CARGO_BIN_EXE_tillgate")), "{script}");
        assert!(shell != "bash" || script.matches("-o filenames").count() == 2, "{script}");
    }
    let words = home.run_ok(&["completions", "powershell"]).out;
    assert!(words.contains("api-key") && words.contains("rename") && !words.contains("_TILLGATE_COMPLETE"), "{words}");
    home.run_refused(&["completions", "dos"], 2);
}

/// The script in a real shell: the function that bash calls fills `COMPREPLY`.
#[test]
#[ignore = "requires bash"]
fn bash_script_completes_names() {
    let home = create_shop(DatabaseEngine::Sqlite);
    let script = home.path("completion.bash");
    std::fs::write(&script, home.run_ok(&["completions", "bash"]).out).unwrap();
    let complete = |words: &str, current: &str| {
        let call = format!(
            ". '{}'; COMP_WORDS=(tillgate --data '{}' {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_TYPE=9; \
             _clap_complete_tillgate tillgate '{current}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"; complete -p tillgate",
            script.display(),
            home.data().display()
        );
        let output = Command::new("bash").args(["--norc", "-c", &call]).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let (names, registered) = out.trim_end().rsplit_once('\n').unwrap();
        assert!(registered.contains("-o filenames") && registered.ends_with("tillgate"), "{registered}");
        names.to_owned()
    };
    assert_eq!(complete("device list --store M", "M"), "Main store");
    assert_eq!(complete("user roles anna --on P0", "P0"), "P01=");
    // the words of P01= and nothing after it
    assert_eq!(complete("user roles anna --on P01 =", ""), "");
}

#[test]
fn misspelled_word_is_refused_with_a_similar_one() {
    let home = TestInstallation::new();
    for (line, similar) in [
        (&["audit", "list", "--action", "user.ad"][..], "user.add"),
        (&["audit", "list", "--outcome", "refusd"], "refused"),
        (&["access", "check", "GET", "/", "--mount", "native", "--role", "cashir"], "cashier"),
    ] {
        let error = home.run_refused(line, 2);
        assert!(error.contains("similar value") && error.contains(similar), "{error}");
    }
}
