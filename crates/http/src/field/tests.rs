use serde_json::{Value, json};
use tillgate_domain::{Email, ExactJson, RoleName, UserName};

use super::*;

#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default)]
struct Body {
    #[validate(required, custom(function = "fits"))]
    name: Field<UserName>,
    #[validate(custom(function = "fits"))]
    email: Field<Email>,
    #[validate(custom(function = "stays"))]
    roles: Field<Vec<RoleName>>,
    #[validate(custom(function = "fits"))]
    places: Field<Vec<Place>>,
}

#[derive(Debug, PartialEq)]
struct Place {
    device: String,
    roles: Vec<RoleName>,
}

impl Fit for Place {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let mut sent = Members::of(value)?;
        let (device, roles) = (sent.need("device"), sent.need("roles"));
        sent.made(device.zip(roles).map(|(device, roles)| Self { device, roles }))
    }
}

fn faults(body: Value) -> Vec<(String, String)> {
    match validated(serde_json::from_value::<Body>(body).unwrap()) {
        Err(Protocol::Fields(faults)) => {
            faults.into_iter().map(|fault| (fault.field.into_owned(), fault.code.into_owned())).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_fits_is_handed_back_as_it_is_read() {
    let body =
        json!({ "name": " anna ", "email": null, "roles": ["cashier"], "places": [{ "device": "P01", "roles": [] }] });
    let body = validated(serde_json::from_value::<Body>(body).unwrap()).unwrap();
    assert_eq!(body.name.given().unwrap().as_str(), "anna");
    assert_eq!(body.email.patch(), Some(None));
    assert_eq!(body.places.given().unwrap(), [Place { device: "P01".to_owned(), roles: Vec::new() }]);
}

#[test]
fn every_fault_is_told_at_once_however_deep_it_lies() {
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
    assert_eq!(faults(sent), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    assert_eq!(faults(json!({ "name": "x", "roles": null })), [("roles".to_owned(), "required".to_owned())]);
}

#[test]
fn password_is_judged_by_the_policy_with_everything_else() {
    use tillgate_auth_core::passwords::PasswordList;

    let policy = PasswordPolicy::with_list(PasswordList::read(&b"Sea-Salt-99\n"[..]).unwrap());
    for (password, weak) in
        [(json!("sea-salt-99"), true), (json!("Anna-2026"), true), (json!("a good long one"), false), (json!(7), false)]
    {
        let field: Field<String> = serde_json::from_value(password.clone()).unwrap();
        let body: Body = serde_json::from_value(json!({ "roles": null })).unwrap();
        let words = ["anna".to_owned()];
        let told = validated_with(body, |_| weak_password(&policy, "password", &field, &words));
        let Err(Protocol::Fields(faults)) = told else { panic!("{told:?}") };
        let mut names: Vec<&str> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        names.retain(|name| weak || *name != "password");
        assert_eq!(faults.len(), if weak { 3 } else { 2 }, "{password}: {faults:?}");
        assert_eq!(names, if weak { ["name", "password", "roles"].as_slice() } else { &["name", "roles"] });
    }
}
