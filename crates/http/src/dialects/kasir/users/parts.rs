//! What a request says of a user who is to be added or changed.

use serde::Deserialize;
use tillgate_auth_core::passwords::acceptable;
use tillgate_domain::{Email, Rank, Secret, UserName};
use validator::Validate;

use crate::body;
use crate::call::Call;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::field::{Field, fits, validated};

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Sent {
    #[validate(custom(function = "fits"))]
    username: Field<String>,
    #[validate(custom(function = "fits"))]
    email: Field<String>,
    #[validate(custom(function = "fits"))]
    password: Field<String>,
    #[validate(custom(function = "fits"))]
    old_password: Field<String>,
    #[validate(custom(function = "fits"))]
    role: Field<String>,
    #[validate(custom(function = "fits"))]
    is_active: Field<bool>,
}

/// What was sent of a user, each part of its type. What was not sent is `None`.
pub(super) struct Parts {
    pub(super) name: Option<UserName>,
    pub(super) email: Option<Email>,
    pub(super) password: Option<Secret<String>>,
    /// The password that the caller has, who changes their own e-mail address. The published body has no such member.
    pub(super) proof: Option<Secret<String>>,
    pub(super) rank: Option<Rank>,
    pub(super) active: Option<bool>,
}

impl Parts {
    /// Reads the body. `whole` asks for all of it but `is_active`, else any part may be missing.
    pub(super) fn read(call: &Call, whole: bool) -> Result<Self, Failure> {
        let sent: Sent = validated(body::object(call.head().headers(), call.body())?)?;
        let mut faults = Vec::new();
        let mut fault = |field: &'static str, code: &'static str, message: String| {
            faults.push(FieldFault { field: field.into(), query: false, code: code.into(), message: message.into() });
        };
        let parts = Self {
            name: sent.username.given().and_then(|text| {
                UserName::parse(&text).map_err(|why| fault("username", "format", why.to_string())).ok()
            }),
            email: sent
                .email
                .given()
                .and_then(|text| Email::parse(&text).map_err(|why| fault("email", "format", why.to_string())).ok()),
            password: sent.password.given().map(Secret::new),
            proof: sent.old_password.given().map(Secret::new),
            rank: sent.role.given().and_then(|text| {
                let rank = rank(&text);
                if rank.is_none() {
                    fault("role", "format", ROLES.to_owned());
                }
                rank
            }),
            active: sent.is_active.given(),
        };
        if let Some(Err(why)) = parts.password.as_ref().filter(|_| whole).map(|password| acceptable(password.expose()))
        {
            fault("password", "weak", why.to_string());
        }
        if whole && faults.is_empty() {
            let missing = [
                ("email", parts.email.is_none()),
                ("password", parts.password.is_none()),
                ("role", parts.rank.is_none()),
                ("username", parts.name.is_none()),
            ];
            for (field, _) in missing.into_iter().filter(|(_, missing)| *missing) {
                faults.push(FieldFault {
                    field: field.into(),
                    query: false,
                    code: "required".into(),
                    message: "is required".into(),
                });
            }
        }
        if faults.is_empty() { Ok(parts) } else { Err(Protocol::Fields(faults).into()) }
    }
}

pub(super) const ROLES: &str = "must be admin, manager or cashier";

pub(super) fn rank(text: &str) -> Option<Rank> {
    Rank::ALL.into_iter().find(|rank| rank.name() == text)
}
