//! Keys of programs, as the back office writes them and as authentication finds them.

use tillgate_auth_core::ports::WrappedApiKey;
use tillgate_domain::office::ports::{ApiKeyFilter, Page};
use tillgate_domain::{ApiKey, ApiKeyId, Right, Rights, StoreExt};

use crate::Whole;
use crate::meeting::{Crossing, both};
use crate::shop::{self, START, Shop, at, office};

fn insert(whole: &Whole, key: &ApiKey) -> bool {
    office(whole, |tx| tx.api_keys().insert(key, &wrapped(key)))
}

fn find(whole: &Whole, id: ApiKeyId) -> Option<ApiKey> {
    whole.office.read(|tx| tx.api_keys().find(id)).unwrap()
}

fn named(whole: &Whole, client: &str) -> Option<WrappedApiKey> {
    shop::read(&whole.bench, |tx| tx.api_keys().named(client))
}

fn wrapped(key: &ApiKey) -> Vec<u8> {
    [&[0, 255], key.client.as_bytes()].concat()
}

fn id(number: u8) -> ApiKeyId {
    ApiKeyId::new(START, [number; 10])
}

/// A key for Anna on the till.
fn key(shop: &Shop, number: u8) -> ApiKey {
    ApiKey {
        id: id(number),
        tenant: shop.tenant.id,
        client: format!("client {number}"),
        name: format!("Shop window {number}"),
        description: "Reads tickets\nat night".into(),
        active: true,
        user: shop.anna.id,
        device: shop.till.id,
        permissions: ["ticketClose", "storno"].into_iter().map(|name| Right::parse(name).unwrap()).collect(),
        created_at: at(5),
        version: 1,
    }
}

/// A key comes back as it was added, by its id and by its client id, there with its secret.
pub fn a_key_of_a_program_comes_back_as_it_was_added(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let narrow = key(&shop, 1);
    let wide = ApiKey { permissions: Rights::default(), active: false, description: String::new(), ..key(&shop, 2) };
    for key in [&narrow, &wide] {
        assert!(insert(whole, key));
        assert_eq!(find(whole, key.id).as_ref(), Some(key));
        let found = named(whole, &key.client).unwrap();
        assert_eq!((&found.key, found.wrapped), (key, wrapped(key)));
    }
    assert_eq!(find(whole, id(3)), None);
    for other in ["client 3", "CLIENT 1", "client", ""] {
        assert_eq!(named(whole, other), None, "{other}");
    }
}

/// The active keys of one user are listed for whoever changes their password, and each is revoked at the version that was read.
pub fn keys_of_a_user_are_listed_and_revoked(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let bens = ApiKey { user: shop.ben.id, ..key(&shop, 3) };
    for key in [&key(&shop, 1), &key(&shop, 2), &bens, &ApiKey { active: false, ..key(&shop, 4) }] {
        assert!(insert(whole, key));
    }
    let annas = || shop::read(&whole.bench, |tx| tx.api_keys().active_of(shop.tenant.id, shop.anna.id));
    assert_eq!(annas(), [key(&shop, 1), key(&shop, 2)]);
    assert_eq!(shop::read(&whole.bench, |tx| tx.api_keys().active_of(shop.other.id, shop.anna.id)), []);
    let revoke = |key: &ApiKey| shop::write(&whole.bench, |tx| tx.api_keys().revoke(key));
    assert!(revoke(&key(&shop, 1)));
    assert!(!revoke(&key(&shop, 1)), "it is at another version by now");
    assert_eq!(find(whole, id(1)), Some(ApiKey { active: false, version: 2, ..key(&shop, 1) }));
    assert_eq!(annas(), [key(&shop, 2)]);
}

/// A client id is taken once, in every tenant: what is taken is not added, and what was there stays.
pub fn a_client_id_is_taken_once(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    assert!(insert(whole, &key(&shop, 1)));
    let far = ApiKey {
        client: key(&shop, 1).client,
        tenant: shop.other.id,
        user: shop.namesake.id,
        device: shop.far.id,
        ..key(&shop, 2)
    };
    assert!(!insert(whole, &far));
    assert_eq!(named(whole, &far.client).map(|found| found.key), Some(key(&shop, 1)));
    assert_eq!(find(whole, id(2)), None);
}

/// An update stores every field but the tenant, the client id, the secret and when the key was made, and raises the version.
pub fn an_update_of_a_key_stores_every_field(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let (before, beside) = (key(&shop, 1), key(&shop, 2));
    assert!(insert(whole, &before) && insert(whole, &beside));
    let after = ApiKey {
        name: "Night".into(),
        description: String::new(),
        active: false,
        user: shop.ben.id,
        device: shop.handheld.id,
        permissions: Rights::default(),
        ..before.clone()
    };
    let meant = ApiKey { tenant: shop.other.id, client: "another".into(), created_at: at(99), ..after.clone() };
    assert!(office(whole, |tx| tx.api_keys().update(&meant)));
    let expected = ApiKey { version: 2, ..after };
    assert_eq!(find(whole, before.id), Some(expected.clone()));
    let found = named(whole, &before.client).unwrap();
    assert_eq!((found.key, found.wrapped), (expected, wrapped(&before)));
    assert_eq!(named(whole, "another"), None);
    assert_eq!(find(whole, beside.id), Some(beside));
}

