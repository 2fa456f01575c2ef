//! Authentication inside a program of your own: `cargo run -p tillgate-auth-core --example embed`.

// [embed]
use std::sync::Arc;

use tillgate_auth_core::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // a shop in memory with one cashier; your own store takes its place
    let store = Arc::new(MemoryStore::with_user("anna", "a song in the rain", "cashier")?);
    let auth = Auth::builder(store).master(MasterKey::generate(&SystemEntropy::new())?).build()?;
    let native = DialectName::new("native");

    let granted = auth.login(&LoginRequest::user(&native, "anna", None, "a song in the rain"))?;
    println!("logged in until {:?}", granted.session.expires_at);

    let caller = auth.authenticate(&AuthRequest::bearer(&native, granted.access_token.expose()))?;
    println!("may close a ticket: {}", caller.profile.rights.allows(KnownRight::TicketClose));

    let refresh_token = granted.refresh_token.ok_or("these sessions have no refresh token")?;
    let refreshed = auth.refresh(&RefreshRequest::new(&native, refresh_token.expose()))?;

    auth.logout(&caller)?;
    match auth.authenticate(&AuthRequest::bearer(&native, refreshed.access_token.expose())) {
        Err(error) => println!("after the logout: {error}"),
        Ok(_) => return Err("a token outlived its session".into()),
    }
    Ok(())
}
// [/embed]
