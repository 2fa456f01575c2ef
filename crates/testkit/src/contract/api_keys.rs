//! API keys, as the back office writes them and as authentication finds them.

use tillgate_auth_core::ports::WrappedApiKey;
use tillgate_domain::office::ports::{ApiKeyFilter, PageRequest};
use tillgate_domain::{ApiKey, ApiKeyId, Right, Rights, StoreExt};

use crate::StoreHarness;
use crate::contract_fixture::{self, ContractFixture, FIXTURE_START, after_start, run_office_write};
use crate::rendezvous::{Rendezvous, run_both};

fn insert_api_key(harness: &StoreHarness, key: &ApiKey) -> bool {
    run_office_write(harness, |tx| tx.api_keys().insert(key, &wrap_secret(key)))
}

fn find_api_key(harness: &StoreHarness, id: ApiKeyId) -> Option<ApiKey> {
    harness.office.read("test", |tx| tx.api_keys().find(id)).unwrap()
}

fn find_by_client(harness: &StoreHarness, client: &str) -> Option<WrappedApiKey> {
    contract_fixture::run_read(&harness.auth, |tx| tx.api_keys().find_by_client_id(client))
}

fn wrap_secret(key: &ApiKey) -> Vec<u8> {
    [&[0, 255], key.client_id.as_bytes()].concat()
}

fn api_key_id(number: u8) -> ApiKeyId {
    ApiKeyId::new(FIXTURE_START, [number; 10])
}

/// An API key for Anna on the till.
fn new_api_key(fixture: &ContractFixture, number: u8) -> ApiKey {
    ApiKey {
        id: api_key_id(number),
        tenant: fixture.tenant.id,
        client_id: format!("client {number}"),
        name: format!("Shop window {number}"),
        description: "Reads tickets\nat night".into(),
        active: true,
        user: fixture.anna.id,
        device: fixture.till.id,
        permissions: ["ticketClose", "storno"].into_iter().map(|name| Right::parse(name).unwrap()).collect(),
        created_at: after_start(5),
        expires_at: Some(after_start(900)),
        last_used_at: None,
        previous_secret_until: None,
        version: 1,
    }
}

/// An API key is read back as it was inserted, by its id and by its client id. A search by client
/// id also returns its wrapped secret.
pub fn api_key_is_read_back_as_added(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let narrow = new_api_key(&fixture, 1);
    let wide = ApiKey {
        permissions: Rights::default(),
        expires_at: None,
        active: false,
        description: String::new(),
        ..new_api_key(&fixture, 2)
    };
    for key in [&narrow, &wide] {
        assert!(insert_api_key(harness, key));
        assert_eq!(find_api_key(harness, key.id).as_ref(), Some(key));
        let found = find_by_client(harness, &key.client_id).unwrap();
        assert_eq!((&found.key, found.wrapped_secret), (key, wrap_secret(key)));
        assert_eq!(found.previous_wrapped_secret, None);
    }
    assert_eq!(find_api_key(harness, api_key_id(3)), None);
    for other in ["client 3", "CLIENT 1", "client", ""] {
        assert_eq!(find_by_client(harness, other), None, "{other}");
    }
}

/// The active API keys of a user can be listed, and each is revoked at the version that was read.
pub fn api_keys_of_a_user_are_listed_and_revoked(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let bens = ApiKey { user: fixture.ben.id, ..new_api_key(&fixture, 3) };
    for key in [
        &new_api_key(&fixture, 1),
        &new_api_key(&fixture, 2),
        &bens,
        &ApiKey { active: false, ..new_api_key(&fixture, 4) },
    ] {
        assert!(insert_api_key(harness, key));
    }
    let annas = || {
        contract_fixture::run_read(&harness.auth, |tx| {
            tx.api_keys().list_active_by_user(fixture.tenant.id, fixture.anna.id)
        })
    };
    assert_eq!(annas(), [new_api_key(&fixture, 1), new_api_key(&fixture, 2)]);
    assert_eq!(
        contract_fixture::run_read(&harness.auth, |tx| tx
            .api_keys()
            .list_active_by_user(fixture.other_tenant.id, fixture.anna.id)),
        []
    );
    let revoke = |key: &ApiKey| contract_fixture::run_write(&harness.auth, |tx| tx.api_keys().revoke(key));
    assert!(revoke(&new_api_key(&fixture, 1)));
    assert!(!revoke(&new_api_key(&fixture, 1)), "the version has changed");
    assert_eq!(
        find_api_key(harness, api_key_id(1)),
        Some(ApiKey { active: false, version: 2, ..new_api_key(&fixture, 1) })
    );
    assert_eq!(annas(), [new_api_key(&fixture, 2)]);
}

