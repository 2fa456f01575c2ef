//! The documentation matches the program: its own parser accepts every command line that README.md,
//! docs/, the systemd unit and the Containerfile quote, and every dependency is documented.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{CommandFactory, Parser};
use tillgate_server::Cli;
use tillgate_testkit::TestFolder;

fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a folder that have this extension.
fn find_files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { find_files(&path, extension) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|each| each == extension)).collect()
}

/// All pages by their paths.
fn read_pages() -> Vec<(String, String)> {
    let mut paths = vec![repository_root().join("README.md")];
    paths.extend(find_files(&repository_root().join("docs"), "md"));
    assert!(paths.len() > 20, "{paths:?}");
    paths.iter().map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect()
}

/// Files other than pages that run the program, by their paths.
fn read_packaging() -> Vec<(String, String)> {
    let read = |path: &str| (path.to_owned(), std::fs::read_to_string(repository_root().join(path)).unwrap());
    ["packaging/systemd/tillgate.service", "Containerfile"].map(read).to_vec()
}

/// The code in a page: lines of code blocks, which readers type (`true`), and text between
/// backticks, which may also just name a command (`false`).
fn quoted_commands(page: &str) -> Vec<(bool, &str)> {
    let mut quoted = Vec::new();
    let mut block = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            block = !block;
        } else if block {
            quoted.push((true, line));
        } else {
            quoted.extend(line.split('`').skip(1).step_by(2).map(|span| (false, span)));
        }
    }
    quoted
}

