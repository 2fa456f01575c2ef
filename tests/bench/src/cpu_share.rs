//! A server that gets a share of one core and no more, while whatever loads it has the other cores.
//!
//! Where control groups may be made, their quota limits it, as it limits a container. Elsewhere the process is stopped for the rest
//! of every period, which costs it some of its share: each of its threads is woken to stop and to go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How long a period is. It is short beside what is measured.
const SIGNAL_PERIOD: Duration = Duration::from_millis(20);

/// Holds a process at its share until this is dropped.
pub(crate) struct CpuShare {
    limit: ShareMechanism,
    /// The cores of this program before.
    cores: CpuSet,
}

enum ShareMechanism {
    Group(PathBuf),
    Signals { over: Arc<AtomicBool>, keeper: Option<JoinHandle<()>> },
}

impl CpuShare {
    /// Puts every thread of a process on the first core, and lets it run for this share of the time. Threads that this one starts
    /// meanwhile run on the others.
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
            // a thread may have ended meanwhile; those that begin later take it from those that begin them
            let _ = sched_setaffinity(Pid::from_raw(task), &first);
        }
        let limit = create_cgroup(process, share).map_or_else(|| start_signals(process, share), ShareMechanism::Group);
        Self { limit, cores }
    }

    /// By what the share is kept.
    pub(crate) fn mechanism(&self) -> &'static str {
        match self.limit {
            ShareMechanism::Group(_) => "by the quota of a control group",
            ShareMechanism::Signals { .. } => "by stopping it",
        }
    }
}

/// A control group with the process in it, of version 2 or 1; `None` where none may be made.
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
        // the root of a hierarchy is a group itself; of version 1 there is a hierarchy for each kind of limit, below a plain folder
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

/// Stops the process and lets it go on, in turn.
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
                // a group can be removed when nothing is in it any more
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