/// A client id is unique across all tenants. An insert with one that is taken returns false and
/// leaves the existing key unchanged.
pub fn client_id_is_unique(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    assert!(insert_api_key(harness, &new_api_key(&fixture, 1)));
    let far = ApiKey {
        client_id: new_api_key(&fixture, 1).client_id,
        tenant: fixture.other_tenant.id,
        user: fixture.namesake.id,
        device: fixture.foreign_device.id,
        ..new_api_key(&fixture, 2)
    };
    assert!(!insert_api_key(harness, &far));
    assert_eq!(find_by_client(harness, &far.client_id).map(|found| found.key), Some(new_api_key(&fixture, 1)));
    assert_eq!(find_api_key(harness, api_key_id(2)), None);
}

/// An update stores every field except the tenant, the client id, the secrets, the creation time
/// and the last use, and increments the version.
pub fn api_key_update_stores_every_field(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (before, beside) = (new_api_key(&fixture, 1), new_api_key(&fixture, 2));
    assert!(insert_api_key(harness, &before) && insert_api_key(harness, &beside));
    let after = ApiKey {
        name: "Night".into(),
        description: String::new(),
        active: false,
        user: fixture.ben.id,
        device: fixture.handheld.id,
        permissions: Rights::default(),
        expires_at: None,
        ..before.clone()
    };
    let meant = ApiKey {
        last_used_at: Some(after_start(98)),
        previous_secret_until: Some(after_start(97)),
        tenant: fixture.other_tenant.id,
        client_id: "another".into(),
        created_at: after_start(99),
        ..after.clone()
    };
    assert!(run_office_write(harness, |tx| tx.api_keys().update(&meant)));
    let expected = ApiKey { version: 2, ..after };
    assert_eq!(find_api_key(harness, before.id), Some(expected.clone()));
    let found = find_by_client(harness, &before.client_id).unwrap();
    assert_eq!((found.key, found.wrapped_secret), (expected, wrap_secret(&before)));
    assert_eq!(find_by_client(harness, "another"), None);
    assert_eq!(find_api_key(harness, beside.id), Some(beside));
}

/// An update from another version than the current one returns false and changes nothing.
pub fn api_key_update_fails_on_another_version(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let first = new_api_key(&fixture, 1);
    assert!(insert_api_key(harness, &first));
    let update = |version, name: &str| {
        let key = ApiKey { version, name: name.into(), ..first.clone() };
        run_office_write(harness, |tx| tx.api_keys().update(&key))
    };
    assert!(!update(2, "from the future"));
    assert!(update(1, "second"));
    assert!(!update(1, "late"));
    assert_eq!(find_api_key(harness, first.id), Some(ApiKey { version: 2, name: "second".into(), ..first }));
    assert!(
        !run_office_write(harness, |tx| tx.api_keys().update(&new_api_key(&fixture, 3))),
        "one that does not exist"
    );
    assert_eq!(find_api_key(harness, api_key_id(3)), None);
}

