//! Argon2id against verifiers of other hands: the reference implementation's published ones, and the pure Rust crate's hashes.

use super::*;

const SMALL: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
const SALTED: [u8; SALT] = *b"0123456789abcdef";

fn small() -> Argon2id {
    Argon2id::new(SMALL).unwrap()
}

fn verifier(text: &str) -> Verifier {
    Secret::new(text.to_owned())
}

#[test]
fn the_references_own_verifiers_are_read() {
    // test.c of github.com/P-H-C/phc-winner-argon2, "password" under "somesalt".
    let published = [
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ];
    for text in published {
        assert_eq!(small().verify("password", &verifier(text)), Ok(true), "{text}");
        assert_eq!(small().verify("passwore", &verifier(text)), Ok(false), "{text}");
    }
}

#[test]
fn a_verifier_is_a_phc_string_of_the_cost() {
    for cost in [SMALL, Cost { memory_kib: 128, passes: 3, lanes: 4 }, Cost::default()] {
        let made = Argon2id::new(cost).unwrap().hash("Pokladňa č. 5", &SALTED).unwrap();
        let Cost { memory_kib, passes, lanes } = cost;
        let begin = format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}$MDEyMzQ1Njc4OWFiY2RlZg$");
        assert!(made.expose().starts_with(&begin), "{}", made.expose());
        let params = argon2::Params::new(memory_kib, passes, lanes, Some(HASH)).unwrap();
        let pure = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let mut expected = [0; HASH];
        pure.hash_password_into("Pokladňa č. 5".as_bytes(), &SALTED, &mut expected).unwrap();
        assert_eq!(Parts::read(&made).unwrap().hash.as_bytes(), expected);
        assert_eq!(small().verify("Pokladňa č. 5", &made), Ok(true), "verified at its own cost");
        assert_eq!(small().verify("Pokladna c. 5", &made), Ok(false));
    }
}

#[test]
fn another_cost_makes_a_verifier_stale() {
    let hash = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let salt = "MDEyMzQ1Njc4OWFiY2RlZg";
    let cases = [
        (format!("$argon2id$v=19$m=64,t=1,p=1${salt}${hash}"), false, "as now"),
        (format!("$argon2id$v=19$m=65,t=1,p=1${salt}${hash}"), true, "memory"),
        (format!("$argon2id$v=19$m=64,t=2,p=1${salt}${hash}"), true, "passes"),
        (format!("$argon2id$v=19$m=64,t=1,p=2${salt}${hash}"), true, "lanes"),
        (format!("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ${hash}"), true, "a short salt"),
        (format!("$argon2id$v=19$m=64,t=1,p=1${salt}$CTFhFdXPJO1aFaMaO6Mm5Q"), true, "a short hash"),
        ("nonsense".to_owned(), false, "what cannot be read cannot be renewed"),
    ];
    for (text, stale, name) in cases {
        assert_eq!(small().stale(&verifier(&text)), stale, "{name}");
    }
}

