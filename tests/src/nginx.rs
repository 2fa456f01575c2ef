//! Runs nginx as a process on a free port, with our configuration and all of its files in a
//! temporary folder.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tillgate_testkit::TestFolder;

use crate::{raw_http, wait_until};

/// A running nginx process.
pub struct Nginx {
    child: Child,
    address: SocketAddr,
    folder: TestFolder,
}

impl Nginx {
    /// Starts nginx with these blocks inside `http`; each `listen 80` and `listen 443 ssl` in them
    /// becomes a free port.
    pub fn start(blocks: &str) -> Self {
        let folder = TestFolder::new();
        let address = raw_http::find_free_address();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("    {kind}_temp_path {kind};"))
            .join("\n");
        let blocks = blocks.replace("listen 80;", &format!("listen {address};"));
        let blocks = blocks.replace("listen 443 ssl;", &format!("listen {address} ssl;"));
        let text = format!(
            "pid nginx.pid;\ndaemon off;\nmaster_process off;\nerror_log error.log warn;\nevents {{}}\n\
             http {{\n    access_log off;\n{temporary}\n{blocks}\n}}\n"
        );
        std::fs::write(folder.join("nginx.conf"), text).unwrap();
        let program =
            ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].into_iter().find(|path| std::fs::exists(path).unwrap());
        let mut command = Command::new(program.unwrap_or("nginx"));
        command.arg("-p").arg(&*folder).args(["-e", "error.log", "-c", "nginx.conf"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("nginx is missing: tests/run install");
        wait_until(Duration::from_secs(20), "nginx", || {
            if let Some(ended) = child.try_wait().unwrap() {
                panic!(
                    "nginx ended ({ended}): {}",
                    std::fs::read_to_string(folder.join("error.log")).unwrap_or_default()
                );
            }
            TcpStream::connect(address).is_ok()
        });
        Self { child, address, folder }
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Sends these bytes over a new connection and returns what comes back until the connection is
    /// closed.
    pub fn send(&self, request: &str) -> String {
        raw_http::send_raw(self.address, request)
    }

    /// The content of nginx's error log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("nginx's log:\n{}", self.log());
        }
    }
}
