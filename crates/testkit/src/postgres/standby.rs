//! A standby of a server, which can take over.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use super::{Server, create_folder, run_checked, spawn_watchdog};

/// How often a new standby is asked whether it is synchronous, and how long to wait in between.
const SYNC_POLLS: u32 = 300;
const SYNC_POLL_INTERVAL: Duration = Duration::from_millis(100);

impl Server {
    /// Starts a standby with streaming replication. From now on, this server answers a commit only
    /// after the standby has written it.
    ///
    /// # Errors
    ///
    /// If the standby does not start or does not become synchronous, with the output of the program
    /// that failed.
    pub fn start_synchronous_standby(&self) -> io::Result<Self> {
        let folder = create_folder()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let standby = Self {
            watchdog: Mutex::new(spawn_watchdog(&folder)?),
            folder,
            program_folder: self.program_folder.clone(),
            port,
            databases: AtomicU32::new(0),
        };
        let data = standby.folder.join("data");
        run_checked(
            standby
                .program_command("pg_basebackup")
                .args(["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--dbname"])
                .arg(self.address("postgres"))
                .arg("--pgdata")
                .arg(&data),
        )?;
        let path = data.join("postgresql.conf");
        let socket = standby.folder.display();
        // of two lines for one setting, the last one applies
        let own = format!("\nport = {port}\nunix_socket_directories = '{socket}'\n");
        fs::write(&path, fs::read_to_string(&path)? + &own)?;
        standby.resume()?;
        self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")?;
        self.sql("postgres", "SELECT pg_reload_conf()")?;
        for _ in 0..SYNC_POLLS {
            if self.sql("postgres", "SELECT sync_state FROM pg_stat_replication")? == "sync" {
                return Ok(standby);
            }
            std::thread::sleep(SYNC_POLL_INTERVAL);
        }
        Err(io::Error::other("the standby did not become synchronous"))
    }

    /// Makes a standby accept writes.
    ///
    /// # Errors
    ///
    /// If the server is no standby, or does not finish its recovery.
    pub fn promote(&self) -> io::Result<()> {
        run_checked(&mut self.pg_ctl("promote")).map(drop)
    }

    /// Ends a server that was [frozen](Self::freeze), as fencing does: it answers nothing any more.
    ///
    /// # Errors
    ///
    /// If its processes cannot be signaled.
    pub fn fence(&self) -> io::Result<()> {
        self.signal("QUIT")?;
        self.thaw()
    }

    /// The host and port of the server, for an address with several hosts.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