#[test]
fn what_is_no_verifier_is_a_fault_and_costs_nothing() {
    let (salt, hash) = ("MDEyMzQ1Njc4OWFiY2RlZg", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc");
    let cases = [
        String::new(),
        "password".to_owned(),
        "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
        format!("$argon2i$v=19$m=64,t=1,p=1${salt}${hash}"),
        format!("$argon2d$v=19$m=64,t=1,p=1${salt}${hash}"),
        format!("$argon2id$v=16$m=64,t=1,p=1${salt}${hash}"),
        format!("$argon2id$m=64,t=1,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=64,t=1${salt}${hash}"),
        format!("$argon2id$v=19$m=64,t=1,p=1,data=aaaa${salt}${hash}"),
        format!("$argon2id$v=19$m=4294967295,t=1,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=64,t=4294967295,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=64,t=0,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=4,t=1,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=64,t=1,p=1${salt}"),
        "$argon2id$v=19$m=64,t=1,p=1".to_owned(),
        format!("$argon2id$v=19$m=64,t=1,p=1${salt}${hash}$more"),
    ];
    for text in cases {
        let answer = small().verify("password", &verifier(&text));
        assert!(matches!(answer, Err(HashError::Unreadable(_))), "{text}: {answer:?}");
    }
}

#[test]
fn a_cost_has_bounds() {
    let cases = [
        (Cost::default(), true),
        (Cost { memory_kib: 8, passes: 1, lanes: 1 }, true),
        (Cost { memory_kib: 7, passes: 1, lanes: 1 }, false),
        (Cost { memory_kib: 31, passes: 1, lanes: 4 }, false),
        (Cost { memory_kib: 1 << 20, passes: 64, lanes: 16 }, true),
        (Cost { memory_kib: (1 << 20) + 1, passes: 1, lanes: 1 }, false),
        (Cost { memory_kib: 64, passes: 0, lanes: 1 }, false),
        (Cost { memory_kib: 64, passes: 65, lanes: 1 }, false),
        (Cost { memory_kib: 64, passes: 1, lanes: 0 }, false),
        (Cost { memory_kib: 1 << 20, passes: 1, lanes: 17 }, false),
    ];
    for (cost, fits) in cases {
        assert_eq!(Argon2id::new(cost).is_ok(), fits, "{cost:?}");
    }
}

#[test]
fn a_buffer_serves_one_hash_after_the_other_and_then_goes() {
    let hasher = small();
    for _ in 0..3 {
        hasher.hash("password", &SALTED).unwrap();
    }
    assert_eq!(hasher.lock().len(), 1);
    hasher.rest();
    assert_eq!(hasher.lock().len(), 0);
    let made = hasher.hash("password", &SALTED).unwrap();
    assert_eq!(hasher.verify("password", &made), Ok(true), "and the next hash is as good");
}

#[test]
fn buffers_that_one_hash_does_not_need_go_before_it() {
    let hasher = small();
    hasher.lock().extend([Memory::default(), Memory::default(), Memory::default()]);
    hasher.spare();
    assert_eq!(hasher.lock().len(), 1);
    hasher.spare();
    assert_eq!(hasher.lock().len(), 1, "the one stays");
}

#[test]
fn failure_of_a_cheaper_verifier_is_levelled_up_to_the_cost_of_today() {
    let today = Cost { memory_kib: 65_536, passes: 3, lanes: 1 };
    for (memory_kib, passes) in [(19_456, 2), (8, 1), (65_536, 3), (65_536, 1), (65_536, 2), (65_535, 3), (12_288, 5)] {
        let old = Cost { memory_kib, passes, lanes: 1 };
        let missing = today.work() - old.work();
        let done: u64 = today.hashes_of(missing).into_iter().flatten().map(Cost::work).sum();
        assert!(done <= missing && missing - done < 8, "{old:?}: {done} of {missing}");
    }
    assert_eq!(today.hashes_of(0), [None, None], "a verifier of today costs nothing more");
}

#[test]
fn every_failure_costs_what_the_dearest_verifier_costs() {
    let hasher = small();
    let (own, dear) = (hasher.hash("password", &SALTED).unwrap(), Cost { memory_kib: 256, passes: 2, lanes: 1 });
    assert_eq!(hasher.dearest.load(Ordering::Relaxed), SMALL.work());
    let made = Argon2id::new(dear).unwrap().hash("password", &SALTED).unwrap();
    assert_eq!(hasher.verify("wrong", &made), Ok(false));
    assert_eq!(hasher.dearest.load(Ordering::Relaxed), dear.work(), "what was lowered costs as before, for every name");
    assert_eq!(hasher.level("wrong", &own), Ok(()));
    assert!(matches!(hasher.level("wrong", &verifier("nonsense")), Err(HashError::Unreadable(_))));
}