/// A rotation stores the new secret and the permissions. The present secret becomes the previous
/// one until the end of the overlap; without an overlap, none remains.
pub fn api_key_secret_is_rotated(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (first, beside) = (new_api_key(&fixture, 1), new_api_key(&fixture, 2));
    assert!(insert_api_key(harness, &first) && insert_api_key(harness, &beside));
    let rotate = |version, until, secret: &[u8]| {
        let key = ApiKey {
            version,
            previous_secret_until: until,
            permissions: Rights::default(),
            name: "not stored".into(),
            expires_at: None,
            ..first.clone()
        };
        run_office_write(harness, |tx| tx.api_keys().rotate(&key, secret))
    };
    let expected = |version, until| ApiKey {
        version,
        previous_secret_until: until,
        permissions: Rights::default(),
        ..first.clone()
    };
    let (until, later) = (Some(after_start(20)), Some(after_start(30)));
    assert!(!rotate(2, until, b"early"), "another version");
    for (version, until, secret, previous) in [
        (1, until, &b"second"[..], Some(wrap_secret(&first))),
        (2, later, b"third", Some(b"second".to_vec())),
        (3, None, b"fourth", None),
        (4, until, b"fifth", Some(b"fourth".to_vec())),
    ] {
        assert!(rotate(version, until, secret));
        let found = find_by_client(harness, &first.client_id).unwrap();
        assert_eq!(found.key, expected(version + 1, until));
        assert_eq!((found.wrapped_secret.as_slice(), found.previous_wrapped_secret), (secret, previous));
        assert_eq!(find_api_key(harness, first.id), Some(found.key));
    }
    assert!(!rotate(1, until, b"late"));
    let update = |version, active| {
        let key = ApiKey { active, ..expected(version, until) };
        assert!(run_office_write(harness, |tx| tx.api_keys().update(&key)));
        let found = find_by_client(harness, &first.client_id).unwrap();
        (found.wrapped_secret, found.previous_wrapped_secret, found.key.previous_secret_until)
    };
    assert_eq!(update(5, true), (b"fifth".to_vec(), Some(b"fourth".to_vec()), until));
    assert_eq!(update(6, false), (b"fifth".to_vec(), None, None), "a revoked key");
    assert_eq!(update(7, true), (b"fifth".to_vec(), None, None), "reactivated");
    let other = find_by_client(harness, &beside.client_id).unwrap();
    assert_eq!((other.wrapped_secret, other.key), (wrap_secret(&beside), beside));
}

/// A use is stored without a change of the version. A later use that is stored already stays, and a
/// key that does not exist is skipped.
pub fn api_key_use_is_recorded(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let keys = [new_api_key(&fixture, 1), new_api_key(&fixture, 2)];
    assert!(keys.iter().all(|key| insert_api_key(harness, key)));
    let record = |uses: &[(ApiKeyId, tillgate_domain::Instant)]| {
        contract_fixture::run_write(&harness.auth, |tx| tx.api_keys().record_uses(uses));
    };
    record(&[]);
    record(&[(keys[0].id, after_start(60)), (api_key_id(9), after_start(60))]);
    let used = |at| Some(ApiKey { last_used_at: Some(after_start(at)), ..keys[0].clone() });
    assert_eq!(find_api_key(harness, keys[0].id), used(60));
    assert_eq!(find_api_key(harness, keys[1].id), Some(keys[1].clone()));
    record(&[(keys[0].id, after_start(30))]);
    assert_eq!(find_api_key(harness, keys[0].id), used(60), "an earlier use by another process");
    record(&[(keys[0].id, after_start(120)), (keys[1].id, after_start(120))]);
    assert_eq!(find_api_key(harness, keys[0].id), used(120));
    assert_eq!(find_api_key(harness, api_key_id(9)), None);
}

/// A key is removed at the version that was read, and its client id can be used again.
pub fn api_key_is_removed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    assert!(insert_api_key(harness, &new_api_key(&fixture, 1)) && insert_api_key(harness, &new_api_key(&fixture, 2)));
    let remove = |number, version| run_office_write(harness, |tx| tx.api_keys().remove(api_key_id(number), version));
    assert!(!remove(1, 2));
    assert!(find_api_key(harness, api_key_id(1)).is_some());
    assert!(remove(1, 1));
    assert!(!remove(1, 1));
    assert_eq!((find_api_key(harness, api_key_id(1)), find_by_client(harness, "client 1")), (None, None));
    assert_eq!(find_api_key(harness, api_key_id(2)), Some(new_api_key(&fixture, 2)));
    assert!(insert_api_key(harness, &ApiKey { client_id: "client 1".into(), ..new_api_key(&fixture, 3) }));
}

