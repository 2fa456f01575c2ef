//! The statements of a refresh as a prepared `pgbench` script, on the same rows and the same
//! server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tillgate_testkit::postgres::Server;

use crate::statements::{SELECT_SESSION, SELECT_STATE};

/// A script and the database on which it runs.
pub(crate) struct Pgbench {
    program: PathBuf,
    script: PathBuf,
    address: String,
}

impl Pgbench {
    /// Prepares a database, a copy that nothing else uses: its sessions get consecutive ids that
    /// `pgbench` can generate.
    pub(crate) fn new(server: &Server, name: &str, sessions: usize, folder: &Path) -> Self {
        server
            .sql(
                name,
                "UPDATE sessions SET id = int8send(0) || int8send(counted.number) \
                 FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM sessions) counted WHERE counted.id = sessions.id",
            )
            .unwrap();
        server.sql(name, "VACUUM FULL ANALYZE").unwrap();
        let key = server.sql(name, "SELECT encode(key_id, 'hex') FROM sessions LIMIT 1").unwrap();
        let id = "int8send(0) || int8send(:n)";
        // The database increments the generation: fetching it in the script would cost pgbench a
        // lot. A lost race is not repeated.
        let script = format!(
            "\\set n random(1, {sessions})\n\\set now 1790000000000 + :n\nBEGIN ISOLATION LEVEL READ COMMITTED;\n{find};\n{SELECT_STATE};\n\
             UPDATE sessions SET generation = generation + 1, key_id = '\\x{key}', previous_key_id = '\\x{key}', rotated_at = :now, \
             expires_at = :now, expires_day = expires_day, rotated_from = '127.0.0.1' \
             WHERE id = {id} AND generation >= 0 AND ended_at IS NULL;\nCOMMIT;\n",
            find = SELECT_SESSION.replace("$1", id),
        );
        let file = folder.join("refresh.pgbench");
        fs::write(&file, script).unwrap();
        Self { program: server.program_folder().join("pgbench"), script: file, address: server.address(name) }
    }

    /// Transactions per second.
    pub(crate) fn rate(&self, clients: usize, span: Duration) -> f64 {
        let (clients, seconds) = (clients.to_string(), span.as_secs().max(1).to_string());
        let output = Command::new(&self.program)
            .args(["-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds, "-f"])
            .arg(&self.script)
            .arg(&self.address)
            .output()
            .unwrap();
        let output_text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "pgbench failed: {output_text}{}", String::from_utf8_lossy(&output.stderr));
        let tps = output_text.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap();
        tps.split_whitespace().next().unwrap().parse().unwrap()
    }
}
