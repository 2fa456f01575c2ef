//! Every `sh` block of the documentation is run, or says above itself why not. Blocks with calls to
//! the demo's shop are run and compared by `readme.rs`; the operators' commands are run here, in a
//! folder that stands for the machine, or by `machine_pages.rs`; those of the package by
//! `operation/debian.rs`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tillgate_testkit::TestFolder;
use tillgate_testkit::postgres::Server;
use tillgate_tests::markdown_pages::{Block, list_pages, matches_shown_lines, read_blocks};
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD};

use super::machine_pages::{SYSTEMD_PAGE, is_run_here};

/// The state before the first command of a page.
#[derive(Clone, Copy)]
enum PageSetup {
    /// Nothing: the commands create the database.
    Nothing(DatabaseEngine),
    /// The demo's shop exists.
    Shop,
}

/// A page whose commands are run here: its initial state, and the replacements for its
/// placeholders.
type PageCase = (&'static str, PageSetup, &'static [(&'static str, &'static str)]);

const API_KEY_SUBSTITUTION: &str =
    "$(tillgate api-key list --json | sed 's/.*\"id\": *\"\\([^\"]*\\)\".*/\\1/' | head -n 1)";
const KEY_SUBSTITUTION: &str = "$(tillgate keys list | sed -n 's/^\\([0-9a-f-]\\{36\\}\\).*/\\1/p' | head -n 1)";

const PAGE_CASES: [PageCase; 9] = [
    // the release build of the README takes minutes: the executable that the tests have built is
    // used
    (
        "README.md",
        PageSetup::Nothing(DatabaseEngine::Sqlite),
        &[("cargo build --release --bin tillgate\n", ""), ("target/release/tillgate", "tillgate")],
    ),
    ("docs/audit.md", PageSetup::Shop, &[("--user anna", "--user cashier")]),
    ("docs/backup.md", PageSetup::Shop, &[("ID", KEY_SUBSTITUTION)]),
    ("docs/gateway.md", PageSetup::Shop, &[]),
    (
        "docs/operating.md",
        PageSetup::Shop,
        &[
            ("api-key add NAME --user USER --device DEVICE", "api-key add sync --user cashier --device P01"),
            ("device unlock NAME", "device unlock P01"),
            ("NAME", "zuzana"),
            ("expire ID 2027-01-31", "expire \"$api_key\" 9999-01-31"),
            ("rotate ID", "rotate \"$api_key\""),
            ("status ID", "status \"$api_key\""),
        ],
    ),
    ("docs/postgresql.md", PageSetup::Nothing(DatabaseEngine::Postgres), &[]),
    ("docs/proxy.md", PageSetup::Shop, &[]),
    ("docs/oauth.md", PageSetup::Shop, &[]),
    ("docs/container.md", PageSetup::Nothing(DatabaseEngine::Sqlite), &[]),
];

/// Two pages of contracts have one command beside their calls, in the folder of the README.
const DIALECT_SUBSTITUTIONS: &[(&str, &str)] = &[("target/release/tillgate", "tillgate")];
const KRMPESAN_PAGE: PageCase = ("docs/dialects/krmpesan.md", PageSetup::Shop, DIALECT_SUBSTITUTIONS);
const PORTOS_PAGE: PageCase = ("docs/dialects/portos.md", PageSetup::Shop, DIALECT_SUBSTITUTIONS);

/// A page whose commands the test of the package runs.
const DEBIAN_PAGE: &str = "docs/debian.md";

/// Whether a block is for a PostgreSQL server `db.example`, which a test of its own provides.
fn is_for_postgres(block: &Block) -> bool {
    block.text.contains("db.example")
}

