//! What a handler is given: the head, the body, and the way to the engine.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::web::Bytes;
use tillgate_auth_core::auth::PasswordChanged;
use tillgate_auth_core::ports::Verifier;
use tillgate_auth_core::{
    Auth, Caller, Dialect as Label, Error, Granted, Login, LoginRefusal, NewPassword, Presented, Proof, Refreshing,
    Refusal, Tenancy, Terms, TokenRefusal, Who,
};
use tillgate_domain::office::password_words;
use tillgate_domain::{EndedWhy, PrincipalId, Rank, Secret, SessionId, Slug, TenantId};

use crate::blocking::block;
use crate::failure::Failure;
use crate::head::Head;
use crate::list_slots::ListSlot;
use crate::metrics::{login_outcome, outcome};
use crate::mount::Mounted;
use crate::office::Office;

/// A request on its way to a handler.
#[derive(Debug)]
pub struct Call {
    head: Head,
    body: Bytes,
    mounted: Arc<Mounted>,
}

impl Call {
    pub(crate) fn new(head: Head, body: Bytes, mounted: Arc<Mounted>) -> Self {
        Self { head, body, mounted }
    }

    /// The head of the request.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The body as it was received.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Where the request comes from.
    pub fn address(&self) -> Option<IpAddr> {
        self.head.address()
    }

    /// The engine, for what it answers from memory. Whatever may wait goes by [`block`](Self::block).
    pub fn engine(&self) -> &Auth {
        &self.mounted.shared.auth
    }

    pub(crate) fn mounted(&self) -> &Arc<Mounted> {
        &self.mounted
    }

