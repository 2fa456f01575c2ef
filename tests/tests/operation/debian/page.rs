//! The commands of docs/debian.md, in the folder that stands for the machine.

use std::process::Command;

use tillgate_tests::PASSWORD;
use tillgate_tests::markdown_pages::read_blocks;

use super::{DPKG_FLAGS, DebianSystem, RESTART_CALL, build_package, has_call, output_text};

/// Commands that need root, and the installed program with the installed settings. `curl` asks the
/// server that systemd would have started.
const PAGE_PRELUDE: &str = r#"
sudo() { if [ "$1" = -u ]; then shift 2; fi; "$@"; }
userdel() { echo "userdel $*"; }
apt() { dpkg --root "$ROOT" $DPKG_FLAGS --"$1" "$2"; }
tillgate() { "$ROOT/usr/bin/tillgate" "$@" --config "$ROOT/etc/tillgate/tillgate.toml" --data "$ROOT/var/lib/tillgate" <passwords; }
curl() {
    "$ROOT/usr/bin/tillgate" serve --config "$ROOT/etc/tillgate/tillgate.toml" --data "$ROOT/var/lib/tillgate" \
        --listen "127.0.0.1:$PORT" >served 2>&1 &
    server=$!
    until grep -q '^listening on ' served; do kill -0 $server || { cat served; exit 1; }; sleep 0.1; done
    command curl "$@"
    kill -TERM $server
    wait $server
}
"#;

#[test]
#[ignore = "requires dpkg and curl"]
fn commands_of_the_page_install_upgrade_and_remove_the_package() {
    let machine = DebianSystem::with_systemd();
    for name in ["target/debian/tillgate_0.1.0-1_amd64.deb", "tillgate_0.2.0-1_amd64.deb"] {
        let link = machine.folder.join(name);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(build_package(), link).unwrap();
    }
    std::fs::write(machine.folder.join("passwords"), format!("{PASSWORD}\n")).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let blocks = read_blocks("docs/debian.md").into_iter().filter(|block| block.language == "sh");
    let commands: String = blocks.filter(|block| block.not_run.is_none()).map(|block| block.text).collect();
    let data = machine.system_path("var/lib/tillgate");
    let commands = commands
        .replace("/var/lib/tillgate", &data.display().to_string())
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))
        .replace("sudo rm ", "ls \"$ROOT/var/lib/tillgate\"; sudo rm ");
    let mut sh = Command::new("sh");
    sh.args(["-e", "-c", &format!("{PAGE_PRELUDE}{commands}")]).current_dir(&*machine.folder);
    sh.env("PATH", format!("{}:{}", machine.folder.join("bin").display(), std::env::var("PATH").unwrap()));
    sh.env("ROOT", machine.folder.join("root")).env("DPKG_FLAGS", DPKG_FLAGS.join(" "));
    sh.env("PORT", port.to_string()).env("TILLGATE_OPERATIONS__LISTEN", "");
    let output = sh.output().unwrap();
    let said = output_text(&output);
    assert!(output.status.success(), "{commands}\n{said}");
    for part in ["admin: added", "\"status\":\"ready\"", "before-upgrade.db", "userdel tillgate"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let called = machine.take_calls();
    assert_eq!(called.iter().filter(|each| *each == RESTART_CALL).count(), 2, "installed and upgraded: {called:?}");
    assert!(has_call(&called, "deb-systemd-invoke stop tillgate.service"), "{called:?}");
    assert!(!data.exists() && !machine.system_path("usr/bin/tillgate").exists());
}
