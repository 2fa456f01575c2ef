use super::*;
use crate::{Assignment, Epoch, Instant, RoleId};

/// The fields after the change, or its errors.
fn changed(before: &User, change: &UserChange) -> Result<User, OfficeError> {
    let mut refusals = FieldRefusals::default();
    let after = super::apply_change(before, change, &mut refusals);
    refusals.checked()?;
    match after {
        Ok(after) => Ok(after),
        Err(UseCaseError::Office(refused)) => Err(refused),
        Err(UseCaseError::Store(error)) => panic!("{error}"),
    }
}

fn anna(status: UserStatus) -> User {
    User {
        id: UserId::new(Instant::default(), [9; 10]),
        tenant: TenantId::new(Instant::default(), [1; 10]),
        name: UserName::parse("anna").unwrap(),
        email: None,
        email_verified_at: None,
        display_name: "Anna".into(),
        status,
        feature: None,
        assignment: Assignment::default(),
        password_change_required: false,
        locale: None,
        last_login_at: None,
        epoch: Epoch(0),
        created_at: Instant::default(),
        updated_at: Instant::default(),
        version: 1,
    }
}

#[test]
fn deactivated_user_loses_every_session() {
    for from in UserStatus::ALL {
        for to in UserStatus::ALL {
            let ends = end_reason(from, to).is_some();
            assert_eq!(ends, from != to && to != UserStatus::Active, "{from:?} {to:?}");
        }
    }
}

#[test]
fn user_cannot_become_pending_again() {
    for from in UserStatus::ALL {
        let change = UserChange { status: Some(UserStatus::Pending), ..UserChange::default() };
        assert_eq!(changed(&anna(from), &change).is_ok(), from == UserStatus::Pending, "{from:?}");
    }
}

#[test]
fn empty_change_changes_nothing() {
    let before = anna(UserStatus::Active);
    assert_eq!(changed(&before, &UserChange::default()), Ok(before.clone()));
}

#[test]
fn audit_event_has_narrowest_action() {
    let before = anna(UserStatus::Active);
    let suspended = User { status: UserStatus::Suspended, ..before.clone() };
    assert_eq!(audit_details(&before, &suspended).0, Action::UserStatus);
    let deleted = User { status: UserStatus::Deleted, ..before.clone() };
    assert_eq!(audit_details(&before, &deleted).0, Action::UserDelete);
    let office = Assignment { office: [RoleId::new(Instant::default(), [3; 10])].into(), ..Assignment::default() };
    let assigned = User { assignment: office, ..before.clone() };
    assert_eq!(audit_details(&before, &assigned).0, Action::UserRoles);
    let renamed = User { name: UserName::parse("hana").unwrap(), ..suspended };
    let (action, details) = audit_details(&before, &renamed);
    assert_eq!(action, Action::UserUpdate);
    assert_eq!(details["user_name"], json!({ "from": "anna", "to": "hana" }));
    assert_eq!(details["status"], json!({ "from": "active", "to": "suspended" }));
    let temporary = User { password_change_required: true, ..before.clone() };
    let (action, details) = audit_details(&before, &temporary);
    assert_eq!(action, Action::UserUpdate);
    assert_eq!(details["password_change_required"], json!({ "from": false, "to": true }));
}

#[test]
fn changed_address_is_not_verified() {
    let email = |text: &str| Email::parse(text).ok();
    let verified = User {
        email: email("anna@example.com"),
        email_verified_at: Some(Instant::from_millis(5)),
        ..anna(UserStatus::Active)
    };
    let change = |text: &str| UserChange { email: Some(email(text)), ..UserChange::default() };
    assert_eq!(changed(&verified, &change("anna@example.com")), Ok(verified.clone()));
    for other in ["ANNA@example.com", "anna@example.org", ""] {
        let after = changed(&verified, &change(other)).unwrap();
        assert_eq!((after.email, after.email_verified_at), (email(other), None));
    }
}

#[test]
fn virtual_user_has_no_password_to_change() {
    let change = |required| UserChange { password_change_required: Some(required), ..UserChange::default() };
    let kiosk = User { feature: Some("kiosk".into()), ..anna(UserStatus::Active) };
    assert_eq!(changed(&kiosk, &change(true)), Err(OfficeError::VirtualUser(kiosk.name.clone())));
    assert_eq!(changed(&kiosk, &change(false)), Ok(kiosk.clone()));
    let anna = anna(UserStatus::Active);
    assert_eq!(changed(&anna, &change(true)), Ok(User { password_change_required: true, ..anna.clone() }));
}
