//! A PostgreSQL server for tests: one per test process, with a new database for each test.
//!
//! The server has a temporary folder, listens on a Unix socket there and on a free port of
//! 127.0.0.1, and stops when the process ends. On a machine without PostgreSQL the tests that start
//! it fail, so they are marked `#[ignore = "requires PostgreSQL"]` and run with
//! `--include-ignored`.

use std::fs;
use std::io::{self, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::unprivileged_command;

mod standby;

/// A running PostgreSQL server. Dropping it stops the server and removes its folder.
pub struct Server {
    folder: PathBuf,
    program_folder: PathBuf,
    port: u16,
    /// Stops the server if this process ends without dropping it: the watchdog reads from a pipe
    /// that closes when the process ends.
    watchdog: Mutex<Child>,
    databases: AtomicU32,
}

/// Returns the address of a new, empty database on this process's server.
///
/// # Panics
///
/// If PostgreSQL is not installed or does not start. The message says what to do.
pub fn create_database() -> String {
    server().create_database()
}

/// Returns the address of a copy of a database on this process's server, to which no connection is
/// open. A copy takes less time than the migrations of a new database.
///
/// # Panics
///
/// As [`create_database`].
pub fn copy_database(original: &str) -> String {
    server().copy_database(original)
}

/// The server of this process, started at the first call.
///
/// # Panics
///
/// As [`create_database`].
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&[]).unwrap_or_else(|error| panic_without_server(&error)))
}

#[expect(clippy::panic, reason = "a test that cannot have its database has failed")]
fn panic_without_server(error: &io::Error) -> ! {
    panic!("{error}")
}

impl Server {
    /// Starts another server with these settings (`name=value`), for tests that stop, freeze or
    /// fill it.
    ///
    /// # Errors
    ///
    /// If PostgreSQL is not installed, or does not start. The message says what to install, or what
    /// the server reported.
    pub fn start(settings: &[&str]) -> io::Result<Self> {
        let programs = find_programs()?;
        let folder = create_folder()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self {
            watchdog: Mutex::new(spawn_watchdog(&folder)?),
            folder,
            program_folder: programs,
            port,
            databases: AtomicU32::new(0),
        };
        let data = server.folder.join("data");
        run_checked(
            server
                .program_command("initdb")
                .args(["--username=tillgate", "--auth=trust", "--encoding=UTF8", "--locale=C", "--pgdata"])
                .arg(&data),
        )?;
        let mut conf = fs::read_to_string(data.join("postgresql.conf"))?;
        let socket = server.folder.display();
        conf = format!("{conf}\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{socket}'\n");
        conf += "max_connections = 200\n";
        for setting in settings {
            conf.push_str(setting);
            conf.push('\n');
        }
        fs::write(data.join("postgresql.conf"), conf)?;
        server.resume()?;
        Ok(server)
    }