    /// Asks the engine on a thread that may wait. What must follow a commit belongs into `ask`: past the deadline nobody comes
    /// back here, but an `ask` that has begun runs to its end.
    pub async fn block<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Auth) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failure> {
        block(&self.mounted, move |mounted| ask(&mounted.shared.auth)).await
    }

    /// Asks the back office, on a thread that may wait. What [`block`](Self::block) says of commits holds here too.
    pub async fn office<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Office<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        block(&self.mounted, move |mounted| {
            ask(&Office { store: &*mounted.shared.office, engine: &mounted.shared.auth })
        })
        .await
    }

    /// Waits until the caller has fewer lists in flight than they may have at once. The list is in flight until the slot is dropped.
    pub(crate) async fn list_slot(&self, caller: &Caller) -> Result<ListSlot, Failure> {
        self.mounted.shared.lists.acquire(caller.principal).await
    }

    /// Logs in by this mount's terms.
    pub async fn login(&self, who: Who, password: Secret<String>) -> Result<Granted, Failure> {
        self.enter(self.asked(who, Proof::Password(password)), log_in).await
    }

    /// The same in the tenant of this name, for a client that may show refresh tokens of earlier sessions, and for a contract that
    /// says of a password that it must be changed. A `new_password` is set in its place.
    pub async fn login_in(
        &self,
        who: Who,
        password: Secret<String>,
        new_password: Option<Secret<String>>,
        tenant: Option<String>,
        previous: Vec<Secret<String>>,
    ) -> Result<Granted, Failure> {
        let asked = self.asked(who, Proof::Password(password));
        let login = Login { tenancy: self.tenancy(tenant), previous, reports_password_change: true, ..asked };
        let Some(new) = new_password else { return self.enter(login, log_in).await };
        self.enter(login, move |mounted, login| {
            let store = &*mounted.shared.office;
            let words = |tenant, user| password_words(store, tenant, Some(PrincipalId::User(user)));
            mounted.shared.auth.login_with_new_password(login, &NewPassword { password: &new, words: &words })
        })
        .await
    }

    /// The same for those alone whose session is of this rank at least.
    pub async fn login_ranked(
        &self,
        who: Who,
        password: Secret<String>,
        least: Rank,
        previous: Vec<Secret<String>>,
    ) -> Result<Granted, Failure> {
        let asked = self.asked(who, Proof::Password(password));
        self.enter(Login { least: Some(least), previous, ..asked }, log_in).await
    }

    /// Logs in somebody whom this request has just registered under a password of this verifier.
    pub async fn login_registered(&self, who: Who, verifier: Verifier, least: Rank) -> Result<Granted, Failure> {
        self.enter(Login { least: Some(least), ..self.asked(who, Proof::Verifier(verifier)) }, log_in).await
    }

    /// Logs in under other terms than the mount's.
    pub async fn login_under(&self, terms: Terms, who: Who, password: Secret<String>) -> Result<Granted, Failure> {
        self.enter(Login { terms, ..self.asked(who, Proof::Password(password)) }, log_in).await
    }

    /// Generates the permanent token of the device of this name, for the caller and by their password.
    pub async fn generate(
        &self,
        caller: &Caller,
        device: String,
        password: Secret<String>,
    ) -> Result<Granted, Failure> {
        let user = caller.profile.user.as_ref();
        let login = user.ok_or(Failure::Refused(LoginRefusal::NotThere.into()))?.name.to_string();
        let asked = self.asked(Who::User { login, device: Some(device) }, Proof::Password(password));
        let tenancy = Tenancy { fixed: Some(caller.profile.tenant.slug.clone()), asked: None };
        self.enter(Login { tenancy, ..asked }, |mounted, login| mounted.shared.auth.generate(login)).await
    }

    fn tenancy(&self, asked: Option<String>) -> Tenancy {
        Tenancy { fixed: self.mounted.tenant.clone(), asked }
    }

    fn asked(&self, who: Who, proof: Proof) -> Login {
        Login {
            dialect: self.mounted.label.clone(),
            terms: self.mounted.dialect.terms().clone(),
            tenancy: self.tenancy(None),
            who,
            proof,
            least: None,
            address: self.address(),
            previous: Vec::new(),
            reports_password_change: false,
        }
    }

    async fn enter(
        &self,
        login: Login,
        way: impl FnOnce(&Mounted, &Login) -> Result<Granted, Error> + Send + 'static,
    ) -> Result<Granted, Failure> {
        block(&self.mounted, move |mounted| {
            let answer = way(mounted, &login);
            if let (Ok(granted), Some(_)) = (&answer, &mounted.tenant) {
                mounted.tenant_id.get_or_init(|| granted.session.tenant);
            }
            mounted.shared.metrics.login(mounted.name, login_outcome(&answer, login.reports_password_change));
            answer
        })
        .await
    }

    /// Refreshes a session. `beside` is the access token that was sent with the refresh token.
    pub async fn refresh(&self, token: Secret<String>, beside: Option<Secret<String>>) -> Result<Granted, Failure> {
        self.renew(vec![token], Presenting { beside, ..Presenting::default() }).await
    }

    /// The same for a client that will present the same refresh token again, whatever it is answered.
    pub async fn refresh_kept(&self, token: Secret<String>) -> Result<Granted, Failure> {
        self.renew(vec![token], Presenting { keeps_token: true, ..Presenting::default() }).await
    }

    /// Refreshes by whichever of these refresh tokens is good.
    pub async fn refresh_any(&self, tokens: Vec<Secret<String>>) -> Result<Granted, Failure> {
        self.renew(tokens, Presenting::default()).await
    }

    /// Ends the sessions of these refresh tokens, as far as they are of this mount's contract and tenant; how many are.
    pub(crate) async fn end_by_refresh_tokens(
        &self,
        tokens: Vec<Secret<String>>,
        why: EndedWhy,
    ) -> Result<usize, Failure> {
        let (tenant, address) = (self.tenant().await?, self.address());
        block(&self.mounted, move |mounted| {
            let auth = &mounted.shared.auth;
            let tokens: Vec<&str> = tokens.iter().map(|token| token.expose().as_str()).collect();
            let mut proven = 0;
            for token in auth.newest_refresh_tokens(&tokens)? {
                let holder = Refreshing { tenant, address, ..Refreshing::new(&mounted.label, token) };
                match auth.end_by_refresh_token(&holder, why) {
                    Ok(()) => proven += 1,
                    Err(Error::Refused(Refusal::Token(_))) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(proven)
        })
        .await
    }

    /// Changes the caller's own password, who proves the old one. `end_keys` revokes their API keys.
    pub(crate) async fn change_password(
        &self,
        caller: Caller,
        old: Secret<String>,
        new: Secret<String>,
        end_keys: bool,
    ) -> Result<PasswordChanged, Failure> {
        self.office(move |office| {
            let user = caller.user().map(PrincipalId::User);
            let words = password_words(office.store, caller.profile.tenant.id, user)?;
            Ok(office.engine.change_password(&caller, &old, &new, &words, end_keys)?)
        })
        .await
    }

    /// The tenant that this mount serves; `None` where requests find theirs.
    pub(crate) async fn tenant(&self) -> Result<Option<TenantId>, Failure> {
        match &self.mounted.tenant {
            Some(slug) => Ok(Some(self::tenant(&self.mounted, slug).await?)),
            None => Ok(None),
        }
    }

    /// Exchanges a live access token for another of the same session.
    pub async fn exchange(&self, token: Secret<String>) -> Result<Granted, Failure> {
        let tenant = self.tenant().await?;
        let (method, target) = (self.head.method().to_string(), self.head.target().to_owned());
        let address = self.address();
        block(&self.mounted, move |mounted| {
            let presented = Presented {
                tenant,
                method: &method,
                target: &target,
                address,
                ..Presented::bearer(&mounted.label, token.expose())
            };
            let answer = mounted.shared.auth.exchange(&presented);
            mounted.shared.metrics.refresh(mounted.name, outcome(&answer, |granted| granted.how.name()));
            answer
        })
        .await
    }

    /// Refreshes by a permanent token, which must be the one of this pairing.
    pub async fn refresh_paired(&self, token: Secret<String>, pairing: SessionId) -> Result<Granted, Failure> {
        self.renew(vec![token], Presenting { pairing: Some(pairing), ..Presenting::default() }).await
    }

    async fn renew(&self, tokens: Vec<Secret<String>>, presenting: Presenting) -> Result<Granted, Failure> {
        let tenant = self.tenant().await?;
        let address = self.address();
        block(&self.mounted, move |mounted| {
            let auth = &mounted.shared.auth;
            let Presenting { beside, pairing, keeps_token } = &presenting;
            let beside = beside.as_ref().map(|beside| beside.expose().as_str());
            let present = |token| {
                let dialect: &Label = &mounted.label;
                let base = Refreshing::new(dialect, token);
                let refreshing = Refreshing { tenant, beside, keeps_token: *keeps_token, address, ..base };
                match pairing {
                    Some(pairing) => auth.refresh_paired(&refreshing, *pairing),
                    None => auth.refresh(&refreshing),
                }
            };
            let tokens: Vec<&str> = tokens.iter().map(|token| token.expose().as_str()).collect();
            let answer = match tokens.as_slice() {
                [token] => present(token),
                tokens => first_good(auth.newest_refresh_tokens(tokens), present),
            };
            mounted.shared.metrics.refresh(mounted.name, outcome(&answer, |granted| granted.how.name()));
            answer
        })
        .await
    }
}

fn log_in(mounted: &Mounted, login: &Login) -> Result<Granted, Error> {
    mounted.shared.auth.login(login)
}

/// How a refresh token is presented.
#[derive(Default)]
struct Presenting {
    /// The access token that was sent with it.
    beside: Option<Secret<String>>,
    /// The pairing that it must be of.
    pairing: Option<SessionId>,
    /// Whether the client will present it again.
    keeps_token: bool,
}

/// The first answer that does not refuse its token; else the last refusal.
fn first_good<'t>(
    tokens: Result<Vec<&'t str>, Error>,
    present: impl Fn(&'t str) -> Result<Granted, Error>,
) -> Result<Granted, Error> {
    let mut refused = TokenRefusal::Invalid.into();
    for token in tokens? {
        match present(token) {
            Err(refusal @ Error::Refused(Refusal::Token(_))) => refused = refusal,
            answered => return answered,
        }
    }
    Err(refused)
}

/// The id of the tenant that a mount serves, looked up once.
pub(crate) async fn tenant(mounted: &Arc<Mounted>, slug: &Slug) -> Result<TenantId, Failure> {
    if let Some(id) = mounted.tenant_id.get() {
        return Ok(*id);
    }
    let slug = slug.clone();
    block(mounted, move |mounted| {
        let found = mounted.shared.auth.tenant(&slug)?;
        let id = found.ok_or_else(|| Error::unavailable(format!("the tenant {slug} of the mount does not exist")))?;
        Ok::<_, Error>(*mounted.tenant_id.get_or_init(|| id))
    })
    .await
}
