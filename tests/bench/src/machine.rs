//! The machine of a run, so that its numbers can be compared with those of another machine.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::measurement::median;

/// Properties of the machine and its software.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MachineInfo {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    pub(crate) postgres: String,
    /// The median time to write 4 KiB to the disk and sync it, in microseconds.
    pub(crate) fsync_micros: f64,
    /// The load average over one minute before the run.
    pub(crate) load_before: f64,
}

impl MachineInfo {
    pub(crate) fn inspect(folder: &Path) -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor =
            cpu.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib: f64 = memory.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(f64::NAN);
        Self {
            processor: processor.unwrap_or("unknown").to_owned(),
            cores: crate::benchmark_run::BenchmarkRun::core_count(),
            memory_gib: kib / 1024.0 / 1024.0,
            kernel: command_output("uname", &["-sr"]),
            rustc: command_output("rustc", &["--version"]),
            postgres: command_output("psql", &["--version"]),
            fsync_micros: measure_fsync(folder),
            load_before: load_average(),
        }
    }

    /// A line that describes the machine.
    pub(crate) fn describe(&self) -> String {
        format!(
            "{}, {} cores, {:.0} GiB; {}; {}; {}; fsync of 4 KiB {:.0} µs; load before {:.2}",
            self.processor,
            self.cores,
            self.memory_gib,
            self.kernel,
            self.rustc,
            self.postgres,
            self.fsync_micros,
            self.load_before
        )
    }
}

/// Pins this thread, and the processes that it starts, to one core. If two processes alternate, the
/// time to wake one on another core varies more than their own work.
pub(crate) struct SingleCoreGuard {
    allowed: String,
}

impl SingleCoreGuard {
    pub(crate) fn pin() -> Self {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
        let one = allowed.rsplit([',', '-']).next().unwrap();
        set_affinity(one);
        Self { allowed: allowed.to_owned() }
    }
}

impl Drop for SingleCoreGuard {
    fn drop(&mut self) {
        set_affinity(&self.allowed);
    }
}

fn set_affinity(cores: &str) {
    let thread = fs::read_link("/proc/thread-self").unwrap();
    let thread = thread.file_name().unwrap().to_str().unwrap();
    let done = Command::new("taskset").args(["-cp", cores, thread]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The load average over the last minute.
pub(crate) fn load_average() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

fn command_output(program: &str, arguments: &[&str]) -> String {
    match Command::new(program).args(arguments).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(_) => format!("no {program}"),
    }
}

fn measure_fsync(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("fsync")).unwrap();
    let block = [7; 4096];
    let until = Instant::now() + Duration::from_secs(1);
    let mut times = Vec::new();
    while Instant::now() < until {
        let begun = Instant::now();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&block).unwrap();
        file.sync_data().unwrap();
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    median(times.into_iter())
}
