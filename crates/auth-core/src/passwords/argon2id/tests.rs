//! Argon2id against the test vector of the RFC, and against hashes of other implementations.

use super::*;

const SMALL: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
const SALTED: [u8; SALT_BYTES] = *b"0123456789abcdef";

fn small() -> Argon2id {
    Argon2id::new(SMALL).unwrap()
}

fn verifier(text: &str) -> Verifier {
    Secret::new(text.to_owned())
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn test_vector_of_rfc_9106_is_reproduced() {
    // Section 5.3. A verifier has neither a secret nor associated data, so this calls the crate
    // directly.
    let mut params = argon2::ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).output_len(32).data(argon2::AssociatedData::new(&[4; 12]).unwrap());
    let params = params.build().unwrap();
    let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let (mut buffer, mut out) = (Buffer::default(), [0; 32]);
    argon2.hash_password_into_with_memory(&[1; 32], &[2; 16], &mut out, buffer.blocks(32).unwrap()).unwrap();
    assert_eq!(out.as_slice(), from_hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
}

#[test]
fn test_vectors_of_reference_implementation_are_reproduced_in_one_buffer() {
    // test.c of github.com/P-H-C/phc-winner-argon2: passes, binary logarithm of the memory in KiB,
    // lanes, password, salt, hash.
    let vectors = [
        (2, 16, 1, "password", "somesalt", "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
        (2, 18, 1, "password", "somesalt", "78fe1ec91fb3aa5657d72e710854e4c3d9b9198c742f9616c2f085bed95b2e8c"),
        (2, 8, 1, "password", "somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
        (2, 8, 2, "password", "somesalt", "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        (1, 16, 1, "password", "somesalt", "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"),
        (4, 16, 1, "password", "somesalt", "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c"),
        (2, 16, 1, "differentpassword", "somesalt", "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"),
        (2, 16, 1, "password", "diffsalt", "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"),
    ];
    let hasher = small();
    for (passes, log, lanes, password, salt, expected) in vectors {
        let cost = Cost { memory_kib: 1 << log, passes, lanes };
        let mut out = [0; 32];
        hasher.hash_into(password, salt.as_bytes(), cost, &mut out).unwrap();
        assert_eq!(out.as_slice(), from_hex(expected), "{cost:?} {password} {salt}");
    }
    assert_eq!(hasher.lock().len(), 1);
}

#[test]
fn decoy_costs_what_a_new_verifier_costs_and_is_not_hashed() {
    let hasher = small();
    let decoy = hasher.create_decoy("made up", &SALTED).unwrap();
    assert_eq!(hasher.lock().len(), 0, "no memory was used");
    assert!(!hasher.needs_rehash(&decoy));
    assert!(!hasher.verify("made up", &decoy).unwrap());
    assert_eq!(hasher.lock().len(), 1);
}

#[test]
fn reference_verifiers_are_read() {
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
fn verifier_is_phc_string_with_its_cost() {
    for cost in [SMALL, Cost { memory_kib: 128, passes: 3, lanes: 4 }, Cost::default()] {
        let made = Argon2id::new(cost).unwrap().hash("Pokladňa č. 5", &SALTED).unwrap();
        let Cost { memory_kib, passes, lanes } = cost;
        let begin = format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}$MDEyMzQ1Njc4OWFiY2RlZg$");
        assert!(made.expose().starts_with(&begin), "{}", made.expose());
        assert_eq!(small().verify("Pokladňa č. 5", &made), Ok(true), "verified at its own cost");
        assert_eq!(small().verify("Pokladna c. 5", &made), Ok(false));
    }
}

#[test]
fn verifiers_of_c_reference_at_uneven_costs_are_verified() {
    // argon2id_hash_raw of libargon2 20171227: memory that the lanes do not divide, many lanes,
    // short and long hashes.
    let computed = [
        "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ACzc6kYywIg+B6v8ZlAHrUq+dsHASEW1dzzWV0DY078",
        "$argon2id$v=19$m=128,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$7IAi2UccxZ3rZTvrK7cxy+iXaezt3oABH/KX39wM4Yk",
        "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$mLV5DgNJUwmxtm/1yv5F1DDdbXwIPWIQLjY12v/Fcjw",
        "$argon2id$v=19$m=100,t=2,p=3$MDEyMzQ1Njc4OWFiY2RlZg$EkaF6TcfIvGdkZA73sthPIqx3q0sH66D/evcM6fmhTc",
        "$argon2id$v=19$m=2077,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$kT33ETjYdX/MJxSJRdT6eQ44JM++0X6bD2YdT6lIVbuFJ8vxKJWNqs8bnc2/68yYc4U1kaG3r1gndPBu5PrXFg",
        "$argon2id$v=19$m=513,t=1,p=16$c29tZXNhbHQ$/vKMzWl2lpk/o+sPofo5Aw",
        "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$10kF1KF9PgCEsB5JSUtoOrgnzO0mb6rVT9KbQOE57B4",
    ];
    let hasher = small();
    for text in computed {
        assert_eq!(hasher.verify("Pokladňa č. 5", &verifier(text)), Ok(true), "{text}");
        assert_eq!(hasher.verify("Pokladna c. 5", &verifier(text)), Ok(false), "{text}");
    }
    let made = hasher.hash("Pokladňa č. 5", &SALTED).unwrap();
    assert_eq!(made.expose(), computed[0], "and the hasher writes them in the same way");
}

#[test]
fn verifier_of_other_cost_needs_rehash() {
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
        assert_eq!(small().needs_rehash(&verifier(&text)), stale, "{name}");
    }
}

#[test]
fn invalid_verifier_is_fault_and_is_not_hashed() {
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
        let result = small().verify("password", &verifier(&text));
        assert!(matches!(result, Err(HashError::Unreadable(_))), "{text}: {result:?}");
    }
}

#[test]
fn cost_is_bounded() {
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
fn buffer_is_reused_and_then_released() {
    let hasher = small();
    for _ in 0..3 {
        hasher.hash("password", &SALTED).unwrap();
    }
    assert_eq!(hasher.lock().len(), 1);
    hasher.release_memory();
    assert_eq!(hasher.lock().len(), 0);
    let made = hasher.hash("password", &SALTED).unwrap();
    assert_eq!(hasher.verify("password", &made), Ok(true), "and the next hash is as good");
}

#[test]
fn spare_buffers_are_released_first() {
    let hasher = small();
    hasher.lock().extend([Buffer::default(), Buffer::default(), Buffer::default()]);
    hasher.trim_memory();
    assert_eq!(hasher.lock().len(), 1);
    hasher.trim_memory();
    assert_eq!(hasher.lock().len(), 1, "the one stays");
}

#[test]
fn failed_cheaper_verifier_costs_as_much_as_current_cost() {
    let today = Cost { memory_kib: 65_536, passes: 3, lanes: 1 };
    for (memory_kib, passes) in [(19_456, 2), (8, 1), (65_536, 3), (65_536, 1), (65_536, 2), (65_535, 3), (12_288, 5)] {
        let old = Cost { memory_kib, passes, lanes: 1 };
        let missing = today.work() - old.work();
        let done: u64 = today.split_work(missing).into_iter().flatten().map(Cost::work).sum();
        assert!(done <= missing && missing - done < 8, "{old:?}: {done} of {missing}");
    }
    assert_eq!(today.split_work(0), [None, None], "a verifier of today costs nothing more");
}

#[test]
fn every_failure_costs_as_much_as_most_expensive_verifier() {
    let hasher = small();
    let (own, dear) = (hasher.hash("password", &SALTED).unwrap(), Cost { memory_kib: 256, passes: 2, lanes: 1 });
    assert_eq!(hasher.max_work.load(Ordering::Relaxed), SMALL.work());
    let made = Argon2id::new(dear).unwrap().hash("password", &SALTED).unwrap();
    assert_eq!(hasher.verify("wrong", &made), Ok(false));
    assert_eq!(
        hasher.max_work.load(Ordering::Relaxed),
        dear.work(),
        "what was lowered costs as before, for every name"
    );
    assert_eq!(hasher.equalize_cost("wrong", &own), Ok(()));
    assert!(matches!(hasher.equalize_cost("wrong", &verifier("nonsense")), Err(HashError::Unreadable(_))));
}