/// An update from another version is lost and changes nothing.
pub fn an_update_of_a_key_may_be_lost(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let first = key(&shop, 1);
    assert!(insert(whole, &first));
    let update = |version, name: &str| {
        let key = ApiKey { version, name: name.into(), ..first.clone() };
        office(whole, |tx| tx.api_keys().update(&key))
    };
    assert!(!update(2, "from the future"));
    assert!(update(1, "second"));
    assert!(!update(1, "late"));
    assert_eq!(find(whole, first.id), Some(ApiKey { version: 2, name: "second".into(), ..first }));
    assert!(!office(whole, |tx| tx.api_keys().update(&key(&shop, 3))), "one that is not there");
    assert_eq!(find(whole, id(3)), None);
}

/// A key is removed from the version that was read, and its client id is free again.
pub fn a_key_of_a_program_is_removed(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    assert!(insert(whole, &key(&shop, 1)) && insert(whole, &key(&shop, 2)));
    let remove = |number, version| office(whole, |tx| tx.api_keys().remove(id(number), version));
    assert!(!remove(1, 2));
    assert!(find(whole, id(1)).is_some());
    assert!(remove(1, 1));
    assert!(!remove(1, 1));
    assert_eq!((find(whole, id(1)), named(whole, "client 1")), (None, None));
    assert_eq!(find(whole, id(2)), Some(key(&shop, 2)));
    assert!(insert(whole, &ApiKey { client: "client 1".into(), ..key(&shop, 3) }));
}

/// Keys of a tenant come in parts, in the order of their ids.
pub fn keys_of_programs_come_in_parts(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    for number in [3, 1, 4, 2] {
        assert!(insert(whole, &key(&shop, number)));
    }
    let far = ApiKey { tenant: shop.other.id, user: shop.namesake.id, device: shop.far.id, ..key(&shop, 5) };
    assert!(insert(whole, &far));
    let list = |after: Option<u8>, limit| -> Vec<ApiKey> {
        let page = Page { after: after.map(id), limit };
        whole.office.read(|tx| tx.api_keys().list(shop.tenant.id, &ApiKeyFilter::default(), &page)).unwrap()
    };
    let keys = |numbers: &[u8]| numbers.iter().map(|number| key(&shop, *number)).collect::<Vec<_>>();
    assert_eq!(list(None, 3), keys(&[1, 2, 3]));
    assert_eq!(list(Some(3), 3), keys(&[4]));
    assert_eq!(list(Some(2), 1), keys(&[3]));
    assert!(list(Some(4), 3).is_empty());
}

/// Keys are narrowed by whose requests run as whom, where, and by whether they count.
pub fn keys_of_programs_are_narrowed(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let with = [
        key(&shop, 1),
        ApiKey { user: shop.ben.id, ..key(&shop, 2) },
        ApiKey { active: false, ..key(&shop, 3) },
        ApiKey { device: shop.handheld.id, ..key(&shop, 4) },
    ];
    assert!(with.iter().all(|key| insert(whole, key)));
    let list = |filter: ApiKeyFilter| -> Vec<ApiKey> {
        let page = Page { after: None, limit: 9 };
        whole.office.read(|tx| tx.api_keys().list(shop.tenant.id, &filter, &page)).unwrap()
    };
    let every = ApiKeyFilter::default();
    for (filter, numbers) in [
        (every, &[0, 1, 2, 3][..]),
        (ApiKeyFilter { user: Some(shop.ben.id), ..every }, &[1]),
        (ApiKeyFilter { device: Some(shop.handheld.id), ..every }, &[3]),
        (ApiKeyFilter { active: Some(false), ..every }, &[2]),
        (ApiKeyFilter { active: Some(true), ..every }, &[0, 1, 3]),
        (ApiKeyFilter { user: Some(shop.ben.id), device: Some(shop.handheld.id), ..every }, &[]),
    ] {
        let expected: Vec<ApiKey> = numbers.iter().map(|at: &usize| with[*at].clone()).collect();
        assert_eq!(list(filter), expected, "{filter:?}");
    }
}

/// Of two updates of one version one is kept.
pub fn two_updates_of_a_key(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    assert!(insert(whole, &key(&shop, 1)));
    let crossing = Crossing::default();
    let update = |name: &'static str| {
        office(whole, |tx| {
            let read = tx.api_keys().find(id(1))?.unwrap();
            crossing.meet();
            tx.api_keys().update(&ApiKey { name: name.into(), version: 1, ..read })
        })
    };
    let (one, other) = both(|| update("one"), || update("other"));
    assert!(one ^ other, "{one} {other}");
    let now = find(whole, id(1)).unwrap();
    assert_eq!((now.name.as_str(), now.version), (if one { "one" } else { "other" }, 2));
}

/// Of two keys of one client id one is added.
pub fn two_keys_of_one_client_id(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let crossing = Crossing::default();
    let add = |number| {
        let key = ApiKey { client: "the same".into(), ..key(&shop, number) };
        office(whole, |tx| {
            tx.api_keys().find(key.id)?;
            crossing.meet();
            tx.api_keys().insert(&key, &wrapped(&key))
        })
    };
    let (one, other) = both(|| add(1), || add(2));
    assert!(one ^ other, "{one} {other}");
    assert_eq!(named(whole, "the same").map(|found| found.key.id), Some(id(if one { 1 } else { 2 })));
}
