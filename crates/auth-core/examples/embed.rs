//! Authentication inside a program of your own: `cargo run -p tillgate-auth-core --example embed`.

// [embed]
use std::sync::Arc;

use tillgate_auth_core::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // a shop in memory with one cashier; your own store takes its place
    let store = Arc::new(Memory::with_user("anna", "a song in the rain", "cashier")?);
    let auth = Auth::builder(store).master(MasterKey::draw(&SystemEntropy::new())?).build()?;
    let native = Dialect::new("native");

    let granted = auth.login(&Login::user(&native, "anna", None, "a song in the rain"))?;
    println!("logged in until {:?}", granted.session.expires_at);

    let caller = auth.authenticate(&Presented::bearer(&native, granted.access_token.expose()))?;
    println!("may close a ticket: {}", caller.profile.rights.allow(KnownRight::TicketClose));

    let refresh_token = granted.refresh_token.ok_or("these sessions have no refresh token")?;
    let refreshed = auth.refresh(&Refreshing::new(&native, refresh_token.expose()))?;

    auth.logout(&caller)?;
    match auth.authenticate(&Presented::bearer(&native, refreshed.access_token.expose())) {
        Err(error) => println!("after the logout: {error}"),
        Ok(_) => return Err("a token outlived its session".into()),
    }
    Ok(())
}
// [/embed]
