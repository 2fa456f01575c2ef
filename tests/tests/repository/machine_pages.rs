//! Blocks of the documentation that need more than a folder: a machine with systemd, a terminal on
//! which a command asks, a machine with a key. What is missing here (systemd itself, root) is
//! replaced by functions of the shell.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::json;
use tillgate_testkit::ProofSigner;
use tillgate_tests::markdown_pages::{Block, read_blocks, repository_root};
use tillgate_tests::{DatabaseEngine, Installation, post_with_proof};

use super::pages::{PageSandbox, runnable_blocks};

/// Texts of the blocks that this file runs on pages whose other blocks `pages.rs` runs.
const OWN_BLOCKS: [&str; 4] = ["keys recreate", "session end --everyone", "device accept", "device revoke-key"];

/// The page that this file runs as a whole.
pub(super) const SYSTEMD_PAGE: &str = "docs/systemd.md";

/// Whether this file runs a block of a page that `pages.rs` runs.
pub(super) fn is_run_here(block: &Block) -> bool {
    OWN_BLOCKS.iter().any(|text| block.text.contains(text))
}

/// The block of a page with this text.
fn find_block(page: &str, text: &str) -> Block {
    let blocks = read_blocks(page).into_iter().filter(|block| block.language == "sh" && block.text.contains(text));
    let [block] = blocks.collect::<Vec<_>>().try_into().unwrap();
    block
}

/// Runs commands on a terminal, and types `input`. Returns what the terminal shows.
fn run_on_terminal(machine: &PageSandbox, installation: &Installation, commands: &str, input: &str) -> String {
    let commands = machine.replace_paths(commands, installation.folder());
    // the sandbox's own `tillgate` reads from a file
    let program = format!("tillgate() {{ \"$PROGRAM\" \"$@\"; }}\n{commands}");
    std::fs::write(machine.folder().join("work/commands.sh"), program).unwrap();
    let mut script = Command::new("script");
    machine.prepare(&mut script, installation);
    script.args(["--quiet", "--return", "--command", "sh -e commands.sh", "/dev/null"]);
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{commands}\n{shown}");
    shown
}

#[test]
#[ignore = "requires script"]
fn keys_are_recreated_as_the_page_says() {
    // no server has run on it: the command refuses while one may still have the keys
    let installation = Installation::new(DatabaseEngine::Sqlite);
    installation.run_ok(&["init"], "");
    let machine = PageSandbox::new();
    std::fs::remove_file(installation.folder().join("master.key")).unwrap();
    let block = find_block("docs/backup.md", "keys recreate");
    let shown = run_on_terminal(&machine, &installation, &block.text, "y\n");
    assert!(shown.contains("[y/N]"), "{shown}");
    assert!(installation.folder().join("master.key").exists());
    installation.run_ok(&["audit", "list"], "");
    drop(installation.serve());
}

#[test]
#[ignore = "requires script"]
fn all_sessions_are_ended_as_the_page_says() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let till = server.new_till().login("cashier", "P01");
    let block = find_block("docs/operating.md", "session end --everyone");
    let shown = run_on_terminal(&PageSandbox::new(), &installation, &block.text, "y\n");
    assert!(shown.contains("[y/N]") && shown.contains("1 session ended"), "{shown}");
    let current = "/api/v1/sessions/current";
    tillgate_tests::wait_until(std::time::Duration::from_secs(5), "the end of the session", || {
        till.get(current).status() == 401
    });
}

