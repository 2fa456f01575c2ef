//! PosStar's registration: creates a vendor, its default store and its admin in one request, for
//! anybody.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::ports::Verifier;
use tillgate_auth_core::{Error, LoginIdentity};
use tillgate_domain::office::{self, NewTenant, NewUser, TenantRegistration};
use tillgate_domain::{
    Branch, BranchId, Email, Locale, Rank, RoleId, RoleName, Secret, Slug, TenantId, UserId, UserName, UserStatus, Zone,
};

use super::paths::REGISTER_PATH;
use super::request::{RegisterBody, collect_name_words};
use super::response::render_login;
use crate::context::office::OfficeContext;
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::request::body;
use crate::request::field::check_password;
use crate::request::partial_body::validate_body_with;
use crate::serving::route::Route;

pub(super) fn route() -> Route {
    Route::public(Method::POST, REGISTER_PATH, register_vendor)
}

async fn register_vendor(call: Request) -> Result<HttpResponse, ApiError> {
    let sent = body::read_object::<RegisterBody>(call.head().headers(), call.body())?;
    let policy = call.auth().build_password_policy();
    let sent =
        validate_body_with(sent, |sent| check_password(policy, "password", &sent.password, &collect_name_words(sent)))?;
    let address = call.address();
    let login = sent.email.clone().into_value().unwrap_or_default();
    let password = Secret::new(sent.password.clone().into_value().unwrap_or_default());
    let verifier = call
        .with_office(move |context| {
            let words = collect_name_words(&sent);
            let verifier = context.auth.hash_stranger_password(&password, &words, address)?;
            let vendor = build_vendor(context, sent, verifier.clone())?;
            let stamps = [context.auth.system_context(address)?, context.auth.system_context(address)?];
            let [of_tenant, of_admin] = &stamps;
            into_api_result(office::register_tenant(context.store, [of_tenant, of_admin], &vendor))?;
            Ok(verifier)
        })
        .await?;
    // the new password is not hashed again: a login that finds the hash queue full would fail a
    // completed registration
    let issued =
        call.log_in_registered_user(LoginIdentity::User { login, device: None }, verifier, Rank::Admin).await?;
    render_login(StatusCode::CREATED, &issued)
}

/// Builds the vendor, with the verifier of its admin's password.
fn build_vendor(
    context: &OfficeContext<'_>,
    sent: RegisterBody,
    verifier: Verifier,
) -> Result<TenantRegistration, ApiError> {
    let auth = context.auth;
    let invalid = |what: &str| Error::Fault(format!("a vendor's {what} does not fit"));
    let business = sent.business_name.into_value().unwrap_or_default().trim().to_owned();
    let email = Email::parse(&sent.email.into_value().unwrap_or_default()).map_err(|_| invalid("e-mail address"))?;
    let display_name = sent.name.into_value().unwrap_or_default().trim().to_owned();
    let tenant = NewTenant {
        id: auth.new_id(TenantId::new)?,
        slug: derive_slug(&business).ok_or_else(|| invalid("short name"))?,
        name: business.clone(),
        zone: Zone::UTC,
        locale: Locale::parse("en").map_err(|_| invalid("locale"))?,
        branch: Branch { id: auth.new_id(BranchId::new)?, name: business, zone: None },
        roles: [auth.new_id(RoleId::new)?, auth.new_id(RoleId::new)?, auth.new_id(RoleId::new)?],
    };
    let admin = NewUser {
        id: auth.new_id(UserId::new)?,
        name: derive_user_name(&email).ok_or_else(|| invalid("user name"))?,
        email: Some(email),
        display_name,
        status: UserStatus::Active,
        feature: None,
        roles: vec![RoleName::parse(Rank::Admin.name()).map_err(|_| invalid("role"))?],
        devices: Vec::new(),
        verifier: Some(verifier),
        password_change_required: false,
        locale: None,
    };
    Ok(TenantRegistration { tenant, admin, industry: sent.industry.into_value().unwrap_or_default() })
}

/// Derives the short name of a vendor: the ASCII letters and digits of its name in lower case,
/// joined by hyphens.
fn derive_slug(business: &str) -> Option<Slug> {
    let words = business.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    let short: String = joined.chars().take(40).collect();
    let short = short.trim_end_matches('-');
    Slug::parse(if short.is_empty() { "vendor" } else { short }).ok()
}

/// Derives the user name of the first admin from the local part of the e-mail address; it is unique
/// in a new vendor.
fn derive_user_name(email: &Email) -> Option<UserName> {
    let local = email.as_str().split('@').next().unwrap_or_default();
    let short: String = local.chars().take(100).collect();
    let fits = |name: UserName| name.check_new().map(|()| name);
    UserName::parse(&short).and_then(fits).or_else(|_| UserName::parse(Rank::Admin.name())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slug_is_derived_from_any_business_name() {
        for (business, short) in [
            ("Corner Shop", "corner-shop"),
            ("  Žito & Chlieb s.r.o. ", "ito-chlieb-s-r-o"),
            ("食堂", "vendor"),
            ("--", "vendor"),
            ("default", "default"),
            (&"ab ".repeat(30), &format!("{}a", "ab-".repeat(13))),
            (&format!("{} b", "a".repeat(39)), &"a".repeat(39)),
        ] {
            assert_eq!(derive_slug(business).map(|slug| slug.to_string()).as_deref(), Some(short), "{business}");
        }
    }

    #[test]
    fn admin_user_name_is_derived_from_email() {
        for (email, name) in [("anna@example.com", "anna"), (&*format!("{}@x", "a".repeat(200)), &*"a".repeat(100))] {
            assert_eq!(
                derive_user_name(&Email::parse(email).unwrap()).map(|name| name.to_string()).as_deref(),
                Some(name)
            );
        }
    }
}
