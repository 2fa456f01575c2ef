//! The Debian package: built by cargo-deb from the executable that the tests start, installed by
//! dpkg into a folder, and run there. Commands that would change the machine (`systemd-sysusers`,
//! `runuser`, `chown`, those of systemd) are scripts that record their calls.

mod page;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tillgate_testkit::TestFolder;
use tillgate_tests::{DatabaseEngine, Installation, RunningServer};

fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository_root().join("target"), PathBuf::from)
}

fn run_ok(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed:\n{out}{err}");
    out.into_owned()
}

/// The package, built once per process. It contains the stripped debug build: a release build takes
/// minutes.
fn build_package() -> &'static Path {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        let target = target_folder().join("packaging");
        let built = target.join("release");
        std::fs::create_dir_all(&built).unwrap();
        run_ok(Command::new("strip").arg("-o").arg(built.join("tillgate")).arg(Installation::program()));
        run_ok(Command::new(repository_root().join("packaging/deb/stage")).arg(&built));
        let tool = target.with_file_name("tools/bin/cargo-deb");
        assert!(tool.exists(), "{} is missing: tests/run install", tool.display());
        let mut cargo_deb = Command::new(tool);
        cargo_deb.args(["--no-build", "--no-strip", "--locked", "--fast"]);
        cargo_deb.args(["--package", "tillgate-server", "--output"]).arg(target.join("tillgate.deb"));
        cargo_deb.current_dir(repository_root()).env("CARGO_TARGET_DIR", &target);
        run_ok(&mut cargo_deb);
        target.join("tillgate.deb")
    })
}

/// A system in a folder: a dpkg database, a table of users, and stand-ins for commands that would
/// change the machine.
struct DebianSystem {
    folder: TestFolder,
}

/// The commands that are replaced. `runuser` runs its command as the user of the test;
/// `deb-systemd-helper` knows what it has enabled.
const STAND_IN_COMMANDS: [(&str, &str); 8] = [
    ("systemctl", ""),
    ("deb-systemd-invoke", ""),
    ("chown", ""),
    ("systemd-sysusers", "echo 'tillgate:x:990:991::/var/lib/tillgate:/usr/sbin/nologin' >>\"$DPKG_ROOT/etc/passwd\""),
    ("runuser", "shift 3; exec \"$@\""),
    ("ldconfig", ""),
    ("start-stop-daemon", ""),
    (
        "deb-systemd-helper",
        "state=\"$DPKG_ROOT/state\"; [ \"$1\" != --quiet ] || shift\n\
         case $1 in debian-installed | was-enabled) [ -e \"$state\" ] ;; enable) touch \"$state\" ;; purge) rm -f \"$state\" ;; esac",
    ),
];

/// A temporary folder need not survive a power cut.
const DPKG_FLAGS: [&str; 6] = [
    "--log=/dev/null",
    "--force-not-root",
    "--force-script-chrootless",
    "--force-depends",
    "--force-bad-path",
    "--force-unsafe-io",
];

