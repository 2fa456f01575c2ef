//! Limits a server to a share of one core, while the load generator has the other cores.
//!
//! If control groups can be created, a quota limits the process, as it limits a container.
//! Otherwise the process is stopped by signals for the rest of every period, which costs it some of
//! its share, because each of its threads is woken to stop and to continue.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The length of a period; it is short compared with what is measured.
const SIGNAL_PERIOD: Duration = Duration::from_millis(20);

/// Limits a process to its share until this is dropped.
pub(crate) struct CpuShare {
    limit: ShareMechanism,
    /// The cores that this program could use before.
    cores: CpuSet,
}

enum ShareMechanism {
    Group(PathBuf),
    Signals { over: Arc<AtomicBool>, keeper: Option<JoinHandle<()>> },
}

impl CpuShare {
    /// Moves all threads of a process to the first core, and lets it run for this share of the
    /// time. Threads that this thread starts meanwhile run on the other cores.
    pub(crate) fn limit_process(process: u32, share: f64) -> Self {
        let cores = sched_getaffinity(None).unwrap();
        let (mut first, mut others) = (CpuSet::new(), cores);
        let number = (0..CpuSet::MAX_CPU).find(|number| cores.is_set(*number)).unwrap();
        first.set(number);
        others.unset(number);
        if others.count() > 0 {
            sched_setaffinity(None, &others).unwrap();
        }
        for task in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
            let task = task.unwrap().file_name().to_str().unwrap().parse().unwrap();
            // a thread may have ended meanwhile; later threads inherit the cores of the thread that
            // starts them
            let _ = sched_setaffinity(Pid::from_raw(task), &first);
        }
        let limit = create_cgroup(process, share).map_or_else(|| start_signals(process, share), ShareMechanism::Group);
        Self { limit, cores }
    }

    /// The mechanism that enforces the share, for the notes.
    pub(crate) fn mechanism(&self) -> &'static str {
        match self.limit {
            ShareMechanism::Group(_) => "by the quota of a control group",
            ShareMechanism::Signals { .. } => "by stopping it",
        }
    }
}

/// Creates a control group (version 2 or 1) for the process; `None` if none can be created.
fn create_cgroup(process: u32, share: f64) -> Option<PathBuf> {
    let (period, quota) = (SIGNAL_PERIOD.as_micros(), SIGNAL_PERIOD.mul_f64(share).as_micros());
    let kinds = [
        ("/sys/fs/cgroup", vec![("cpu.max", format!("{quota} {period}"))]),
        (
            "/sys/fs/cgroup/cpu",
            vec![("cpu.cfs_period_us", period.to_string()), ("cpu.cfs_quota_us", quota.to_string())],
        ),
    ];
    kinds.into_iter().find_map(|(root, limits)| {
        let root = Path::new(root);
        // the root of a hierarchy is a group itself; in version 1 each controller has a hierarchy
        // below a plain folder
        if !root.join("cgroup.procs").exists() {
            return None;
        }
        let group = root.join(format!("tillgate-bench-{process}"));
        fs::create_dir(&group).ok()?;
        let joined = limits
            .iter()
            .map(|(file, limit)| (*file, limit.clone()))
            .chain([("cgroup.procs", process.to_string())])
            .try_for_each(|(file, text)| fs::write(group.join(file), text));
        if joined.is_err() {
            let _ = fs::remove_dir(&group);
        }
        joined.ok().map(|()| group)
    })
}

/// Stops and continues the process alternately.
fn start_signals(process: u32, share: f64) -> ShareMechanism {
    let pid = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let keeper = thread::spawn({
        let over = Arc::clone(&over);
        move || {
            while !over.load(Ordering::Relaxed) {
                let _ = kill_process(pid, Signal::CONT);
                thread::sleep(SIGNAL_PERIOD.mul_f64(share));
                let _ = kill_process(pid, Signal::STOP);
                thread::sleep(SIGNAL_PERIOD.mul_f64(1.0 - share));
            }
            let _ = kill_process(pid, Signal::CONT);
        }
    });
    ShareMechanism::Signals { over, keeper: Some(keeper) }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        match &mut self.limit {
            ShareMechanism::Group(group) => {
                // a group can be removed once it is empty
                let parent = group.parent().unwrap();
                let members = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
                for member in members.lines() {
                    let _ = fs::write(parent.join("cgroup.procs"), member);
                }
                let _ = fs::remove_dir(group);
            }
            ShareMechanism::Signals { over, keeper } => {
                over.store(true, Ordering::Relaxed);
                if let Some(keeper) = keeper.take() {
                    let _ = keeper.join();
                }
            }
        }
        let _ = sched_setaffinity(None, &self.cores);
    }
}
