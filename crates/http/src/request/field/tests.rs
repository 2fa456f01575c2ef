use serde_json::{Value, json};
use tillgate_domain::{Email, ExactJson, RoleName, UserName};

use super::*;
use crate::error::ProtocolError;
use crate::request::partial_body::{PartialBody, validate_body, validate_body_with};

#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default)]
struct Body {
    #[validate(required, custom(function = "well_typed"))]
    name: BodyField<UserName>,
    #[validate(custom(function = "well_typed"))]
    email: BodyField<Email>,
    #[validate(custom(function = "not_null"))]
    roles: BodyField<Vec<RoleName>>,
    #[validate(custom(function = "well_typed"))]
    places: BodyField<Vec<RolesOnDevice>>,
}

#[derive(Debug, PartialEq)]
struct RolesOnDevice {
    device: String,
    roles: Vec<RoleName>,
}

impl FromJson for RolesOnDevice {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let mut sent = ObjectReader::open(value)?;
        let (device, roles) = (sent.require("device"), sent.require("roles"));
        sent.finish(device.zip(roles).map(|(device, roles)| Self { device, roles }))
    }
}

fn collect_violations(body: Value) -> Vec<(String, String)> {
    match validate_body(PartialBody::new(serde_json::from_value::<Body>(body).unwrap(), Vec::new())) {
        Err(ApiError::Protocol(ProtocolError::InvalidFields(violations))) => violations
            .into_iter()
            .map(|violation| (violation.field.into_owned(), violation.code.name().to_owned()))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn valid_fields_are_returned_as_read() {
    let body =
        json!({ "name": " anna ", "email": null, "roles": ["cashier"], "places": [{ "device": "P01", "roles": [] }] });
    let body = validate_body(PartialBody::new(serde_json::from_value::<Body>(body).unwrap(), Vec::new())).unwrap();
    assert_eq!(body.name.into_value().unwrap().as_str(), "anna");
    assert_eq!(body.email.into_patch(), Some(None));
    assert_eq!(body.places.into_value().unwrap(), [RolesOnDevice { device: "P01".to_owned(), roles: Vec::new() }]);
}

#[test]
fn all_violations_are_reported_at_any_depth() {
    let sent = json!({
        "email": "nobody",
        "roles": ["a", 7, ""],
        "places": [{ "device": "P01", "roles": [] }, { "roles": ["x", "\n"] }, 5],
    });
    let expected = [
        ("email", "format"),
        ("name", "required"),
        ("places/1/device", "required"),
        ("places/1/roles/1", "required"),
        ("places/2", "type"),
        ("roles/1", "type"),
        ("roles/2", "required"),
    ];
    assert_eq!(collect_violations(sent), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    assert_eq!(
        collect_violations(json!({ "name": "x", "roles": null })),
        [("roles".to_owned(), "required".to_owned())]
    );
}

#[test]
fn password_policy_is_reported_with_other_violations() {
    use tillgate_auth_core::passwords::PasswordList;

    let policy = PasswordPolicy::with_list(PasswordList::parse(&b"Sea-Salt-99\n"[..]).unwrap());
    for (password, weak) in
        [(json!("sea-salt-99"), true), (json!("Anna-2026"), true), (json!("a good long one"), false), (json!(7), false)]
    {
        let field: BodyField<String> = serde_json::from_value(password.clone()).unwrap();
        let body: Body = serde_json::from_value(json!({ "roles": null })).unwrap();
        let words = ["anna".to_owned()];
        let result = validate_body_with(PartialBody::new(body, Vec::new()), |_| {
            check_password(&policy, "password", &field, &words)
        });
        let Err(ApiError::Protocol(ProtocolError::InvalidFields(violations))) = result else { panic!("{result:?}") };
        let mut names: Vec<&str> = violations.iter().map(|violation| violation.field.as_ref()).collect();
        names.retain(|name| weak || *name != "password");
        assert_eq!(violations.len(), if weak { 3 } else { 2 }, "{password}: {violations:?}");
        assert_eq!(names, if weak { ["name", "password", "roles"].as_slice() } else { &["name", "roles"] });
    }
}
