//! A thief with a plan: a greedy one, who is detected, and the one whom no rule for bearer tokens
//! detects that forgives a lost response.

use std::time::Duration;

use tillgate_testkit::Random;

use crate::OVERLAP;
use crate::model::Model;
use crate::server::{Access, Machines, Reply, Server, Terms};

/// Refreshes and, if that succeeds, uses the response immediately.
fn refresh_and_use(model: &mut Model, held: &mut Access, uses: bool) -> bool {
    match model.refresh(0, held.generation) {
        Reply::Granted(access) => {
            *held = access;
            assert!(!uses || model.call(0, held));
            true
        }
        Reply::Refused(_) | Reply::Unavailable => false,
    }
}

/// A till and a thief who copies its token at some time. Both refresh at least a grace period apart
/// and use the response.
pub(crate) fn greedy(model: &mut Model, random: &mut Random) -> Result<(), String> {
    let (_, mut till) = model.login();
    model.call(0, &till);
    let pause = |model: &mut Model, random: &mut Random| {
        model.advance(OVERLAP + random.duration_up_to(Duration::from_mins(8)));
    };
    for _ in 0..random.below(5) {
        pause(model, random);
        if !refresh_and_use(model, &mut till, true) {
            return Err("a till alone is refused".to_owned());
        }
    }
    let mut thief = till.clone();
    let (mut refreshed, mut steps) = ([false; 2], 0);
    loop {
        pause(model, random);
        let who = random.below(2);
        let good = refresh_and_use(model, if who == 0 { &mut till } else { &mut thief }, true);
        let others_first = refreshed[1 - who] && !refreshed[who];
        if others_first || !good {
            let over = !model.call(0, &till) && !model.call(0, &thief);
            return if others_first && !good && over { Ok(()) } else { Err(format!("{who} after {steps}: {good}")) };
        }
        refreshed[who] = true;
        steps += 1;
        if steps > 12 {
            return Ok(());
        }
    }
}

/// A thief who always refreshes just before the till, and waits until the till uses the successor,
/// looks like a lost response. The audit shows that a token was repeated from another network, if
/// it was.
#[test]
fn thief_who_refreshes_first_and_waits_is_not_detected() {
    let terms = Terms { idle: Duration::from_hours(12), absolute: None };
    let mut model = Model::new(tillgate_auth_core::judge::judge, terms, &Machines::one());
    let (_, mut till) = model.login();
    let mut thief = till.clone();
    for _ in 0..200 {
        model.advance(Duration::from_mins(10));
        assert!(refresh_and_use(&mut model, &mut thief, false), "he refreshes, and uses nothing");
        model.advance(Duration::from_secs(1));
        assert!(refresh_and_use(&mut model, &mut till, true), "the till finds what looks like its own lost response");
        assert!(model.call(0, &thief), "now he does");
    }
}

/// A thief who uses the copy before the till refreshes is detected when it does.
#[test]
fn impatient_thief_is_detected() {
    let terms = Terms { idle: Duration::from_hours(12), absolute: None };
    let mut model = Model::new(tillgate_auth_core::judge::judge, terms, &Machines::one());
    let (_, mut till) = model.login();
    let mut thief = till.clone();
    model.advance(Duration::from_mins(10));
    assert!(refresh_and_use(&mut model, &mut thief, true));
    model.advance(OVERLAP);
    assert!(!refresh_and_use(&mut model, &mut till, true));
    assert!(!model.call(0, &thief) && !refresh_and_use(&mut model, &mut thief, true));
}