/// The API keys of a tenant are listed in pages, in the order of their ids.
pub fn api_keys_are_listed_in_pages(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    for number in [3, 1, 4, 2] {
        assert!(insert_api_key(harness, &new_api_key(&fixture, number)));
    }
    let far = ApiKey {
        tenant: fixture.other_tenant.id,
        user: fixture.namesake.id,
        device: fixture.foreign_device.id,
        ..new_api_key(&fixture, 5)
    };
    assert!(insert_api_key(harness, &far));
    let list = |after: Option<u8>, limit| -> Vec<ApiKey> {
        let page = PageRequest { after: after.map(api_key_id), limit };
        harness
            .office
            .read("test", |tx| tx.api_keys().list(fixture.tenant.id, &ApiKeyFilter::default(), &page))
            .unwrap()
    };
    let keys = |numbers: &[u8]| numbers.iter().map(|number| new_api_key(&fixture, *number)).collect::<Vec<_>>();
    assert_eq!(list(None, 3), keys(&[1, 2, 3]));
    assert_eq!(list(Some(3), 3), keys(&[4]));
    assert_eq!(list(Some(2), 1), keys(&[3]));
    assert!(list(Some(4), 3).is_empty());
}

/// A filter selects API keys by user, by device and by status.
pub fn api_keys_are_filtered(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let with = [
        new_api_key(&fixture, 1),
        ApiKey { user: fixture.ben.id, ..new_api_key(&fixture, 2) },
        ApiKey { active: false, ..new_api_key(&fixture, 3) },
        ApiKey { device: fixture.handheld.id, ..new_api_key(&fixture, 4) },
    ];
    assert!(with.iter().all(|key| insert_api_key(harness, key)));
    let list = |filter: ApiKeyFilter| -> Vec<ApiKey> {
        let page = PageRequest { after: None, limit: 9 };
        harness.office.read("test", |tx| tx.api_keys().list(fixture.tenant.id, &filter, &page)).unwrap()
    };
    let every = ApiKeyFilter::default();
    for (filter, numbers) in [
        (every, &[0, 1, 2, 3][..]),
        (ApiKeyFilter { user: Some(fixture.ben.id), ..every }, &[1]),
        (ApiKeyFilter { device: Some(fixture.handheld.id), ..every }, &[3]),
        (ApiKeyFilter { active: Some(false), ..every }, &[2]),
        (ApiKeyFilter { active: Some(true), ..every }, &[0, 1, 3]),
        (ApiKeyFilter { user: Some(fixture.ben.id), device: Some(fixture.handheld.id), ..every }, &[]),
    ] {
        let expected: Vec<ApiKey> = numbers.iter().map(|at: &usize| with[*at].clone()).collect();
        assert_eq!(list(filter), expected, "{filter:?}");
    }
}

/// Of two concurrent updates from the same version, exactly one succeeds.
pub fn concurrent_api_key_updates_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    assert!(insert_api_key(harness, &new_api_key(&fixture, 1)));
    let crossing = Rendezvous::default();
    let update = |name: &'static str| {
        run_office_write(harness, |tx| {
            let read = tx.api_keys().find(api_key_id(1))?.unwrap();
            crossing.wait();
            tx.api_keys().update(&ApiKey { name: name.into(), version: 1, ..read })
        })
    };
    let (one, other) = run_both(|| update("one"), || update("other"));
    assert!(one ^ other, "{one} {other}");
    let now = find_api_key(harness, api_key_id(1)).unwrap();
    assert_eq!((now.name.as_str(), now.version), (if one { "one" } else { "other" }, 2));
}

/// Of two concurrent inserts with the same client id, exactly one succeeds.
pub fn concurrent_inserts_of_one_client_id_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let crossing = Rendezvous::default();
    let add = |number| {
        let key = ApiKey { client_id: "the same".into(), ..new_api_key(&fixture, number) };
        run_office_write(harness, |tx| {
            tx.api_keys().find(key.id)?;
            crossing.wait();
            tx.api_keys().insert(&key, &wrap_secret(&key))
        })
    };
    let (one, other) = run_both(|| add(1), || add(2));
    assert!(one ^ other, "{one} {other}");
    assert_eq!(
        find_by_client(harness, "the same").map(|found| found.key.id),
        Some(api_key_id(if one { 1 } else { 2 }))
    );
}
