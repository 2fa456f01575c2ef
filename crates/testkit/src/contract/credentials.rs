//! Credentials, and how a login claims one.

use tillgate_auth_core::ports::{Credential, CredentialKind, Verifier};
use tillgate_domain::{PrincipalId, UserId};

use crate::contract_fixture::{ContractFixture, after_start, hash_requested_password, run_read, run_write};
use crate::{AuthStoreHarness, Roster};

const PASSWORD_KIND: CredentialKind = CredentialKind::Password;

fn find_credential(harness: &AuthStoreHarness, principal: PrincipalId) -> Option<Credential> {
    run_read(harness, |tx| tx.credentials().find(principal, PASSWORD_KIND))
}

fn claim_credential(
    harness: &AuthStoreHarness,
    principal: PrincipalId,
    version: i64,
    rehashed: Option<&Verifier>,
) -> bool {
    run_write(harness, |tx| tx.credentials().claim(principal, PASSWORD_KIND, version, rehashed, after_start(9)))
}

fn replace_credential(harness: &AuthStoreHarness, principal: PrincipalId, text: &str) {
    harness.insert_roster(&Roster {
        passwords: vec![(principal, hash_requested_password(text), after_start(5))],
        ..Roster::default()
    });
}

/// A credential is found by its owner. Users and devices have separate credentials, and a principal
/// without one has none.
pub fn credential_is_found_by_its_owner(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    for (principal, text) in [
        (PrincipalId::User(fixture.anna.id), "hash of Anna's"),
        (PrincipalId::User(fixture.ben.id), "hash of Ben's"),
        (PrincipalId::Device(fixture.till.id), "hash of the till's"),
    ] {
        let found = find_credential(harness, principal).expect("it was set");
        let expected = Credential {
            principal,
            kind: PASSWORD_KIND,
            verifier: hash_requested_password(text),
            version: found.version,
        };
        assert_eq!(found, expected);
    }
    assert_eq!(find_credential(harness, PrincipalId::User(fixture.namesake.id)), None);
    assert_eq!(find_credential(harness, PrincipalId::Device(fixture.handheld.id)), None);
    assert_eq!(
        find_credential(harness, PrincipalId::User(UserId(fixture.till.id.0))),
        None,
        "a till's id names no user"
    );
}

/// Replacing a secret increments the version of that credential, and of no other.
pub fn replaced_secret_increments_the_version(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let (anna, ben) = (PrincipalId::User(fixture.anna.id), PrincipalId::User(fixture.ben.id));
    let (first, bens) = (find_credential(harness, anna).unwrap(), find_credential(harness, ben));
    replace_credential(harness, anna, "hash of another");
    let second = find_credential(harness, anna).unwrap();
    assert!(second.version > first.version);
    assert_eq!(second.verifier, hash_requested_password("hash of another"));
    assert_eq!(find_credential(harness, ben), bens);
}

/// A claim succeeds at the current version. It fails at any other version, and if there is no
/// credential.
pub fn credential_claim_requires_the_version(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let anna = PrincipalId::User(fixture.anna.id);
    let before = find_credential(harness, anna).unwrap();
    assert!(claim_credential(harness, anna, before.version, None));
    assert!(claim_credential(harness, anna, before.version, None), "a claim alone changes nothing");
    assert_eq!(find_credential(harness, anna).unwrap(), before);
    replace_credential(harness, anna, "hash of another");
    assert!(!claim_credential(harness, anna, before.version, None));
    assert!(!claim_credential(harness, anna, before.version + 9, None));
    assert!(!claim_credential(harness, PrincipalId::User(fixture.namesake.id), 1, None));
}

/// A successful claim stores a new hash of the same secret and keeps the version.
pub fn rehash_of_the_same_secret_keeps_the_version(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let (anna, till) = (PrincipalId::User(fixture.anna.id), PrincipalId::Device(fixture.till.id));
    for principal in [anna, till] {
        let before = find_credential(harness, principal).unwrap();
        assert!(claim_credential(
            harness,
            principal,
            before.version,
            Some(&hash_requested_password("the same, hashed again"))
        ));
        let expected = Credential { verifier: hash_requested_password("the same, hashed again"), ..before };
        assert_eq!(find_credential(harness, principal), Some(expected));
    }
    let bens = find_credential(harness, PrincipalId::User(fixture.ben.id)).unwrap();
    assert_eq!(bens.verifier, hash_requested_password("hash of Ben's"));
}

/// A replacement at the current version stores the new secret and increments the version. No other
/// credential changes.
pub fn replacement_requires_the_version(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let (anna, till) = (PrincipalId::User(fixture.anna.id), PrincipalId::Device(fixture.till.id));
    let bens = find_credential(harness, PrincipalId::User(fixture.ben.id));
    for principal in [anna, till] {
        let before = find_credential(harness, principal).unwrap();
        let another = hash_requested_password("hash of another");
        assert!(run_write(harness, |tx| tx.credentials().replace(
            principal,
            PASSWORD_KIND,
            before.version,
            &another,
            after_start(9)
        )));
        let after = find_credential(harness, principal).unwrap();
        assert!(after.version > before.version);
        assert_eq!(after.verifier, another);
        assert!(!claim_credential(harness, principal, before.version, None), "a login with the old password fails");
        assert!(claim_credential(harness, principal, after.version, None));
    }
    assert_eq!(find_credential(harness, PrincipalId::User(fixture.ben.id)), bens);
}

/// A replacement at another version, or of a credential that does not exist, stores nothing.
pub fn failed_replacement_stores_nothing(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let (anna, nobody) = (PrincipalId::User(fixture.anna.id), PrincipalId::User(fixture.namesake.id));
    let before = find_credential(harness, anna).unwrap();
    for (principal, version) in [(anna, before.version + 1), (anna, before.version - 1), (nobody, 1), (nobody, 0)] {
        let another = hash_requested_password("hash of another");
        assert!(!run_write(harness, |tx| tx.credentials().replace(
            principal,
            PASSWORD_KIND,
            version,
            &another,
            after_start(9)
        )));
    }
    assert_eq!(find_credential(harness, anna), Some(before));
    assert_eq!(find_credential(harness, nobody), None);
}

/// A failed claim stores nothing.
pub fn failed_claim_stores_nothing(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let anna = PrincipalId::User(fixture.anna.id);
    let before = find_credential(harness, anna).unwrap();
    assert!(!claim_credential(harness, anna, before.version + 1, Some(&hash_requested_password("of an older secret"))));
    assert_eq!(find_credential(harness, anna), Some(before));
}
