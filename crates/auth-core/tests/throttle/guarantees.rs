//! The guarantees for owners, and the limits for guessers, over random histories and days of a
//! virtual clock.

use proptest::prelude::*;

use crate::costly_property::check_costly;

use super::*;

/// An event, with the seconds that passed since the previous one.
#[derive(Clone, Copy, Debug)]
enum HistoryEvent {
    /// A guess from the network with this number, which is not the owner's.
    Guess(u16),
    /// A burst of guesses, each from another network.
    Burst(u16),
    /// The owner types a wrong password.
    Mistype,
    /// The owner logs in.
    Login,
}

fn history(own_failures: bool) -> impl Strategy<Value = Vec<(u32, HistoryEvent)>> {
    let event = prop_oneof![
        6 => (2_u16..2000).prop_map(HistoryEvent::Guess),
        1 => (1_u16..60).prop_map(HistoryEvent::Burst),
        u32::from(own_failures) * 3 => Just(HistoryEvent::Mistype),
        2 => Just(HistoryEvent::Login),
    ];
    // Most events come in quick succession, some after hours.
    let pause = prop_oneof![3 => 0_u32..20, 2 => 0_u32..900, 1 => 0_u32..20_000];
    prop::collection::vec((pause, event), 1..120)
}

/// A shop over time.
struct Time {
    server: Server,
    now: Instant,
    guesses: u32,
}

impl Time {
    fn begins() -> Self {
        Self { server: server(), now: NOON, guesses: 0 }
    }

    /// Guesses another password each time. Returns whether it was checked.
    fn guess(&mut self, attempt: &LoginAttempt) -> bool {
        self.guesses += 1;
        match self.server.open_charge(&guessing(attempt, &format!("guess {}", self.guesses)), self.now) {
            Admission::Admitted(charge) => self.server.settle(&charge, AttemptOutcome::Failed, self.now),
            _ => false,
        }
    }

    /// Logs in as a till does: tries, and waits for the reported delay, until it is admitted.
    /// Returns the total time.
    fn log_in(&mut self, owner: &LoginAttempt) -> Duration {
        let began = self.now;
        loop {
            match self.server.open_charge(owner, self.now) {
                Admission::Admitted(charge) => {
                    self.server.settle(&charge, AttemptOutcome::Succeeded, self.now);
                    return self.now.duration_since(began);
                }
                Admission::RateLimited { retry_after } => {
                    assert!(!retry_after.is_zero());
                    self.now = self.now.saturating_add(retry_after);
                }
                Admission::Wait(_) => panic!("nobody else is being looked at"),
            }
        }
    }

    /// Runs the history, and calls `logged_in` with the time that each login of the owner took.
    fn play(
        &mut self,
        owner: &LoginAttempt,
        history: &[(u32, HistoryEvent)],
        mut logged_in: impl FnMut(Duration) -> Result<(), TestCaseError>,
    ) -> Result<(), TestCaseError> {
        for (pause, event) in history {
            self.now = self.now.saturating_add(Duration::from_secs(u64::from(*pause)));
            match event {
                HistoryEvent::Guess(network) => {
                    self.guess(&anna_from(*network));
                }
                HistoryEvent::Burst(many) => {
                    for network in 0..*many {
                        self.guess(&anna_from(3000 + network));
                    }
                }
                HistoryEvent::Mistype => {
                    self.guess(owner);
                }
                HistoryEvent::Login => logged_in(self.log_in(owner))?,
            }
        }
        Ok(())
    }
}

/// The number of days, each starting at one of these instants, with more than `limit` of them.
fn days_with_more(instants: &[Instant], most: usize) -> usize {
    let within = |first: &Instant| instants.iter().filter(|at| *at >= first && at.duration_since(*first) < DAY).count();
    instants.iter().filter(|first| within(first) > most).count()
}

#[test]
fn client_with_proof_logs_in_at_once_under_attack() {
    check_costly(&history(false), |history| {
        let owner = anna_by_proof(1, 1);
        Time::begins().play(&owner, &history, |took| {
            prop_assert_eq!(took, Duration::ZERO);
            Ok(())
        })
    });
}

#[test]
fn client_with_proof_and_typo_logs_in_within_five_seconds() {
    check_costly(&history(true), |history| {
        let (owner, mut time) = (anna_by_proof(1, 1), Time::begins());
        // Fewer than a hundred wrong passwords: the proof stays valid.
        let history: Vec<_> = history.into_iter().take(99).collect();
        time.play(&owner, &history, |took| {
            prop_assert!(took <= 5 * SECOND, "{took:?}");
            Ok(())
        })
    });
}