/// The `sh` blocks of a page that `readme.rs` does not run and that are not marked, each with the
/// shown output. `readme.rs` runs, from the block that starts the demo's shop, each block that
/// shows its output; blocks that define functions belong to these.
pub(super) fn runnable_blocks(page: &str) -> Vec<(Block, Option<String>)> {
    let all = read_blocks(page);
    let start = all.iter().position(|block| block.text.contains("-- demo")).unwrap_or(usize::MAX);
    let of = |(number, block): (usize, &Block)| {
        let next = all.get(number + 1);
        let defines = block.text.lines().all(|line| line.contains("() {") || line.trim().is_empty());
        let tried = number == start || number > start && (defines || next.is_some_and(|next| next.language == "json"));
        let run = block.language == "sh" && block.not_run.is_none() && !tried;
        let shown = next.filter(|next| next.follows && next.language == "text").map(|next| next.text.clone());
        run.then(|| (block.clone(), shown))
    };
    all.iter().enumerate().filter_map(of).collect()
}

#[test]
fn every_block_is_run_or_has_a_reason() {
    let cases = PAGE_CASES.iter().chain([&KRMPESAN_PAGE, &PORTOS_PAGE]);
    let run: Vec<&str> = cases.map(|(page, ..)| *page).chain([DEBIAN_PAGE, SYSTEMD_PAGE]).collect();
    for page in list_pages() {
        for block in read_blocks(&page) {
            if let Some(reason) = &block.not_run {
                assert!(block.language == "sh" && reason.len() > 10, "{}: \"{reason}\" is no reason", block.location());
            }
        }
        let left: Vec<String> = runnable_blocks(&page).iter().map(|(block, _)| block.location()).collect();
        assert!(
            left.is_empty() || run.contains(&page.as_str()),
            "{left:?}: run them by a row of PAGES, or write `<!-- not run: REASON -->` above each"
        );
        assert!(!left.is_empty() || !run.contains(&page.as_str()), "{page} has nothing to run any more");
    }
}

/// The languages of the blocks that contain no commands.
const OTHER_LANGUAGES: [&str; 10] = ["json", "text", "toml", "rust", "js", "nginx", "caddyfile", "yaml", "ini", "sql"];

/// The programs with which the commands of the pages begin.
const PROGRAMS: [&str; 9] = ["tillgate", "curl", "cargo", "sudo", "systemctl", "openssl", "psql", "podman", "install"];

#[test]
fn every_command_is_in_an_sh_block() {
    for page in list_pages() {
        for block in read_blocks(&page).iter().filter(|block| block.language != "sh") {
            assert!(OTHER_LANGUAGES.contains(&block.language.as_str()), "{}: {}", block.location(), block.language);
            let is_command = |line: &&str| PROGRAMS.contains(&line.trim_start().split(' ').next().unwrap_or_default());
            let command = block.text.lines().filter(|line| line.contains(' ')).find(is_command);
            assert_eq!(command, None, "{}: make it an sh block, which the tests run", block.location());
        }
    }
}

/// The folder that stands for the machine, with a `tillgate` in its path that reads passwords from
/// a file and stops a server once it listens.
pub(super) struct PageSandbox {
    folder: TestFolder,
}

const TILLGATE_SCRIPT: &str = r#"#!/bin/sh
# a server listens on a free port, and is asked to stop once it does
case "$1" in serve) ;; *) exec "$PROGRAM" "$@" <"$PASSWORDS" ;; esac
case "$*" in *--listen*) ;; *) set -- "$@" --listen 127.0.0.1:0 ;; esac
"$PROGRAM" "$@" >served 2>&1 &
server=$!
tries=0
until grep -q '^listening on ' served; do
    tries=$((tries + 1))
    if [ $tries -gt 600 ] || ! kill -0 $server; then cat served >&2; exit 1; fi
    sleep 0.1
done
kill -TERM $server
wait $server
"#;