#[test]
#[ignore = "requires script"]
fn machine_is_accepted_denied_and_its_key_revoked_as_the_page_says() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    installation.run_ok(&["tenant", "set", "--machine-codes", "true"], "");
    let server = installation.serve();
    let body = json!({ "storage": "software", "label": "Box", "app": "Kasa 5.1" });
    let [accepted, denied] = [1, 2].map(|number| {
        let signer = ProofSigner::ed25519(number);
        let started = post_with_proof(&server, &signer, "/api/v1/enrollments/start", &body).expect_status(200);
        installation.secrets().add(&started.text_at("/device_code"));
        (signer, started)
    });
    let machine = PageSandbox::new();
    let block = find_block("docs/operating.md", "device accept");
    let [accept, deny] = block.text.lines().collect::<Vec<_>>().try_into().unwrap();
    let (code, other) = (accepted.1.text_at("/user_code"), denied.1.text_at("/user_code"));
    let accept = accept.replace("KQLZ-SGBV", &code).replace("4712", &accepted.1.text_at("/fingerprint"));
    run_on_terminal(&machine, &installation, &format!("{accept}\n{}\n", deny.replace("KQLZ-SGBV", &other)), "");
    let poll = |(signer, started): &(ProofSigner, tillgate_tests::TestResponse)| {
        let body = json!({ "device_code": started.text_at("/device_code") });
        post_with_proof(&server, signer, "/api/v1/enrollments/poll", &body)
    };
    let enrolled = poll(&accepted).expect_status(200);
    assert_eq!(poll(&denied).expect_status(400).text_at("/code"), "access_denied");

    let block = find_block("docs/operating.md", "device revoke-key");
    let shown = run_on_terminal(&machine, &installation, &block.text, "y\n");
    assert!(shown.contains("[y/N]"), "{shown}");
    let refresh = json!({ "refresh_token": enrolled.text_at("/refresh_token") });
    tillgate_tests::wait_until(std::time::Duration::from_secs(5), "the end of the key's session", || {
        post_with_proof(&server, &accepted.0, "/api/v1/sessions/refresh", &refresh).status() == 401
    });
}

/// Commands that need root or systemd. `systemctl` starts the server as the unit does, with the key
/// of `LoadCredential`.
const SYSTEMD_PRELUDE: &str = r#"
sudo() { if [ "$1" = -u ]; then shift 2; fi; "$@"; }
useradd() { :; }
cargo() { :; }
stop() { [ -z "$server" ] || { kill -TERM "$server"; wait "$server"; }; }
systemctl() {
    case "$1" in enable | restart) ;; *) return ;; esac
    stop
    env "$KEY" "$PROGRAM" serve --data "$DATA" --config "$SETTINGS" --listen "127.0.0.1:$PORT" >served 2>&1 &
    server=$!
    tries=0
    until grep -q '^listening on ' served; do
        tries=$((tries + 1))
        if [ $tries -gt 600 ] || ! kill -0 $server; then cat served >&2; exit 1; fi
        sleep 0.1
    done
}
trap stop EXIT
server=
"#;

#[test]
#[ignore = "requires curl and OpenSSL"]
fn commands_for_systemd_run() {
    let installation = Installation::new(DatabaseEngine::Sqlite);
    let machine = PageSandbox::new();
    let root = machine.folder();
    for part in ["usr/local/bin", "etc/systemd/system", "work/target/release"] {
        std::fs::create_dir_all(root.join(part)).unwrap();
    }
    for part in ["config", "packaging"] {
        std::os::unix::fs::symlink(repository_root().join(part), root.join("work").join(part)).unwrap();
    }
    std::os::unix::fs::symlink(Installation::program(), root.join("work/target/release/tillgate")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let blocks = runnable_blocks(SYSTEMD_PAGE);
    assert_eq!(blocks.len(), 4, "all blocks of the page: {blocks:?}");
    // one shell, so that it can wait for the server that it has started
    let text: String = blocks.iter().map(|(block, _)| block.text.as_str()).collect();
    let text = machine
        .replace_paths(&text, installation.folder())
        .replace(" /usr/", &format!(" {}/usr/", root.display()))
        .replace("=/etc/", &format!("={}/etc/", root.display()))
        .replace("127.0.0.1:0", &format!("127.0.0.1:{port}"))
        // there is no such user
        .replace(" -o tillgate -g tillgate", "");
    let mut sh = machine.shell_command(&installation, &format!("{SYSTEMD_PRELUDE}{text}"));
    sh.env_remove("TILLGATE_SERVER__DATA").env("PROGRAM", root.join("usr/local/bin/tillgate"));
    sh.env("DATA", installation.folder()).env("SETTINGS", root.join("etc/tillgate/tillgate.toml"));
    sh.env("PORT", port.to_string());
    sh.env("KEY", format!("TILLGATE_KEYS__MASTER_FILE={}/etc/tillgate/master.key", root.display()));
    let output = sh.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}\n{out}{err}");
    assert!(out.contains("\"status\":\"ready\"") && out.contains("admin: added"), "{out}{err}");
    assert!(installation.folder().join("before-upgrade.db").exists() && root.join("etc/systemd/system").exists());
    assert!(!installation.folder().join("master.key").exists(), "the key is kept apart from the data");
}
