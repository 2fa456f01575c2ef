//! Credentials: what proves somebody, and its claim by a login.

use tillgate_auth_core::ports::{Credential, CredentialKind, Verifier};
use tillgate_domain::{PrincipalId, UserId};

use crate::contract_fixture::{ContractFixture, after_start, hash_requested_password, run_read, run_write};
use crate::{AuthStoreHarness, Roster};

const PASSWORD_KIND: CredentialKind = CredentialKind::Password;

fn find_credential(bench: &AuthStoreHarness, principal: PrincipalId) -> Option<Credential> {
    run_read(bench, |tx| tx.credentials().find(principal, PASSWORD_KIND))
}

fn claim_credential(
    bench: &AuthStoreHarness,
    principal: PrincipalId,
    version: i64,
    rehashed: Option<&Verifier>,
) -> bool {
    run_write(bench, |tx| tx.credentials().claim(principal, PASSWORD_KIND, version, rehashed, after_start(9)))
}

fn replace_credential(bench: &AuthStoreHarness, principal: PrincipalId, text: &str) {
    bench.enroll(&Roster {
        passwords: vec![(principal, hash_requested_password(text), after_start(5))],
        ..Roster::default()
    });
}

/// Users and devices have credentials of their own; who has none has none.
pub fn credential_is_found_by_its_owner(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    for (principal, text) in [
        (PrincipalId::User(shop.anna.id), "hash of Anna's"),
        (PrincipalId::User(shop.ben.id), "hash of Ben's"),
        (PrincipalId::Device(shop.till.id), "hash of the till's"),
    ] {
        let found = find_credential(bench, principal).expect("it was set");
        let expected = Credential {
            principal,
            kind: PASSWORD_KIND,
            verifier: hash_requested_password(text),
            version: found.version,
        };
        assert_eq!(found, expected);
    }
    assert_eq!(find_credential(bench, PrincipalId::User(shop.namesake.id)), None);
    assert_eq!(find_credential(bench, PrincipalId::Device(shop.handheld.id)), None);
    assert_eq!(find_credential(bench, PrincipalId::User(UserId(shop.till.id.0))), None, "a till's id names no user");
}

/// Another secret in the place of the first raises the version, and no one else's.
pub fn replaced_secret_increments_the_version(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let (anna, ben) = (PrincipalId::User(shop.anna.id), PrincipalId::User(shop.ben.id));
    let (first, bens) = (find_credential(bench, anna).unwrap(), find_credential(bench, ben));
    replace_credential(bench, anna, "hash of another");
    let second = find_credential(bench, anna).unwrap();
    assert!(second.version > first.version);
    assert_eq!(second.verifier, hash_requested_password("hash of another"));
    assert_eq!(find_credential(bench, ben), bens);
}

/// A claim is won at the version of now and lost at any other, and where there is no credential.
pub fn credential_claim_requires_the_version(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let anna = PrincipalId::User(shop.anna.id);
    let before = find_credential(bench, anna).unwrap();
    assert!(claim_credential(bench, anna, before.version, None));
    assert!(claim_credential(bench, anna, before.version, None), "a claim alone changes nothing");
    assert_eq!(find_credential(bench, anna).unwrap(), before);
    replace_credential(bench, anna, "hash of another");
    assert!(!claim_credential(bench, anna, before.version, None));
    assert!(!claim_credential(bench, anna, before.version + 9, None));
    assert!(!claim_credential(bench, PrincipalId::User(shop.namesake.id), 1, None));
}

/// A new hash of the same secret is stored with a claim that is won, and raises no version.
pub fn rehash_of_the_same_secret_keeps_the_version(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let (anna, till) = (PrincipalId::User(shop.anna.id), PrincipalId::Device(shop.till.id));
    for principal in [anna, till] {
        let before = find_credential(bench, principal).unwrap();
        assert!(claim_credential(
            bench,
            principal,
            before.version,
            Some(&hash_requested_password("the same, hashed anew"))
        ));
        let expected = Credential { verifier: hash_requested_password("the same, hashed anew"), ..before };
        assert_eq!(find_credential(bench, principal), Some(expected));
    }
    let bens = find_credential(bench, PrincipalId::User(shop.ben.id)).unwrap();
    assert_eq!(bens.verifier, hash_requested_password("hash of Ben's"));
}

/// Another secret takes the place of the one of this version, which is raised; nobody else's is touched.
pub fn replacement_requires_the_version(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let (anna, till) = (PrincipalId::User(shop.anna.id), PrincipalId::Device(shop.till.id));
    let bens = find_credential(bench, PrincipalId::User(shop.ben.id));
    for principal in [anna, till] {
        let before = find_credential(bench, principal).unwrap();
        let another = hash_requested_password("hash of another");
        assert!(run_write(bench, |tx| tx.credentials().replace(
            principal,
            PASSWORD_KIND,
            before.version,
            &another,
            after_start(9)
        )));
        let after = find_credential(bench, principal).unwrap();
        assert!(after.version > before.version);
        assert_eq!(after.verifier, another);
        assert!(!claim_credential(bench, principal, before.version, None), "a login by the old one is lost");
        assert!(claim_credential(bench, principal, after.version, None));
    }
    assert_eq!(find_credential(bench, PrincipalId::User(shop.ben.id)), bens);
}

/// A replacement of another version, or of what is not there, stores nothing.
pub fn failed_replacement_stores_nothing(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let (anna, nobody) = (PrincipalId::User(shop.anna.id), PrincipalId::User(shop.namesake.id));
    let before = find_credential(bench, anna).unwrap();
    for (principal, version) in [(anna, before.version + 1), (anna, before.version - 1), (nobody, 1), (nobody, 0)] {
        let another = hash_requested_password("hash of another");
        assert!(!run_write(bench, |tx| tx.credentials().replace(
            principal,
            PASSWORD_KIND,
            version,
            &another,
            after_start(9)
        )));
    }
    assert_eq!(find_credential(bench, anna), Some(before));
    assert_eq!(find_credential(bench, nobody), None);
}

/// A claim that is lost stores nothing.
pub fn failed_claim_stores_nothing(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let anna = PrincipalId::User(shop.anna.id);
    let before = find_credential(bench, anna).unwrap();
    assert!(!claim_credential(bench, anna, before.version + 1, Some(&hash_requested_password("of an older secret"))));
    assert_eq!(find_credential(bench, anna), Some(before));
}
