//! How many machines can wait, and that those of one tenant keep out no others.

use std::sync::Arc;

use tillgate_auth_core::{AuthDenied, Caller, Clock, Error, PollDenied, Profile};
use tillgate_domain::office::{FieldName, Office, OfficeError, TenantChange};
use tillgate_domain::pending_key::{MAX_PENDING_KEYS, MAX_TENANT_PENDING_KEYS, RESERVED_PENDING_KEYS};
use tillgate_domain::{Action, BranchId, PrincipalId, SessionLimits, StoreExt, Tenant, TenantId, UserId};
use tillgate_testkit::ProofSigner;
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::records::{new_pending_key, new_tenant};

use crate::enrollment::{denial, office, prove};
use crate::fixture::{EngineFixture, MINUTE, address, authenticate, done, stamp};
use crate::pending_keys::try_start;

/// Lets this many keys of a tenant wait for a minute.
fn fill(fixture: &EngineFixture, tenant: TenantId, count: u32) {
    let until = fixture.clock.now().saturating_add(MINUTE);
    let inserted = fixture.auth_store().write("test", |tx| {
        for number in 0..count {
            let mut key = new_pending_key(tenant, 1, fixture.clock.now(), until);
            key.code_digest[..16].copy_from_slice(tenant.0.as_bytes());
            key.code_digest[16..20].copy_from_slice(&number.to_be_bytes());
            key.device_code_digest = key.code_digest;
            assert!(tx.pending_keys().insert(&key)?);
        }
        Ok(())
    });
    inserted.unwrap();
}

/// Adds a tenant that accepts machines that show a code.
fn add_shop(fixture: &EngineFixture, slug: &str) -> TenantId {
    let id = TenantId::new(CLOCK_START, [slug.as_bytes()[0]; 10]);
    let branch = BranchId::new(CLOCK_START, [slug.as_bytes()[0]; 10]);
    let added = new_tenant(id, branch, slug, CLOCK_START);
    assert!(fixture.office_store().write("test", |tx| tx.tenants().insert(&added)).unwrap());
    id
}

fn start_in(fixture: &EngineFixture, tenant: Option<&str>, last: u8) -> Result<(), Error> {
    let proof = prove(&fixture.auth, &ProofSigner::ed25519(1));
    try_start(&fixture.auth, &proof, tenant, address(last)).map(drop)
}

#[test]
fn no_machine_starts_while_too_many_wait() {
    let fixture = EngineFixture::open();
    let tenant = fixture.records.tenant.id;
    fill(&fixture, tenant, MAX_TENANT_PENDING_KEYS - 1);
    assert_eq!(start_in(&fixture, None, 1), Ok(()), "the last one");
    let full = start_in(&fixture, None, 1);
    assert!(matches!(full, Err(Error::Unavailable { .. })), "{full:?}");
    assert_eq!(start_in(&fixture, Some("market"), 1), Ok(()), "another tenant goes on");
    fixture.clock.advance(MINUTE);
    assert_eq!(start_in(&fixture, None, 1), Ok(()), "the others have expired");
}

#[test]
fn machines_start_in_a_full_store_in_tenants_where_few_wait() {
    let fixture = EngineFixture::open();
    let (bakery, market) = (add_shop(&fixture, "bakery"), fixture.market.tenant.id);
    fill(&fixture, fixture.records.tenant.id, MAX_PENDING_KEYS - MAX_TENANT_PENDING_KEYS);
    fill(&fixture, bakery, MAX_TENANT_PENDING_KEYS);
    fill(&fixture, market, RESERVED_PENDING_KEYS - 1);
    assert_eq!(start_in(&fixture, Some("market"), 1), Ok(()));
    for tenant in [Some("market"), Some("bakery"), None] {
        let full = start_in(&fixture, tenant, 1);
        assert!(matches!(full, Err(Error::Unavailable { .. })), "{tenant:?}: {full:?}");
    }
}

