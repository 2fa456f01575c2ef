use super::*;
use crate::{Epoch, Instant};

/// The fields after the change, or its errors.
fn changed(before: &Device, change: &DeviceChange) -> Result<Device, OfficeError> {
    let mut refusals = FieldRefusals::default();
    let after = super::apply_change(before, change, &mut refusals);
    refusals.checked()?;
    match after {
        Ok(after) => Ok(after),
        Err(UseCaseError::Office(refused)) => Err(refused),
        Err(UseCaseError::Store(error)) => panic!("{error}"),
    }
}

fn till(status: DeviceStatus) -> Device {
    Device {
        id: DeviceId::new(Instant::default(), [9; 10]),
        tenant: TenantId::new(Instant::default(), [1; 10]),
        name: DeviceName::parse("P01").unwrap(),
        environment: Environment::CashRegister,
        status,
        description: String::new(),
        preferences: crate::JsonObject::default(),
        settings: [("stock".to_owned(), "S01".to_owned())].into(),
        branch: None,
        till_mode: false,
        roles: BTreeSet::new(),
        epoch: Epoch(0),
        seat: None,
        pairing: None,
        last_seen_at: None,
        created_at: Instant::default(),
        updated_at: Instant::default(),
        version: 1,
    }
}

#[test]
fn deactivated_device_loses_every_session() {
    for from in DeviceStatus::ALL {
        for to in DeviceStatus::ALL {
            let expected = (from != to && to != DeviceStatus::Active).then_some(EndReason::Locked);
            assert_eq!(end_reason(&till(from), &till(to)), expected, "{from:?} {to:?}");
        }
    }
}

#[test]
fn device_with_changed_environment_loses_every_session() {
    let office = Device { environment: Environment::BackOffice, ..till(DeviceStatus::Active) };
    assert_eq!(end_reason(&till(DeviceStatus::Active), &office), Some(EndReason::Admin));
    assert_eq!(end_reason(&office, &Device { description: "door".into(), ..office.clone() }), None);
}

#[test]
fn rights_gained_by_new_environment_are_collected() {
    let tenant = TenantId::new(Instant::default(), [1; 10]);
    let of = |number: u8, right: &str, environments: &[Environment]| Role {
        id: RoleId::new(Instant::default(), [number; 10]),
        tenant,
        name: RoleName::parse(right).unwrap(),
        label: String::new(),
        description: String::new(),
        rights: crate::Right::parse(right).into_iter().collect(),
        environments: environments.iter().copied().collect(),
        built_in: false,
        version: 1,
    };
    let (till, office) = (Environment::CashRegister, Environment::BackOffice);
    let roles =
        [of(1, "both", &[till, office]), of(2, "office", &[office]), of(3, "till", &[till]), of(4, "other", &[office])];
    let held = roles.iter().take(3).map(|role| role.id).collect();
    assert_eq!(collect_new_rights(&held, &roles, till, office).to_scope(), "office");
    assert_eq!(collect_new_rights(&held, &roles, office, till).to_scope(), "till");
}

#[test]
fn retired_device_stays_retired() {
    for to in DeviceStatus::ALL {
        let change = DeviceChange { status: Some(to), ..DeviceChange::default() };
        assert_eq!(changed(&till(DeviceStatus::Retired), &change).is_ok(), to == DeviceStatus::Retired);
        assert!(changed(&till(DeviceStatus::Locked), &change).is_ok());
    }
}

#[test]
fn settings_are_edited_replaced_or_patched() {
    let edit = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let after = |settings| {
        changed(&till(DeviceStatus::Active), &DeviceChange { settings, ..DeviceChange::default() }).unwrap().settings
    };
    assert_eq!(
        after(SettingsChange::Edit(edit(&[("fiscal", "eKasa")]))),
        edit(&[("stock", "S01"), ("fiscal", "eKasa")])
    );
    assert_eq!(after(SettingsChange::Edit(edit(&[("stock", "")]))), edit(&[]));
    assert_eq!(after(SettingsChange::Replace(edit(&[("fiscal", "")]))), edit(&[("fiscal", "")]));
}

#[test]
fn preferences_are_patched_by_rfc_7396() {
    use serde_json::json;
    let object = |value: Value| value.as_object().unwrap().clone();
    for (target, patch, expected) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": "foo"}), json!({"a": {"b": {"c": null}}}), json!({"a": {"b": {}}})),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
    ] {
        let after = crate::merge_patch::merge_object(object(target).into(), object(patch).into());
        assert_eq!(crate::ExactJson::Object(after.into_members()).to_value_lossy(), expected);
    }
    let settings = |key: &str, value: Option<&str>| {
        let patch = SettingsChange::Patch([(key.to_owned(), value.map(str::to_owned))].into());
        let change = DeviceChange { settings: patch, ..DeviceChange::default() };
        changed(&till(DeviceStatus::Active), &change).unwrap().settings
    };
    assert_eq!(settings("stock", None).len(), 0);
    assert_eq!(settings("stock", Some("")), [("stock".to_owned(), String::new())].into());
    let large = PreferencesChange::Replace(object(json!({ "a": "x".repeat(32 * 1024) })).into());
    let change = DeviceChange { preferences: large, ..DeviceChange::default() };
    assert!(changed(&till(DeviceStatus::Active), &change).is_err());
}

#[test]
fn settings_are_bounded() {
    let many = (0..101).map(|n| (n.to_string(), String::new())).collect();
    let change = DeviceChange { settings: SettingsChange::Replace(many), ..DeviceChange::default() };
    assert!(changed(&till(DeviceStatus::Active), &change).is_err());
}

#[test]
fn preferences_nest_sixteen_levels_at_most() {
    let nested = |levels: usize| {
        let mut value = json!(1);
        for level in 1..levels {
            value = if level % 2 == 0 { json!([value]) } else { json!({ "a": value }) };
        }
        JsonObject::from(Map::from_iter([("a".to_owned(), value)]))
    };
    check_preferences(&nested(16)).unwrap();
    for levels in [17, 18, 60, 120] {
        let refused = check_preferences(&nested(levels)).unwrap_err();
        assert!(refused.to_string().contains("deeper than 16 levels"), "{levels}: {refused}");
    }
    // Stored settings from before the limit do not prevent other changes.
    let before = Device { preferences: nested(30), ..till(DeviceStatus::Active) };
    let described = DeviceChange { description: Some("at the door".to_owned()), ..DeviceChange::default() };
    assert_eq!(changed(&before, &described).unwrap().preferences, before.preferences);
}