impl DebianSystem {
    fn new() -> Self {
        let folder = TestFolder::new();
        for part in ["root/var/lib/dpkg/updates", "root/var/lib/dpkg/info", "root/etc", "bin"] {
            std::fs::create_dir_all(folder.join(part)).unwrap();
        }
        std::fs::write(folder.join("root/var/lib/dpkg/status"), "").unwrap();
        std::fs::write(folder.join("root/etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
        std::fs::write(folder.join("called"), "").unwrap();
        for (name, does) in STAND_IN_COMMANDS {
            let script = folder.join("bin").join(name);
            let called = folder.join("called");
            let text = format!("#!/bin/sh\necho \"{name} $*\" >>'{}'\n{does}\n", called.display());
            std::fs::write(&script, text).unwrap();
            std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    /// A system that was started by systemd.
    fn with_systemd() -> Self {
        let machine = Self::new();
        std::fs::create_dir_all(machine.system_path("run/systemd/system")).unwrap();
        machine
    }

    fn system_path(&self, path: &str) -> PathBuf {
        self.folder.join("root").join(path)
    }

    /// Runs dpkg on the system, and returns its output and that of the maintainer scripts.
    fn run_dpkg(&self, arguments: &[&str]) -> String {
        let path = format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap());
        let mut dpkg = Command::new("dpkg");
        dpkg.arg("--root").arg(self.system_path("")).args(DPKG_FLAGS).args(arguments).env("PATH", path);
        let output = dpkg.output().unwrap();
        let said = output_text(&output);
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }

    fn install_package(&self) -> String {
        self.run_dpkg(&["--install", build_package().to_str().unwrap()])
    }

    /// The calls of the stand-ins since the last call.
    fn take_calls(&self) -> Vec<String> {
        let called = std::fs::read_to_string(self.folder.join("called")).unwrap();
        std::fs::write(self.folder.join("called"), "").unwrap();
        called.lines().map(str::to_owned).collect()
    }

    fn file_mode(&self, path: &str) -> u32 {
        std::fs::metadata(self.system_path(path)).unwrap_or_else(|error| panic!("{path}: {error}")).permissions().mode()
            & 0o7777
    }

    /// A command of the installed executable with the installed settings.
    fn tillgate_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.system_path("usr/bin/tillgate"));
        command.args(arguments).arg("--config").arg(self.system_path("etc/tillgate/tillgate.toml"));
        command.arg("--data").arg(self.system_path("var/lib/tillgate")).env_clear();
        command
    }
}

fn output_text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn has_call(called: &[String], line: &str) -> bool {
    called.iter().any(|each| each == line)
}

const ENABLE_CALL: &str = "deb-systemd-helper enable tillgate.service";
const RESTART_CALL: &str = "deb-systemd-invoke restart tillgate.service";

#[test]
#[ignore = "requires dpkg"]
fn package_has_its_metadata_and_dependencies() {
    let control = run_ok(Command::new("dpkg-deb").arg("--field").arg(build_package()));
    let manifest = std::fs::read_to_string(repository_root().join("Cargo.toml")).unwrap();
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).unwrap().trim_matches('"');
    let changelog = std::fs::read_to_string(repository_root().join("packaging/deb/changelog")).unwrap();
    assert!(
        changelog.starts_with(&format!("tillgate ({version}-1) ")),
        "packaging/deb/changelog begins with {version}-1"
    );
    for line in [
        "Package: tillgate",
        &format!("Version: {version}-1"),
        "Section: net",
        "Priority: optional",
        "Description: Authentication server for points of sale",
    ] {
        assert!(control.lines().any(|each| each == line), "{line} is not in\n{control}");
    }
    let depends = control.lines().find(|line| line.starts_with("Depends: ")).unwrap();
    assert!(depends.contains("libc6 (>= ") && depends.contains("systemd | systemd-standalone-sysusers"), "{depends}");
}

#[test]
#[ignore = "requires dpkg"]
fn installed_files_have_their_modes_and_scripts_are_valid() {
    let machine = DebianSystem::with_systemd();
    machine.install_package();
    for (path, mode) in [
        ("usr/bin/tillgate", 0o755),
        ("usr/lib/systemd/system/tillgate.service", 0o644),
        ("usr/lib/sysusers.d/tillgate.conf", 0o644),
        ("etc/tillgate/tillgate.toml", 0o644),
        ("usr/share/man/man1/tillgate.1.gz", 0o644),
        ("usr/share/man/man1/tillgate-user-add.1.gz", 0o644),
        ("usr/share/bash-completion/completions/tillgate", 0o644),
        ("usr/share/zsh/vendor-completions/_tillgate", 0o644),
        ("usr/share/fish/vendor_completions.d/tillgate.fish", 0o644),
        ("usr/share/doc/tillgate/copyright", 0o644),
        ("usr/share/doc/tillgate/changelog.gz", 0o644),
        ("usr/share/doc/tillgate/changelog.Debian.gz", 0o644),
        ("usr/share/doc/tillgate/tillgate.toml", 0o644),
        ("var/lib/tillgate", 0o700),
        ("var/lib/tillgate/master.key", 0o600),
        ("var/lib/dpkg/info/tillgate.postinst", 0o755),
        ("var/lib/dpkg/info/tillgate.prerm", 0o755),
        ("var/lib/dpkg/info/tillgate.postrm", 0o755),
    ] {
        assert_eq!(machine.file_mode(path), mode, "{path}");
    }
    // a completion script starts the installed program, not that of the folder where it was built
    for (path, start) in [
        ("usr/share/bash-completion/completions/tillgate", "        \"tillgate\" -- \"${words[@]}\""),
        ("usr/share/zsh/vendor-completions/_tillgate", "        tillgate -- \"${words[@]}\""),
        ("usr/share/fish/vendor_completions.d/tillgate.fish", "(_TILLGATE_COMPLETE=fish tillgate -- "),
    ] {
        let script = std::fs::read_to_string(machine.system_path(path)).unwrap();
        assert!(script.contains(start), "{path}: {script}");
    }
    let settings = std::fs::read_to_string(machine.system_path("var/lib/dpkg/info/tillgate.conffiles")).unwrap();
    assert_eq!(settings.trim(), "/etc/tillgate/tillgate.toml");
    for script in ["postinst", "prerm", "postrm"] {
        run_ok(Command::new("sh").arg("-n").arg(machine.system_path(&format!("var/lib/dpkg/info/tillgate.{script}"))));
    }
    let unit = std::fs::read_to_string(machine.system_path("usr/lib/systemd/system/tillgate.service")).unwrap();
    let source = std::fs::read_to_string(repository_root().join("packaging/systemd/tillgate.service")).unwrap();
    let expected: Vec<String> = source
        .lines()
        .filter(|line| !line.starts_with("LoadCredential=") && !line.starts_with("Environment=TILLGATE_KEYS__"))
        .map(|line| line.replace("/usr/local/bin/tillgate", "/usr/bin/tillgate"))
        .collect();
    assert_eq!(unit.lines().collect::<Vec<_>>(), expected);
    assert!(unit.contains("ExecStart=/usr/bin/tillgate serve --data /var/lib/tillgate "), "{unit}");
}

