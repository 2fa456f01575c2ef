//! Runs Caddy as a process on a free port, with our configuration and all of its files in a
//! temporary folder.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tillgate_testkit::TestFolder;

use crate::{raw_http, wait_until};

/// A running Caddy process.
pub struct Caddy {
    child: Child,
    address: SocketAddr,
    folder: TestFolder,
}

impl Caddy {
    /// Starts Caddy with the configuration of one site, `pos.example { ... }`, which is served on a
    /// free port without TLS.
    pub fn start(site: &str) -> Self {
        let folder = TestFolder::new();
        let address = raw_http::find_free_address();
        let here = format!("http://:{} {{\n\tbind 127.0.0.1\n", address.port());
        let site = site.replacen("pos.example {\n", &here, 1);
        std::fs::write(folder.join("Caddyfile"), format!("{{\n\tadmin off\n\tauto_https off\n}}\n{site}")).unwrap();
        let mut command = Command::new("caddy");
        command.args(["run", "--config", "Caddyfile", "--adapter", "caddyfile"]).current_dir(&folder);
        let mut child = command
            .env("HOME", &*folder)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("log")).unwrap())
            .spawn()
            .expect("caddy is missing: tests/run install");
        wait_until(Duration::from_secs(20), "Caddy", || {
            if let Some(ended) = child.try_wait().unwrap() {
                panic!("Caddy ended ({ended}): {}", std::fs::read_to_string(folder.join("log")).unwrap_or_default());
            }
            TcpStream::connect(address).is_ok()
        });
        Self { child, address, folder }
    }

    /// Sends these bytes over a new connection and returns what comes back until the connection is
    /// closed.
    pub fn send(&self, request: &str) -> String {
        raw_http::send_raw(self.address, request)
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("Caddy's log:\n{}", std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
    }
}