    /// Installs a TLS certificate and restarts the server.
    ///
    /// # Errors
    ///
    /// If the server does not accept the certificate or the key.
    pub fn use_certificate(&self, certificate: &Path, key: &Path) -> io::Result<()> {
        let data = self.folder.join("data");
        for (from, name) in [(certificate, "server.crt"), (key, "server.key")] {
            let to = data.join(name);
            fs::copy(from, &to)?;
            #[cfg(unix)]
            {
                // The server rejects a key that others may read.
                fs::set_permissions(&to, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
                crate::give_to_unprivileged_user(&to)?;
            }
        }
        self.sql("postgres", "ALTER SYSTEM SET ssl = on")?;
        run_checked(self.pg_ctl("restart").args(["-m", "fast", "-l"]).arg(self.folder.join("log"))).map(drop)
    }

    /// Creates an empty database and returns its address.
    ///
    /// # Panics
    ///
    /// If the server cannot create it.
    pub fn create_database(&self) -> String {
        self.create_from("template1")
    }

    /// Copies the database with this address and returns the address of the copy. No connection to
    /// it may be open; PostgreSQL waits up to five seconds for the last one to end.
    ///
    /// # Panics
    ///
    /// If the server cannot copy it.
    pub fn copy_database(&self, original: &str) -> String {
        self.create_from(original.rsplit('/').next().unwrap_or_default())
    }

    fn create_from(&self, template: &str) -> String {
        let name = format!("shop_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .unwrap_or_else(|error| panic_without_server(&error));
        self.address(&name)
    }

    /// The address of a database on this server.
    pub fn address(&self, database: &str) -> String {
        format!("postgres://tillgate@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL statements with psql and returns the output.
    ///
    /// # Errors
    ///
    /// If a statement fails, with the output of psql.
    pub fn sql(&self, database: &str, statements: &str) -> io::Result<String> {
        let mut psql = Command::new(self.program_folder.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.address(database), "-c", statements]);
        Ok(String::from_utf8_lossy(&run_checked(&mut psql)?.stdout).trim().to_owned())
    }

    /// Stops the server immediately, as a crash would: open transactions are lost, committed ones
    /// are not.
    ///
    /// # Errors
    ///
    /// If the server does not stop, with the output of `pg_ctl`.
    pub fn crash(&self) -> io::Result<()> {
        run_checked(self.pg_ctl("stop").args(["-m", "immediate"])).map(drop)
    }

    /// Starts the server again after [`crash`](Self::crash).
    ///
    /// # Errors
    ///
    /// If the server does not start, with its log.
    pub fn resume(&self) -> io::Result<()> {
        let log = self.folder.join("log");
        run_checked(self.pg_ctl("start").arg("-l").arg(&log))
            .map(drop)
            .map_err(|error| io::Error::other(format!("{error}\n{}", fs::read_to_string(&log).unwrap_or_default())))
    }

    /// Freezes the server, as a hanging disk would: it accepts connections and answers nothing.
    ///
    /// # Errors
    ///
    /// If its processes cannot be signaled.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal("STOP")
    }

    /// Resumes the server after [`freeze`](Self::freeze).
    ///
    /// # Errors
    ///
    /// As `freeze`.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal("CONT")
    }

    /// Sends a signal to the server process and its children.
    fn signal(&self, signal: &str) -> io::Result<()> {
        let pid_file = fs::read_to_string(self.folder.join("data").join("postmaster.pid"))?;
        let leader = pid_file.lines().next().unwrap_or_default();
        let mut children = vec![leader.to_owned()];
        for entry in fs::read_dir("/proc")?.filter_map(Result::ok) {
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // "pid (name) state parent": the name may contain any character, so the fields are read
            // after the last parenthesis (proc(5)).
            let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
            if parent == Some(leader) {
                children.extend(entry.file_name().to_str().map(str::to_owned));
            }
        }
        run_checked(Command::new("kill").arg(format!("-{signal}")).args(children)).map(drop)
    }

    /// The folder with PostgreSQL's programs, such as `pgbench` and `pg_dump`.
    pub fn program_folder(&self) -> &Path {
        &self.program_folder
    }

    fn pg_ctl(&self, what: &str) -> Command {
        let mut control = self.program_command("pg_ctl");
        control.arg(what).args(["-w", "-t", "60", "-D"]).arg(self.folder.join("data"));
        control
    }

    /// PostgreSQL refuses to run as root. If the tests do, it runs as the owner of its folder.
    fn program_command(&self, name: &str) -> Command {
        let mut command = unprivileged_command(&self.program_folder.join(name));
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.thaw());
        drop(run_checked(self.pg_ctl("stop").args(["-m", "immediate"])));
        let mut watcher = self.watchdog.lock().unwrap_or_else(PoisonError::into_inner);
        drop(watcher.stdin.take());
        drop(watcher.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Finds the folder of `initdb` and `pg_ctl`: `POSTGRES_BIN`, the newest version in Debian's
/// folders, or `PATH`.
fn find_programs() -> io::Result<PathBuf> {
    let mut places: Vec<PathBuf> = std::env::var_os("POSTGRES_BIN").into_iter().map(PathBuf::from).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<(u32, PathBuf)> = versions
            .filter_map(Result::ok)
            .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
            .collect();
        versions.sort();
        places.extend(versions.into_iter().rev().map(|(_, folder)| folder));
    }
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    places.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file()).ok_or_else(
        || {
            io::Error::other(
                "the tests start a PostgreSQL server of their own, but no initdb was found: install PostgreSQL 15 or \
             newer (Debian: apt-get install postgresql), or set POSTGRES_BIN to the folder of its programs",
            )
        },
    )
}

/// Creates a folder to which the server's user may write.
fn create_folder() -> io::Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("tillgate-pg-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir(&folder)?;
    #[cfg(unix)]
    crate::give_to_unprivileged_user(&folder)?;
    Ok(folder)
}

/// Starts a shell that waits until this process's end of the pipe is closed and then stops the
/// server if it still runs. It is needed because a static is never dropped, and neither is anything
/// in a killed test. The shell reads the pid file in the server's own folder, so it cannot stop
/// another server.
fn spawn_watchdog(folder: &Path) -> io::Result<Child> {
    const SCRIPT: &str = "cat >/dev/null; if [ -s \"$0/data/postmaster.pid\" ]; then kill -QUIT \"$(head -n 1 \"$0/data/postmaster.pid\")\"; \
                          for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e \"$0/data/postmaster.pid\" ] || break; sleep 0.2; done; fi; rm -rf \"$0\"";
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Keeps a signal from the terminal to the tests from ending the watchdog before them.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Runs a program to its end. An error contains the program's output. The output goes to files: a
/// pipe would be held open by the server that `pg_ctl` leaves running.
fn run_checked(command: &mut Command) -> io::Result<Output> {
    let (mut out, mut err) = (create_scratch_file()?, create_scratch_file()?);
    let status = command
        .stdin(Stdio::null())
        .stdout(out.0.try_clone()?)
        .stderr(err.0.try_clone()?)
        .status()
        .map_err(|error| io::Error::other(format!("{command:?} cannot be started: {error}")))?;
    let output = Output { status, stdout: out.read()?, stderr: err.read()? };
    if output.status.success() {
        return Ok(output);
    }
    Err(io::Error::other(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

struct ScratchFile(fs::File, PathBuf);

impl ScratchFile {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        fs::File::open(&self.1)?.read_to_end(&mut content)?;
        Ok(content)
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.1));
    }
}

fn create_scratch_file() -> io::Result<ScratchFile> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("tillgate-out-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    Ok(ScratchFile(fs::File::create(&path)?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "requires PostgreSQL"]
    fn server_survives_a_crash_and_leaves_nothing_behind() {
        let server = Server::start(&[]).unwrap();
        let folder = server.folder.clone();
        let address = server.create_database();
        assert!(address.ends_with("/shop_0"), "{address}");
        server.sql("shop_0", "CREATE TABLE t (n int); INSERT INTO t VALUES (7)").unwrap();
        assert_eq!(server.sql("shop_0", "SHOW fsync").unwrap(), "on");
        server.crash().unwrap();
        assert!(server.sql("shop_0", "SELECT 1").is_err());
        server.resume().unwrap();
        assert_eq!(server.sql("shop_0", "SELECT n FROM t").unwrap(), "7");
        let address = server.address("shop_0");
        drop(server);
        assert!(!folder.exists());
        assert!(!address.is_empty());
    }

    #[test]
    #[ignore = "requires PostgreSQL"]
    fn every_test_has_its_own_database() {
        assert_ne!(create_database(), create_database());
    }

    #[test]
    #[ignore = "requires PostgreSQL"]
    fn copy_has_the_tables_of_the_original() {
        let name = |address: &str| address.rsplit('/').next().unwrap_or_default().to_owned();
        let original = create_database();
        server().sql(&name(&original), "CREATE TABLE t (n int); INSERT INTO t VALUES (7)").unwrap();
        let copy = copy_database(&original);
        server().sql(&name(&original), "DROP TABLE t").unwrap();
        assert_eq!(server().sql(&name(&copy), "SELECT n FROM t").unwrap(), "7");
    }
}