/// The server reads the id of the machine's start below `/proc/sys`, to notice a clock that was set
/// while it was stopped.
#[test]
fn unit_hides_no_part_of_proc_that_the_server_reads() {
    let unit = std::fs::read_to_string(repository_root().join("packaging/systemd/tillgate.service")).unwrap();
    let settings: Vec<&str> = unit.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(settings.iter().any(|line| line.starts_with("ExecStart=")), "{unit}");
    assert!(!settings.iter().any(|line| line.starts_with("ProcSubset=")), "{unit}");
    assert!(!settings.iter().any(|line| line.starts_with("InaccessiblePaths=") && line.contains("/proc")), "{unit}");
}

#[test]
#[ignore = "requires dpkg"]
fn first_installation_creates_a_database_that_serves() {
    let machine = DebianSystem::with_systemd();
    let printed = machine.install_package();
    assert!(printed.contains("created the database"), "{printed}");
    let called = machine.take_calls();
    let single = |line: &str| line.replace("//", "/").replace("/ ", " ");
    let root = machine.folder.join("root");
    let sysusers = format!("systemd-sysusers --root={} tillgate.conf", root.display());
    assert_eq!(single(&called[0]), sysusers);
    let owned = format!("chown 990:991 {}", machine.system_path("var/lib/tillgate").display());
    assert!(called.iter().any(|each| single(each) == owned), "{called:?}");
    assert!(called.iter().any(|each| each.starts_with("runuser -u tillgate -- ")), "{called:?}");
    assert!(has_call(&called, ENABLE_CALL) && has_call(&called, RESTART_CALL), "{called:?}");
    // the executable runs in a folder of its own, which stands for the machine's installation
    let installation = Installation::new(DatabaseEngine::Sqlite);
    let mut serve = machine.tillgate_command(&["serve", "--listen", "127.0.0.1:0"]);
    serve.env("TILLGATE_OPERATIONS__LISTEN", "");
    let server = RunningServer::spawn(&installation, serve);
    server.wait_until_ready();
    assert_eq!(server.new_till().get("/readyz").status(), 200);
    let passwords = machine.system_path("passwords");
    let add = ["user", "add", "admin", "--role", "admin", "--generate", passwords.to_str().unwrap()];
    run_ok(&mut machine.tillgate_command(&add));
}

