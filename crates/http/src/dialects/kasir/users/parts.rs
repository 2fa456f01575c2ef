//! What a request says of a user who is to be added or changed.

use serde::Deserialize;
use tillgate_domain::office::email_words;
use tillgate_domain::{Email, ExactJson, Rank, Secret, UserName};
use validator::Validate;

use crate::body;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::{Field, Fit, NewName, Unfit, fits, validated, validated_with, weak_password};

/// A user who is to be added.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct New {
    #[validate(required, custom(function = "fits"))]
    username: Field<NewName<UserName>>,
    #[validate(required, custom(function = "fits"))]
    email: Field<NewName<Email>>,
    #[validate(required, custom(function = "fits"))]
    password: Field<Secret<String>>,
    #[validate(required, custom(function = "fits"))]
    role: Field<Rank>,
    #[validate(custom(function = "fits"))]
    is_active: Field<bool>,
}

/// What becomes of a user; any part may be missing.
#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Change {
    #[validate(custom(function = "fits"))]
    username: Field<UserName>,
    #[validate(custom(function = "fits"))]
    email: Field<Email>,
    #[validate(custom(function = "fits"))]
    old_password: Field<Secret<String>>,
    #[validate(custom(function = "fits"))]
    role: Field<Rank>,
    #[validate(custom(function = "fits"))]
    is_active: Field<bool>,
}

impl Fit for Rank {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        rank(&String::fit(value)?).ok_or_else(|| Unfit::whole("format", ROLES))
    }
}

/// A user who is to be added, as the request says.
pub(super) struct NewParts {
    pub(super) name: UserName,
    pub(super) email: Email,
    pub(super) password: Secret<String>,
    pub(super) rank: Rank,
    pub(super) active: bool,
}

/// What a request changes of a user. What was not sent is `None`.
pub(super) struct ChangedParts {
    pub(super) name: Option<UserName>,
    pub(super) email: Option<Email>,
    /// The password that the caller has, who changes their own e-mail address. The published body has no such member.
    pub(super) proof: Option<Secret<String>>,
    pub(super) rank: Option<Rank>,
    pub(super) active: Option<bool>,
}

impl New {
    /// The words in the names that come with the password.
    fn words(&self) -> Vec<String> {
        let name = self.username.value().map(|NewName(name)| name.to_string());
        let email = self.email.value().into_iter().flat_map(|NewName(email)| email_words(email));
        name.into_iter().chain(email).collect()
    }
}

impl NewParts {
    /// Reads the body, all of which but `is_active` has to be there.
    pub(super) fn read(call: &Call) -> Result<Self, Failure> {
        let (sent, policy) =
            (body::object::<New>(call.head().headers(), call.body())?, call.engine().password_policy());
        let sent = validated_with(sent, |sent| weak_password(policy, "password", &sent.password, &sent.words()))?;
        let (NewName(name), NewName(email)) = (sent.username.needed()?, sent.email.needed()?);
        Ok(Self {
            name,
            email,
            password: sent.password.needed()?,
            rank: sent.role.needed()?,
            active: sent.is_active.given().unwrap_or(true),
        })
    }
}

impl ChangedParts {
    /// Reads the body.
    pub(super) fn read(call: &Call) -> Result<Self, Failure> {
        let sent: Change = validated(body::object(call.head().headers(), call.body())?)?;
        Ok(Self {
            name: sent.username.given(),
            email: sent.email.given(),
            proof: sent.old_password.given(),
            rank: sent.role.given(),
            active: sent.is_active.given(),
        })
    }
}

pub(super) const ROLES: &str = "must be admin, manager or cashier";

pub(super) fn rank(text: &str) -> Option<Rank> {
    Rank::ALL.into_iter().find(|rank| rank.name() == text)
}
