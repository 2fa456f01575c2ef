//! Authentication inside a program of your own: `cargo run -p tillgate-auth-core --example embed`.

use std::error::Error;
use std::sync::Arc;

use tillgate_auth_core::{Auth, Dialect, Entropy, Login, MasterKey, Memory, Presented, Refreshing, SystemEntropy};
use tillgate_domain::office::{self, Authority, NewTenant, NewUser, Stamp};
use tillgate_domain::{
    Actor, Branch, BranchId, EventId, Locale, RoleId, RoleName, Slug, TenantId, UserId, UserName, UserStatus, Zone,
};

fn main() -> Result<(), Box<dyn Error>> {
    let memory = Arc::new(Memory::new());
    // [embed]
    let auth = Auth::builder(memory.clone()).master(MasterKey::draw(&SystemEntropy::new())?).build()?;
    open_shop(&memory, &auth, "anna", "a song in the rain")?;

    let native = Dialect::new("native");
    let granted = auth.login(&Login::user(&native, "anna", None, "a song in the rain"))?;
    let caller = auth.authenticate(&Presented::bearer(&native, granted.access_token.expose()))?;
    assert!(caller.profile.rights.allow("ticketClose"));

    let refresh_token = granted.refresh_token.ok_or("terms without one")?;
    let refreshed = auth.refresh(&Refreshing::new(&native, refresh_token.expose()))?;

    auth.logout(&caller)?;
    let over = auth.authenticate(&Presented::bearer(&native, refreshed.access_token.expose()));
    assert!(over.is_err());
    // [/embed]
    Ok(())
}

/// A tenant, and a cashier who may log in without a device.
pub(crate) fn open_shop(memory: &Memory, auth: &Auth, name: &str, password: &str) -> Result<(), Box<dyn Error>> {
    let (at, chance) = (auth.time().at, SystemEntropy::new());
    let draw = || (&chance as &dyn Entropy).draw::<10>();
    let stamp = || {
        Ok::<_, Box<dyn Error>>(Stamp {
            at,
            event: EventId::new(at, draw()?),
            actor: Actor::default(),
            authority: Authority::Host,
        })
    };
    let new = NewTenant {
        id: TenantId::new(at, draw()?),
        slug: Slug::parse("default")?,
        name: "The shop".to_owned(),
        zone: Zone::parse("Europe/Bratislava")?,
        locale: Locale::parse("en")?,
        branch: Branch { id: BranchId::new(at, draw()?), name: "Main street".to_owned() },
        roles: [RoleId::new(at, draw()?), RoleId::new(at, draw()?), RoleId::new(at, draw()?)],
    };
    let tenant = office::add_tenant(memory, &stamp()?, &new)??;
    let new = NewUser {
        id: UserId::new(at, draw()?),
        name: UserName::parse(name)?,
        email: None,
        display_name: name.to_owned(),
        status: UserStatus::Active,
        feature: None,
        roles: vec![RoleName::parse("cashier")?],
        devices: Vec::new(),
        verifier: Some(auth.hash(&password.to_owned().into())?),
    };
    office::add_user(memory, tenant.id, &stamp()?, &new)??;
    Ok(())
}