#[test]
#[ignore = "requires dpkg"]
fn upgrade_removal_and_purge_keep_the_data() {
    let machine = DebianSystem::with_systemd();
    machine.install_package();
    let key = std::fs::read(machine.system_path("var/lib/tillgate/master.key")).unwrap();
    std::fs::write(machine.system_path("etc/tillgate/tillgate.toml"), "[server]\ndata = \"/srv\"\n").unwrap();
    machine.take_calls();
    let kept = |after: &str| {
        assert_eq!(std::fs::read(machine.system_path("var/lib/tillgate/master.key")).unwrap(), key, "{after}");
        assert!(machine.system_path("var/lib/tillgate/tillgate.db").exists(), "{after}");
    };

    machine.install_package();
    let called = machine.take_calls();
    assert!(has_call(&called, RESTART_CALL) && !called.iter().any(|each| each.starts_with("runuser ")), "{called:?}");
    assert_eq!(
        std::fs::read_to_string(machine.system_path("etc/tillgate/tillgate.toml")).unwrap(),
        "[server]\ndata = \"/srv\"\n"
    );
    kept("an upgrade");

    machine.run_dpkg(&["--remove", "tillgate"]);
    let called = machine.take_calls();
    assert!(has_call(&called, "deb-systemd-invoke stop tillgate.service"), "{called:?}");
    assert!(
        !machine.system_path("usr/bin/tillgate").exists() && machine.system_path("etc/tillgate/tillgate.toml").exists()
    );
    kept("a removal");

    machine.install_package();
    let called = machine.take_calls();
    assert!(has_call(&called, ENABLE_CALL) && !called.iter().any(|each| each.starts_with("runuser ")), "{called:?}");

    machine.run_dpkg(&["--remove", "tillgate"]);
    let printed = machine.run_dpkg(&["--purge", "tillgate"]);
    assert!(printed.contains("stay in /var/lib/tillgate"), "{printed}");
    assert!(!machine.system_path("etc/tillgate/tillgate.toml").exists());
    kept("a purge");

    machine.take_calls();
    machine.install_package();
    let called = machine.take_calls();
    assert!(has_call(&called, ENABLE_CALL) && !called.iter().any(|each| each.starts_with("runuser ")), "{called:?}");
    kept("an installation over what a purge left");
}

#[test]
#[ignore = "requires dpkg"]
fn package_starts_nothing_without_systemd() {
    let machine = DebianSystem::new();
    let printed = machine.install_package();
    assert!(printed.contains("no database was made, since systemd does not run here"), "{printed}");
    assert_eq!(std::fs::read_dir(machine.system_path("var/lib/tillgate")).unwrap().count(), 0);
    let called = machine.take_calls();
    assert!(!has_call(&called, ENABLE_CALL) && !has_call(&called, RESTART_CALL), "{called:?}");
    // installed again while it runs, it is still not started: the operator runs `init`
    std::fs::create_dir_all(machine.system_path("run/systemd/system")).unwrap();
    machine.install_package();
    assert_eq!(std::fs::read_dir(machine.system_path("var/lib/tillgate")).unwrap().count(), 0);
    assert!(!has_call(&machine.take_calls(), ENABLE_CALL));
}

#[test]
#[ignore = "requires dpkg"]
fn failed_init_leaves_the_package_installed_and_stopped() {
    let machine = DebianSystem::with_systemd();
    std::fs::create_dir_all(machine.system_path("etc/tillgate")).unwrap();
    std::fs::write(
        machine.system_path("etc/tillgate/tillgate.toml"),
        "[database]\nurl = \"sqlite:/no/such/folder/t.db\"\n",
    )
    .unwrap();
    let printed = machine.run_dpkg(&["--force-confold", "--install", build_package().to_str().unwrap()]);
    assert!(printed.contains("no database was made, and the server is not started"), "{printed}");
    let called = machine.take_calls();
    assert!(!has_call(&called, ENABLE_CALL) && !has_call(&called, RESTART_CALL), "{called:?}");
    let status = machine.run_dpkg(&["--status", "tillgate"]);
    assert!(status.contains("Status: install ok installed"), "{status}");
}

/// `sudo -u tillgate tillgate …` in a folder that the user cannot read: `./data` there is not an
/// error in the settings.
#[test]
fn unreadable_default_folder_is_ignored() {
    let folder = TestFolder::new();
    folder.write("data", "a file, so nothing is in it");
    let doctor = |arguments: &[&str]| {
        let mut command = Command::new(Installation::program());
        output_text(&command.arg("doctor").args(arguments).current_dir(&folder).env_clear().output().unwrap())
    };
    let passed = doctor(&[]);
    assert!(!passed.contains("tillgate.toml"), "{passed}");
    let named = doctor(&["--data", "./data"]);
    assert!(named.contains("./data/tillgate.toml"), "a folder that was named is looked into: {named}");
}
