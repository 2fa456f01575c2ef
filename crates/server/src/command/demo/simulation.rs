//! Simulates activity in the running demo: cashiers log in and out, and sell, through the server's
//! API over loopback.

mod loopback_client;
mod worker;

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::system::SystemClock;
use tillgate_domain::Secret;

use super::seeded_random::SeededRandom;
use super::staff::PEOPLE;
use crate::command::CommandError;
use loopback_client::LoopbackClient;
use worker::{SimulatedWorker, Staff};

/// The least and the greatest number of milliseconds between two actions.
const PAUSE_MILLIS: (u64, u64) = (1_000, 4_000);

/// The thread of the simulation. Dropping it ends the thread.
pub(super) struct StaffSimulation {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl StaffSimulation {
    /// Starts the thread. `url` is that of the server; the simulation has `speed` times the real
    /// pace.
    pub(super) fn start(
        url: &str,
        api: &str,
        passwords: &BTreeMap<String, Secret<String>>,
        speed: u32,
    ) -> Result<Self, CommandError> {
        let client = LoopbackClient::from_url(url)
            .ok_or_else(|| CommandError::usage("--alive requires a server with plain HTTP: omit server.tls_cert"))?;
        let workers: Vec<SimulatedWorker> = PEOPLE
            .iter()
            .filter_map(|person| Some(SimulatedWorker::new(person, passwords.get(person.name)?.clone())))
            .collect();
        if workers.is_empty() {
            return Err(CommandError::usage(
                "--alive needs the passwords of the demo users. Pass --password with the password that the demo was \
                 created with",
            ));
        }
        let seed = u64::try_from(SystemClock.now().millis()).unwrap_or_default();
        let mut pauses = SeededRandom::new(seed.rotate_left(32));
        let mut staff = Staff::new(client, api, workers, SeededRandom::new(seed), speed);
        let (stop, stopped) = channel::<()>();
        let work = move || {
            loop {
                let pause = Duration::from_millis(pauses.number_between(PAUSE_MILLIS.0, PAUSE_MILLIS.1)) / speed;
                let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) else { return };
                if let Err(error) = staff.run_action(SystemClock.monotonic()) {
                    tracing::debug!(%error, "a request of the demo simulation failed");
                }
            }
        };
        let thread = thread::Builder::new().name("tillgate-staff".to_owned()).spawn(work);
        Ok(Self { stop: Some(stop), thread: Some(thread.map_err(CommandError::failed)?) })
    }
}

impl Drop for StaffSimulation {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the demo simulation thread panicked");
        }
    }
}