#[test]
fn client_from_known_network_logs_in_within_a_minute_under_attack() {
    check_costly(&history(true), |history| {
        let (owner, mut time) = (anna_from(1), Time::begins());
        time.log_in(&owner);
        let mut waited = Duration::ZERO;
        time.play(&owner, &history, |took| {
            waited = waited.max(took);
            Ok(())
        })?;
        prop_assert!(waited <= MINUTE, "{waited:?}");
        Ok(())
    });
}

#[test]
fn known_network_without_failures_never_waits() {
    check_costly(&history(false), |history| {
        let (owner, mut time) = (anna_from(1), Time::begins());
        time.log_in(&owner);
        time.play(&owner, &history, |took| {
            prop_assert_eq!(took, Duration::ZERO);
            Ok(())
        })
    });
}

#[test]
fn unknown_networks_get_hundred_guesses_a_day() {
    check_costly(
        &(
            prop::collection::vec((0_u32..1200, 0_u16..3000), 200..400),
            any::<bool>(),
            prop::collection::vec(any::<bool>(), 500),
        ),
        |(history, unknown, logins)| {
            let mut time = Time::begins();
            let mut looked_at = Vec::new();
            for ((pause, network), login) in history.into_iter().zip(logins) {
                time.now = time.now.saturating_add(Duration::from_secs(u64::from(pause)));
                let mut attempt = anna_from(network);
                if unknown {
                    attempt.identity = ClaimedIdentity::Unknown { tenant: None, name: FoldedText::of("nobody") };
                } else if login {
                    // Logins of the owner give a guesser nothing.
                    time.log_in(&anna_by_proof(1, 5000));
                }
                if time.guess(&attempt) {
                    looked_at.push(time.now);
                }
            }
            prop_assert_eq!(days_with_more(&looked_at, 100), 0);
            Ok(())
        },
    );
}

#[test]
fn proof_gets_hundred_guesses_a_day() {
    check_costly(&prop::collection::vec(prop_oneof![4 => 0_u32..10, 1 => 0_u32..3000], 150..400), |pauses| {
        let mut time = Time::begins();
        let by_proof = anna_by_proof(1, 1);
        let (mut looked_at, mut all) = (Vec::new(), Vec::new());
        for pause in pauses {
            time.now = time.now.saturating_add(Duration::from_secs(u64::from(pause)));
            let known = match time.server.open_charge(&by_proof, time.now) {
                Admission::Admitted(charge) => {
                    time.server.settle(&charge, AttemptOutcome::Withdrawn, time.now);
                    charge.is_known()
                }
                _ => false,
            };
            if time.guess(&by_proof) {
                all.push(time.now);
                if known {
                    looked_at.push(time.now);
                }
            }
        }
        prop_assert_eq!(days_with_more(&looked_at, 100), 0);
        // A worthless proof counts as an unknown network.
        prop_assert_eq!(days_with_more(&all, 200), 0);
        if let Some(hundredth) = looked_at.get(99).filter(|at| at.duration_since(looked_at[0]) < DAY) {
            let after = looked_at.iter().filter(|at| *at > hundredth && at.duration_since(*hundredth) < DAY);
            prop_assert_eq!(after.count(), 0, "no proof for a day");
        }
        Ok(())
    });
}

#[test]
fn known_network_gets_fifty_guesses_and_one_per_minute() {
    check_costly(&prop::collection::vec(prop_oneof![4 => 0_u32..20, 1 => 0_u32..600], 300..600), |pauses| {
        let mut time = Time::begins();
        time.log_in(&anna());
        let began = time.now;
        let mut looked_at = 0_u64;
        for pause in pauses {
            time.now = time.now.saturating_add(Duration::from_secs(u64::from(pause)));
            looked_at += u64::from(time.guess(&anna()));
            prop_assert!(looked_at <= 50 + time.now.duration_since(began).as_secs() / 60, "{looked_at}");
        }
        Ok(())
    });
}

/// Each login makes its network known, and four are known at a time, so a guesser in many of
/// them has four buckets.
#[test]
fn account_is_known_in_four_networks_at_a_time() {
    check_costly(&prop::collection::vec(0_u16..12, 1..60), |networks| {
        let mut time = Time::begins();
        for network in networks {
            time.now = time.now.saturating_add(DAY);
            time.log_in(&anna_from(network));
            let known = |network: &u16| time.server.knows(&anna_from(*network), time.now);
            prop_assert!(known(&network));
            prop_assert!((0..12).filter(known).count() <= 4);
        }
        Ok(())
    });
}