impl PageSandbox {
    pub(super) fn new() -> Self {
        let folder = TestFolder::new();
        for part in ["bin", "work", "backup", "elsewhere", "etc/bash_completion.d"] {
            std::fs::create_dir_all(folder.join(part)).unwrap();
        }
        std::fs::write(folder.join("bin/tillgate"), TILLGATE_SCRIPT).unwrap();
        std::fs::write(folder.join("passwords"), format!("{PASSWORD}\n")).unwrap();
        std::fs::write(folder.join("work/people.txt"), "anna P01\nbohus P02\n").unwrap();
        std::fs::set_permissions(folder.join("bin/tillgate"), PermissionsExt::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// The text of a page with this folder in place of the machine's.
    pub(super) fn replace_paths(&self, text: &str, data: &Path) -> String {
        let root = self.folder.display();
        text.replace("/var/lib/tillgate", &data.display().to_string())
            .replace(" /backup/", &format!(" {root}/backup/"))
            .replace(" /elsewhere/", &format!(" {root}/elsewhere/"))
            .replace(" /etc/", &format!(" {root}/etc/"))
            .replace("127.0.0.1:8080", "127.0.0.1:0")
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn shell_command(&self, installation: &Installation, script: &str) -> Command {
        let mut sh = Command::new("sh");
        self.prepare(&mut sh, installation);
        sh.args(["-e", "-c", script]);
        sh
    }

    /// Sets the folder and the variables of a command.
    pub(super) fn prepare(&self, command: &mut Command, installation: &Installation) {
        let path = format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap());
        command.current_dir(self.folder.join("work")).env("PATH", path);
        command.env("PROGRAM", Installation::program()).env("PASSWORDS", self.folder.join("passwords"));
        command.env("TILLGATE_SERVER__DATA", installation.folder()).env("TILLGATE_OPERATIONS__LISTEN", "127.0.0.1:0");
        if installation.engine() == DatabaseEngine::Postgres {
            command.env("TILLGATE_DATABASE__URL", installation.database());
        }
    }
}

/// Commands of a machine that do nothing here, or work without root.
const SHELL_PRELUDE: &str = r#"
systemctl() { :; }
install() { while [ "$1" = -o ] || [ "$1" = -g ]; do shift 2; done; command install "$@"; }
"#;

fn run_page(page: &PageCase) {
    let (name, before, placeholders) = *page;
    let installation = match before {
        PageSetup::Nothing(engine) => Installation::new(engine),
        PageSetup::Shop => Installation::with_fixture(DatabaseEngine::Sqlite),
    };
    let machine = PageSandbox::new();
    std::fs::set_permissions(installation.folder(), PermissionsExt::from_mode(0o700)).unwrap();
    // a copy of the master key is elsewhere, as the page about backups requires
    let _ = std::fs::copy(installation.folder().join("master.key"), machine.folder.join("elsewhere/master.key"));
    let is_run_elsewhere = |block: &Block| is_for_postgres(block) || is_run_here(block);
    for (block, shown) in runnable_blocks(name).into_iter().filter(|(block, _)| !is_run_elsewhere(block)) {
        let mut text = block.text.clone();
        for (placeholder, value) in placeholders {
            text = text.replace(placeholder, value);
        }
        if text.contains("$api_key") {
            text = text.replacen(
                "tillgate api-key list\n",
                &format!("tillgate api-key list\napi_key={API_KEY_SUBSTITUTION}\n"),
                1,
            );
        }
        let script = format!("{SHELL_PRELUDE}{}", machine.replace_paths(&text, installation.folder()));
        let output = machine.shell_command(&installation, &script).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{} failed:\n{script}\n{out}{err}", block.location());
        if let Some(shown) = shown {
            assert!(matches_shown_lines(&shown, &out), "{} shows\n{shown}\nbut prints\n{out}", block.location());
        }
    }
}

/// A dump and its restore with the commands of docs/backup.md. The role of the server is not that
/// of PostgreSQL's administrator, and the audit log was sealed after the dump.
#[test]
#[ignore = "requires PostgreSQL"]
fn commands_of_a_restore_on_postgresql_run() {
    let server = Server::start(&[]).unwrap();
    for statement in [
        "CREATE ROLE postgres SUPERUSER LOGIN",
        "CREATE ROLE till LOGIN",
        "CREATE DATABASE tillgate OWNER till ENCODING 'UTF8' TEMPLATE template0",
    ] {
        server.sql("postgres", statement).unwrap();
    }
    let address = server.address("tillgate").replace("//tillgate@", "//till@");
    let port = address.split(':').nth(2).unwrap().split('/').next().unwrap().to_owned();
    let installation = Installation::with_database(DatabaseEngine::Postgres, address);
    std::fs::set_permissions(installation.folder(), PermissionsExt::from_mode(0o700)).unwrap();
    installation.run_ok(&["init"], "");
    // a server seals the new events before it stops
    let add_admin = |name: &str| {
        installation.run_ok(&["user", "add", name, "--role", "admin"], PASSWORD);
        let mut running = installation.serve();
        running.stop();
    };
    let machine = PageSandbox::new();
    let run = |block: &Block| {
        let text = machine.replace_paths(&block.text, installation.folder());
        let text = text.replace("tillgate@db.example", "till@127.0.0.1").replace("db.example", "127.0.0.1");
        let script = text.replace("--owner=tillgate", "--owner=till");
        let mut sh = Command::new("sh");
        // the first `doctor` reports the restore with exit code 1
        sh.args(["-c", &script]).current_dir(machine.folder.join("work")).env("PGPORT", &port);
        let path = [server.program_folder(), &machine.folder.join("bin")].map(|folder| folder.display().to_string());
        sh.env("PATH", format!("{}:{}", path.join(":"), std::env::var("PATH").unwrap()));
        sh.env("PROGRAM", Installation::program()).env("PASSWORDS", machine.folder.join("passwords"));
        sh.env("TILLGATE_DATABASE__URL", installation.database());
        let output = sh.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} failed:\n{script}\n{printed}", block.location());
        printed.into_owned()
    };
    let blocks: Vec<Block> = runnable_blocks("docs/backup.md").into_iter().map(|(block, _)| block).collect();
    let blocks: Vec<&Block> = blocks.iter().filter(|block| is_for_postgres(block)).collect();
    let [dump, restore, trial] = blocks.as_slice() else { panic!("{blocks:?}") };
    add_admin("before");
    run(dump);
    add_admin("after");
    let printed = run(restore);
    assert!(printed.contains("FIX   audit: "), "the seal outside the database is newer: {printed}");
    let users = installation.run_ok(&["user", "list"], "");
    assert!(users.contains("before") && !users.contains("after"), "{users}");
    installation.run_ok(&["doctor"], "");
    installation.run_ok(&["audit", "verify"], "");
    // the dump once more, in a database of its own
    std::fs::copy(installation.folder().join("master.key"), machine.folder.join("elsewhere/master.key")).unwrap();
    let printed = run(trial);
    assert!(printed.contains("ok    keys: ") && !printed.contains("FIX "), "{printed}");
}

macro_rules! page {
    ($($(#[$attribute:meta])* $test:ident: $page:expr,)*) => {
        $(
            #[test]
            $(#[$attribute])*
            fn $test() {
                run_page(&$page);
            }
        )*
    };
}

page! {
    commands_of_the_readme_run: PAGE_CASES[0],
    commands_of_the_audit_run: PAGE_CASES[1],
    commands_of_backups_run: PAGE_CASES[2],
    commands_for_gateways_run: PAGE_CASES[3],
    commands_of_operating_run: PAGE_CASES[4],
    #[ignore = "requires PostgreSQL"]
    commands_for_postgresql_run: PAGE_CASES[5],
    commands_behind_a_proxy_run: PAGE_CASES[6],
    commands_for_oauth_run: PAGE_CASES[7],
    #[ignore = "requires OpenSSL"]
    commands_for_containers_run: PAGE_CASES[8],
    commands_of_krmpesan_run: KRMPESAN_PAGE,
    commands_of_portos_run: PORTOS_PAGE,
}

#[test]
fn blocks_in_list_items_are_read() {
    let blocks = read_blocks("docs/tills.md");
    let start = blocks.iter().find(|block| block.text.starts_with("POST /api/v1/enrollments/start\n{")).unwrap();
    assert_eq!((start.language.as_str(), start.text.ends_with("}\n")), ("text", true));
}

#[test]
fn shown_lines_are_compared_exactly() {
    assert!(matches_shown_lines("a: x…\nb: …z", "a: xyz\nb: xyz\n"));
    assert!(matches_shown_lines("a … c … e", "a b c d e"));
    assert!(!matches_shown_lines("a: x…", "a: y"));
    assert!(!matches_shown_lines("a: …z", "a: zy"));
    assert!(!matches_shown_lines("a", "a\nb"));
    assert!(!matches_shown_lines("a", "ab"));
}
