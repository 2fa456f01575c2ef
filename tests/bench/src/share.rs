//! A server that gets a share of one core and no more: it is stopped for the rest of every period.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};

/// How long a period is. It is short beside what is measured.
const PERIOD: Duration = Duration::from_millis(20);

/// Holds a process at its share until this is dropped.
pub(crate) struct Share {
    over: Arc<AtomicBool>,
    keeper: Option<JoinHandle<()>>,
}

impl Share {
    /// Puts every thread of a process on one core, and lets it run for this share of the time.
    pub(crate) fn of_a_core(process: u32, share: f64) -> Self {
        let mut first = CpuSet::new();
        first.set(0);
        for task in std::fs::read_dir(format!("/proc/{process}/task")).unwrap() {
            let task = task.unwrap().file_name().to_str().unwrap().parse().unwrap();
            // a thread may have ended meanwhile; those that begin later take it from those that begin them
            let _ = sched_setaffinity(Pid::from_raw(task), &first);
        }
        let pid = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let keeper = thread::spawn({
            let over = Arc::clone(&over);
            move || {
                while !over.load(Ordering::Relaxed) {
                    let _ = kill_process(pid, Signal::CONT);
                    thread::sleep(PERIOD.mul_f64(share));
                    let _ = kill_process(pid, Signal::STOP);
                    thread::sleep(PERIOD.mul_f64(1.0 - share));
                }
                let _ = kill_process(pid, Signal::CONT);
            }
        });
        Self { over, keeper: Some(keeper) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}