/// Splits a line into words as a shell does, as far as the pages need it: quotation marks,
/// comments, and the start of another command.
fn split_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut mark) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (mark, c) {
            (Some(open), _) if c == open => mark = None,
            (None, '\'' | '"') => (mark, word) = (Some(c), Some(word.unwrap_or_default())),
            (None, ' ' | '[' | ']' | ',') => words.extend(word.take()),
            (None, '#' | '|' | '<' | '>' | ';' | '&' | '\\') if word.is_none() => break,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The arguments of the program in a line that runs it: as the first word, after `cargo run … --`,
/// or through another program.
fn call_arguments(line: &str) -> Option<Vec<String>> {
    let line = line.trim().trim_start_matches("$ ").trim_start_matches("ExecStart=");
    let words = split_words(line);
    let is_program = |word: &String| word == "tillgate" || word.ends_with("/tillgate");
    if words.first().is_some_and(|word| word == "cargo") && words.contains(&"tillgate".to_owned()) {
        return words.iter().position(|word| word == "--").map(|at| words[at + 1..].to_vec());
    }
    // in a container, CMD contains only the arguments
    if words.first().is_some_and(|word| word == "CMD") {
        return Some(words[1..].to_vec());
    }
    let commands = Cli::command();
    let named = |word: &String| commands.get_subcommands().any(|command| command.get_name() == word);
    words.iter().enumerate().find_map(|(at, word)| {
        let follows = words.get(at + 1).is_some_and(|next| at == 0 || named(next));
        (is_program(word) && follows).then(|| words[at + 1..].to_vec())
    })
}

/// Replaces a placeholder in a page by a valid value.
fn fill_placeholder(word: &str) -> String {
    match word {
        "ID" | "DEVICE_ID" => "018f3b3e-0000-7000-8000-000000000000".to_owned(),
        other => other.to_owned(),
    }
}

#[test]
fn every_documented_command_line_is_parsed() {
    let mut tried = 0;
    let packaging = read_packaging();
    for (name, text) in &packaging {
        assert!(text.lines().any(|line| call_arguments(line).is_some()), "{name} runs nothing");
    }
    let pages = read_pages();
    let quoted = pages.iter().flat_map(|(name, page)| quoted_commands(page).into_iter().map(move |line| (name, line)));
    let run = packaging.iter().flat_map(|(name, text)| text.lines().map(move |line| (name, (true, line))));
    for (name, (typed, line)) in quoted.chain(run) {
        let Some(arguments) = call_arguments(line) else { continue };
        let line_again =
            std::iter::once("tillgate".to_owned()).chain(arguments.iter().map(|word| fill_placeholder(word)));
        match Cli::try_parse_from(line_again) {
            Err(error) if error.use_stderr() && (typed || !names_only_file(&arguments)) => {
                panic!("{name} says {line:?}: {error}")
            }
            _ => tried += 1,
        }
    }
    assert!(tried > 25, "only {tried} command lines were found");
}

#[test]
fn unit_restarts_without_a_limit_and_reloads_certificates() {
    let packaging = read_packaging();
    let (_, unit) = packaging.iter().find(|(path, _)| path.ends_with(".service")).unwrap();
    for line in [
        // a database that starts minutes later is no reason to give up
        "StartLimitIntervalSec=0",
        "Restart=on-failure",
        // the exit code of an error in the configuration
        "RestartPreventExitStatus=2",
        "ExecReload=/bin/kill -HUP $MAINPID",
    ] {
        assert!(unit.lines().any(|each| each == line), "{line}");
    }
}

/// The image format oci stores no health check, so `compose.yaml` repeats that of the image, as a
/// line for a shell: podman-compose 1.0 does not quote the words of a list.
#[test]
fn compose_file_has_the_health_check_of_the_image() {
    let read = |path: &str| std::fs::read_to_string(repository_root().join(path)).unwrap();
    let image = read("Containerfile");
    let (_, command) = image.split_once("HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ").unwrap();
    let command: Vec<String> = serde_json::from_str(command.lines().next().unwrap()).unwrap();
    assert_eq!(&command[..2], ["bash", "-c"]);
    // a single quote would end the argument, and compose replaces variables
    let line = format!("bash -c '{}'", command[2].replace('\'', "\"").replace('$', "$$"));
    let test = format!("      test: {}", serde_json::json!(["CMD-SHELL", line]).to_string().replace("\",\"", "\", \""));
    let compose = read("compose.yaml");
    let (_, rest) = compose.split_once(&test).unwrap_or_else(|| panic!("{test}"));
    assert!(rest.starts_with("\n      interval: 10s\n      timeout: 3s\n      start_period: 30s\n"), "{rest}");
}

/// The unit with the path of the built program, in which systemd finds no fault and no further
/// exposure than the page says.
#[test]
#[ignore = "requires systemd"]
fn unit_is_accepted_by_systemd() {
    let packaging = read_packaging();
    let (_, unit) = packaging.iter().find(|(path, _)| path.ends_with(".service")).unwrap();
    let installed = "ExecStart=/usr/local/bin/tillgate";
    assert!(unit.contains(installed));
    let folder = TestFolder::new();
    let unit = unit.replace(installed, concat!("ExecStart=", env!("CARGO_BIN_EXE_tillgate")));
    let file = folder.write("tillgate.service", &unit);
    let run = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze").args(arguments).arg(&file).output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    };
    let verified = run(&["verify", "--man=no", "--recursive-errors=no"]);
    assert!(!verified.contains("tillgate"), "{verified}");
    let rated = run(&["security", "--offline=yes", "--threshold=20"]);
    let page = std::fs::read_to_string(repository_root().join("docs/systemd.md")).unwrap();
    let (_, rating) = rated.rsplit_once("exposure level for tillgate.service: ").unwrap();
    let rating = rating.split_whitespace().next().unwrap();
    assert!(page.contains(&format!("rates it {rating}, OK")), "the page gives another rating than {rating}");
}

/// Whether a text names a command without calling it: `tillgate keys revoke`.
fn names_only_file(arguments: &[String]) -> bool {
    let mut command = Cli::command();
    for word in arguments {
        match command.find_subcommand(word) {
            Some(found) => command = found.clone(),
            None => return false,
        }
    }
    true
}

#[test]
fn command_lines_are_found_and_errors_detected() {
    let found = |line: &str| call_arguments(line).map(|words| words.join(" "));
    assert_eq!(found("sudo -u tillgate tillgate user list"), Some("user list".to_owned()));
    assert_eq!(found("tillgate keys list | head -3 # all"), Some("keys list".to_owned()));
    assert_eq!(found("tillgate user add 'the boss'"), Some("user add the boss".to_owned()));
    assert_eq!(found("tillgate sevre"), Some("sevre".to_owned()));
    assert_eq!(found("cargo run --release --bin tillgate -- demo"), Some("demo".to_owned()));
    assert_eq!(found("sudo systemctl restart tillgate"), None);
    assert_eq!(found("install -o tillgate -g tillgate -m 600 a b"), None);
    assert!(Cli::try_parse_from(["tillgate", "sevre"]).is_err() && !names_only_file(&["sevre".to_owned()]));
    assert!(names_only_file(&["keys".to_owned(), "revoke".to_owned()]));
}

#[test]
fn every_dependency_is_documented() {
    let reasons = std::fs::read_to_string(repository_root().join("docs/dependencies.md")).unwrap();
    let manifest: toml::Table = std::fs::read_to_string(repository_root().join("Cargo.toml")).unwrap().parse().unwrap();
    let dependencies = manifest["workspace"]["dependencies"].as_table().unwrap();
    assert!(dependencies.len() > 30);
    for name in dependencies.keys().filter(|name| !name.starts_with("tillgate")) {
        assert!(reasons.contains(&format!("`{name}`")), "docs/dependencies.md does not say why {name}");
    }
}
