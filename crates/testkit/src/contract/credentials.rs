//! Credentials: what proves somebody, and its claim by a login.

use tillgate_auth_core::ports::{Credential, CredentialKind, Verifier};
use tillgate_domain::{PrincipalId, UserId};

use crate::shop::{Shop, at, read, verifier, write};
use crate::{Bench, Roster};

const KIND: CredentialKind = CredentialKind::Password;

fn credential(bench: &Bench, principal: PrincipalId) -> Option<Credential> {
    read(bench, |tx| tx.credentials().find(principal, KIND))
}

fn claim(bench: &Bench, principal: PrincipalId, version: i64, rehashed: Option<&Verifier>) -> bool {
    write(bench, |tx| tx.credentials().claim(principal, KIND, version, rehashed, at(9)))
}

fn replace(bench: &Bench, principal: PrincipalId, text: &str) {
    bench.enroll(&Roster { passwords: vec![(principal, verifier(text), at(5))], ..Roster::default() });
}

/// Users and devices have credentials of their own; who has none has none.
pub fn a_credential_is_found_by_its_owner(bench: &Bench) {
    let shop = Shop::open(bench);
    for (principal, text) in [
        (PrincipalId::User(shop.anna.id), "hash of Anna's"),
        (PrincipalId::User(shop.ben.id), "hash of Ben's"),
        (PrincipalId::Device(shop.till.id), "hash of the till's"),
    ] {
        let found = credential(bench, principal).expect("it was set");
        let expected = Credential { principal, kind: KIND, verifier: verifier(text), version: found.version };
        assert_eq!(found, expected);
    }
    assert_eq!(credential(bench, PrincipalId::User(shop.namesake.id)), None);
    assert_eq!(credential(bench, PrincipalId::Device(shop.handheld.id)), None);
    assert_eq!(credential(bench, PrincipalId::User(UserId(shop.till.id.0))), None, "a till's id names no user");
}

/// Another secret in the place of the first raises the version, and no one else's.
pub fn another_secret_raises_the_version(bench: &Bench) {
    let shop = Shop::open(bench);
    let (anna, ben) = (PrincipalId::User(shop.anna.id), PrincipalId::User(shop.ben.id));
    let (first, bens) = (credential(bench, anna).unwrap(), credential(bench, ben));
    replace(bench, anna, "hash of another");
    let second = credential(bench, anna).unwrap();
    assert!(second.version > first.version);
    assert_eq!(second.verifier, verifier("hash of another"));
    assert_eq!(credential(bench, ben), bens);
}

/// A claim is won at the version of now and lost at any other, and where there is no credential.
pub fn a_claim_asks_the_version(bench: &Bench) {
    let shop = Shop::open(bench);
    let anna = PrincipalId::User(shop.anna.id);
    let before = credential(bench, anna).unwrap();
    assert!(claim(bench, anna, before.version, None));
    assert!(claim(bench, anna, before.version, None), "a claim alone changes nothing");
    assert_eq!(credential(bench, anna).unwrap(), before);
    replace(bench, anna, "hash of another");
    assert!(!claim(bench, anna, before.version, None));
    assert!(!claim(bench, anna, before.version + 9, None));
    assert!(!claim(bench, PrincipalId::User(shop.namesake.id), 1, None));
}

/// A new hash of the same secret is stored with a claim that is won, and raises no version.
pub fn a_new_hash_of_the_same_secret_raises_nothing(bench: &Bench) {
    let shop = Shop::open(bench);
    let (anna, till) = (PrincipalId::User(shop.anna.id), PrincipalId::Device(shop.till.id));
    for principal in [anna, till] {
        let before = credential(bench, principal).unwrap();
        assert!(claim(bench, principal, before.version, Some(&verifier("the same, hashed anew"))));
        let expected = Credential { verifier: verifier("the same, hashed anew"), ..before };
        assert_eq!(credential(bench, principal), Some(expected));
    }
    let bens = credential(bench, PrincipalId::User(shop.ben.id)).unwrap();
    assert_eq!(bens.verifier, verifier("hash of Ben's"));
}

/// Another secret takes the place of the one of this version, which is raised; nobody else's is touched.
pub fn another_secret_takes_the_place_of_one_version(bench: &Bench) {
    let shop = Shop::open(bench);
    let (anna, till) = (PrincipalId::User(shop.anna.id), PrincipalId::Device(shop.till.id));
    let bens = credential(bench, PrincipalId::User(shop.ben.id));
    for principal in [anna, till] {
        let before = credential(bench, principal).unwrap();
        let another = verifier("hash of another");
        assert!(write(bench, |tx| tx.credentials().replace(principal, KIND, before.version, &another, at(9))));
        let after = credential(bench, principal).unwrap();
        assert!(after.version > before.version);
        assert_eq!(after.verifier, another);
        assert!(!claim(bench, principal, before.version, None), "a login by the old one is lost");
        assert!(claim(bench, principal, after.version, None));
    }
    assert_eq!(credential(bench, PrincipalId::User(shop.ben.id)), bens);
}

/// A replacement of another version, or of what is not there, stores nothing.
pub fn a_lost_replacement_stores_nothing(bench: &Bench) {
    let shop = Shop::open(bench);
    let (anna, nobody) = (PrincipalId::User(shop.anna.id), PrincipalId::User(shop.namesake.id));
    let before = credential(bench, anna).unwrap();
    for (principal, version) in [(anna, before.version + 1), (anna, before.version - 1), (nobody, 1), (nobody, 0)] {
        let another = verifier("hash of another");
        assert!(!write(bench, |tx| tx.credentials().replace(principal, KIND, version, &another, at(9))));
    }
    assert_eq!(credential(bench, anna), Some(before));
    assert_eq!(credential(bench, nobody), None);
}

/// A claim that is lost stores nothing.
pub fn a_lost_claim_stores_nothing(bench: &Bench) {
    let shop = Shop::open(bench);
    let anna = PrincipalId::User(shop.anna.id);
    let before = credential(bench, anna).unwrap();
    assert!(!claim(bench, anna, before.version + 1, Some(&verifier("of an older secret"))));
    assert_eq!(credential(bench, anna), Some(before));
}
