//! PosStar's registration: a vendor, its default store and its admin, made by anybody in one call.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Deserialize;
use tillgate_auth_core::ports::Verifier;
use tillgate_auth_core::{Error, Who};
use tillgate_domain::office::{self, NewTenant, NewUser, NewVendor};
use tillgate_domain::{
    Branch, BranchId, Email, InvalidName, Locale, Rank, RoleId, RoleName, Secret, Slug, TenantId, UserId, UserName,
    UserStatus, Zone, check_display_name,
};
use validator::{Validate, ValidationError};

use super::auth::{email, entered};
use crate::body;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::{Field, fits, validated_with, weak_password};
use crate::office::{Office, decided};
use crate::route::Route;

pub(super) const REGISTER: &str = "/api/v1/auth/register";

/// The kinds of business that there are. It is told to the audit and asked nowhere.
const INDUSTRIES: [&str; 6] = ["retail", "restaurant", "distribution", "salon", "pharmacy", "grocery"];

pub(super) fn route() -> Route {
    Route::open(Method::POST, REGISTER, register)
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Registration {
    #[validate(required, length(max = 200), custom(function = "filled"))]
    name: Field<String>,
    #[validate(required, custom(function = "deliverable"))]
    email: Field<String>,
    #[validate(required, custom(function = "fits"))]
    password: Field<String>,
    #[validate(required, length(max = 200), custom(function = "filled"))]
    business_name: Field<String>,
    #[validate(required, custom(function = "industry"))]
    industry: Field<String>,
}

fn filled(field: &Field<String>) -> Result<(), ValidationError> {
    match field {
        Field::Given(name) if name.trim().is_empty() => {
            Err(ValidationError::new("required").with_message("must not be empty".into()))
        }
        Field::Given(name) => check_display_name(name.trim())
            .map_err(|why| ValidationError::new("format").with_message(why.to_string().into())),
        field => fits(field),
    }
}

/// An address that mail can be sent to: the vendor's admin is found by it, and mailed when they forget their password.
fn deliverable(field: &Field<String>) -> Result<(), ValidationError> {
    match field {
        Field::Given(text) if Email::parse(text).is_ok_and(|email| email.check_deliverable().is_err()) => {
            Err(ValidationError::new("format").with_message(InvalidName::Email.to_string().into()))
        }
        field => email(field),
    }
}

fn industry(field: &Field<String>) -> Result<(), ValidationError> {
    match field {
        Field::Given(name) if !INDUSTRIES.contains(&name.as_str()) => Err(ValidationError::new("choice")
            .with_message("must be one of retail, restaurant, distribution, salon, pharmacy, grocery".into())),
        field => fits(field),
    }
}

async fn register(call: Call) -> Result<HttpResponse, Failure> {
    let sent: Registration = body::object(call.head().headers(), call.body())?;
    let policy = call.engine().password_policy();
    let sent = validated_with(sent, |sent| weak_password(policy, "password", &sent.password, &words(sent)))?;
    let address = call.address();
    let login = sent.email.clone().given().unwrap_or_default();
    let password = Secret::new(sent.password.clone().given().unwrap_or_default());
    let verifier = call
        .office(move |office| {
            let words = words(&sent);
            let verifier = office.engine.verifier_of_stranger(&password, &words, address)?;
            let vendor = vendor(office, sent, verifier.clone())?;
            let stamps = [office.engine.own_stamp(address)?, office.engine.own_stamp(address)?];
            let [of_tenant, of_admin] = &stamps;
            decided(office::register_vendor(office.store, [of_tenant, of_admin], &vendor))?;
            Ok(verifier)
        })
        .await?;
    // the password that was set a moment ago is not hashed again: a login that finds no room would fail a registration that is done
    let granted = call.login_registered(Who::User { login, device: None }, verifier, Rank::Admin).await?;
    entered(StatusCode::CREATED, &granted)
}

/// What the password may not be made of: the names that the vendor gives.
fn words(sent: &Registration) -> Vec<String> {
    let names = [&sent.business_name, &sent.name].into_iter().filter_map(|name| name.clone().given());
    let email = sent.email.clone().given().and_then(|text| Email::parse(&text).ok());
    names.chain(email.iter().flat_map(office::email_words)).collect()
}

/// The vendor that is to be, with the verifier of its admin's password.
fn vendor(office: &Office<'_>, sent: Registration, verifier: Verifier) -> Result<NewVendor, Failure> {
    let engine = office.engine;
    let unfit = |what: &str| Error::Fault(format!("a vendor's {what} does not fit"));
    let business = sent.business_name.given().unwrap_or_default().trim().to_owned();
    let email = Email::parse(&sent.email.given().unwrap_or_default()).map_err(|_| unfit("e-mail address"))?;
    let display_name = sent.name.given().unwrap_or_default().trim().to_owned();
    let tenant = NewTenant {
        id: engine.id(TenantId::new)?,
        slug: slug(&business).ok_or_else(|| unfit("short name"))?,
        name: business.clone(),
        zone: Zone::UTC,
        locale: Locale::parse("en").map_err(|_| unfit("locale"))?,
        branch: Branch { id: engine.id(BranchId::new)?, name: business },
        roles: [engine.id(RoleId::new)?, engine.id(RoleId::new)?, engine.id(RoleId::new)?],
    };
    let admin = NewUser {
        id: engine.id(UserId::new)?,
        name: user_name(&email).ok_or_else(|| unfit("user name"))?,
        email: Some(email),
        display_name,
        status: UserStatus::Active,
        feature: None,
        roles: vec![RoleName::parse(Rank::Admin.name()).map_err(|_| unfit("role"))?],
        devices: Vec::new(),
        verifier: Some(verifier),
        password_change_required: false,
    };
    Ok(NewVendor { tenant, admin, industry: sent.industry.given().unwrap_or_default() })
}

/// The short name of a business: its letters and digits of ASCII in lower case, joined by hyphens.
fn slug(business: &str) -> Option<Slug> {
    let words = business.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    let short: String = joined.chars().take(40).collect();
    let short = short.trim_end_matches('-');
    Slug::parse(if short.is_empty() { "vendor" } else { short }).ok()
}

/// The user name of the first admin: what stands before the `@`, which is theirs alone in a new vendor.
fn user_name(email: &Email) -> Option<UserName> {
    let local = email.as_str().split('@').next().unwrap_or_default();
    let short: String = local.chars().take(100).collect();
    let fits = |name: UserName| name.check_new().map(|()| name);
    UserName::parse(&short).and_then(fits).or_else(|_| UserName::parse(Rank::Admin.name())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_made_of_any_business() {
        for (business, short) in [
            ("Corner Shop", "corner-shop"),
            ("  Žito & Chlieb s.r.o. ", "ito-chlieb-s-r-o"),
            ("食堂", "vendor"),
            ("--", "vendor"),
            ("default", "default"),
            (&"ab ".repeat(30), &format!("{}a", "ab-".repeat(13))),
            (&format!("{} b", "a".repeat(39)), &"a".repeat(39)),
        ] {
            assert_eq!(slug(business).map(|slug| slug.to_string()).as_deref(), Some(short), "{business}");
        }
    }

    #[test]
    fn an_admin_is_named_by_their_address() {
        for (email, name) in [("anna@example.com", "anna"), (&*format!("{}@x", "a".repeat(200)), &*"a".repeat(100))] {
            assert_eq!(user_name(&Email::parse(email).unwrap()).map(|name| name.to_string()).as_deref(), Some(name));
        }
    }
}