#[test]
fn starts_in_no_tenant_are_limited_in_their_network() {
    let fixture = EngineFixture::open();
    let off = TenantChange { machine_codes: Some(false), ..TenantChange::default() };
    let market = Office::new(fixture.office_store(), fixture.market.tenant.id, stamp(CLOCK_START));
    market.change_tenant(None, &off, &SessionLimits::default()).unwrap().unwrap();
    let denied = Err(Error::from(PollDenied::AccessDenied));
    for number in 0..25 {
        assert_eq!(start_in(&fixture, Some(&format!("guess-{number}")), 1), denied, "{number}: there is none");
        assert_eq!(start_in(&fixture, Some("market"), 2), denied, "{number}: it accepts none");
    }
    let limited = Err(Error::from(AuthDenied::TooManyAttempts { retry_after: MINUTE }));
    assert_eq!(start_in(&fixture, Some("another"), 1), limited);
    assert_eq!(start_in(&fixture, Some("market"), 1), limited);
    let named = fixture.records.tenant.slug.as_str();
    assert_eq!(start_in(&fixture, Some(named), 1), limited, "otherwise, the response would tell which names are right");
    assert_eq!(start_in(&fixture, None, 1), Ok(()), "nothing is guessed");
    fixture.clock.advance(MINUTE);
    for number in 0..9 {
        assert_eq!(start_in(&fixture, Some(named), 1), Ok(()), "{number}: a right name takes no token");
    }
    assert_eq!(start_in(&fixture, Some("another"), 1), denied);
    assert_eq!(start_in(&fixture, Some("another"), 1), limited);
    assert!(fixture.auth.unlock_network([192, 0, 2, 9].into()).unwrap());
    assert_eq!(start_in(&fixture, Some("another"), 1), denied, "the operator has unlocked the network");
}

#[test]
fn starts_and_codes_of_one_tenant_lock_out_no_other_in_the_same_network() {
    let fixture = EngineFixture::open();
    for number in 0..50 {
        assert_eq!(start_in(&fixture, Some("market"), 1), Ok(()), "{number}");
    }
    let limited = Error::from(AuthDenied::TooManyAttempts { retry_after: MINUTE });
    assert_eq!(start_in(&fixture, Some("market"), 1), Err(limited.clone()));
    assert_eq!(start_in(&fixture, None, 1), Ok(()));
    // callers of different tenants, who type codes in the same network
    let manager = authenticate(&fixture.auth, &fixture.user("manager", None)).unwrap();
    let of_tenant = |tenant: TenantId, number: u8| {
        let of_tenant = Arc::new(Tenant { id: tenant, ..(*manager.profile.tenant).clone() });
        let profile = Profile { tenant: of_tenant, ..(*manager.profile).clone() };
        let principal = PrincipalId::User(UserId::new(CLOCK_START, [number; 10]));
        Caller { profile: Arc::new(profile), principal, address: address(1), ..manager.clone() }
    };
    let unknown = || OfficeError::NotFound { field: FieldName::Enrollment, value: "BCDF-GHJK".to_owned() };
    let type_code = |caller: &Caller, number: u32| {
        fixture.auth.with_user_code::<()>(caller, &format!("BCDF-GHJK-{number}"), |_| Ok(Err(unknown())))
    };
    let [market, bakery] = [b'm', b'b'].map(|byte| TenantId::new(CLOCK_START, [byte; 10]));
    for number in 0..50_u8 {
        let wrong = type_code(&of_tenant(market, number), number.into());
        assert_eq!(wrong, Ok(Err(unknown())), "{number}");
    }
    assert_eq!(type_code(&of_tenant(market, 99), 99), Err(limited.clone()), "the network");
    assert_eq!(type_code(&of_tenant(bakery, 99), 99), Ok(Err(unknown())), "another tenant goes on");
    assert!(fixture.auth.unlock_network([192, 0, 2, 9].into()).unwrap());
    assert_eq!(type_code(&of_tenant(market, 99), 99), Ok(Err(unknown())), "the operator has unlocked the network");
    assert_eq!(start_in(&fixture, Some("market"), 1), Ok(()));
}

#[test]
fn codes_of_a_tenant_that_accepts_no_machines_are_counted_and_recorded() {
    let fixture = EngineFixture::open();
    let off = TenantChange { machine_codes: Some(false), ..TenantChange::default() };
    done(office(&fixture).change_tenant(None, &off, &SessionLimits::default()));
    let manager = authenticate(&fixture.auth, &fixture.user("manager", None)).unwrap();
    let look_up = |number: u32| {
        let reader = office(&fixture).reader();
        fixture.auth.with_user_code(&manager, &format!("BCDF-GHJK-{number}"), |typed| reader.find_pending_key(typed))
    };
    for number in 0..10 {
        assert_eq!(look_up(number), Ok(Err(OfficeError::MachineCodesOff)), "{number}");
    }
    assert_eq!(denial(look_up(10)), AuthDenied::TooManyAttempts { retry_after: MINUTE });
    let refused = fixture.audit_events(Action::DeviceEnrollAccept);
    assert_eq!(refused.len(), 10);
    assert!(refused.iter().all(|event| event.details["why"] == "machine_codes_off"));
}
