//! Embeds the engine in a program: `cargo run -p tillgate-auth-core --example embed`.

// [embed]
use std::sync::Arc;

use tillgate_auth_core::prelude::*;
use tillgate_memory::MemoryStore;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An in-memory store with one user; use your own store instead.
    let store = Arc::new(MemoryStore::with_user("anna", "a song in the rain", "cashier")?);
    let auth = Auth::builder(store).master(MasterKey::generate(&SystemEntropy::new())?).build()?;
    let native = DialectName::new("native");

    let granted = auth.login(&LoginRequest::user(&native, "anna", None, "a song in the rain"))?;
    println!("the access token expires in {:?}", granted.access_expires_in);

    let caller = auth.authenticate(&AuthRequest::bearer(&native, granted.access_token.expose()))?;
    println!("may close tickets: {}", caller.profile.rights.allows(KnownRight::TicketClose));

    let refresh_token = granted.refresh_token.ok_or("the session has no refresh token")?;
    let refreshed = auth.refresh(&RefreshRequest::new(&native, refresh_token.expose()))?;

    auth.logout(&caller)?;
    match auth.authenticate(&AuthRequest::bearer(&native, refreshed.access_token.expose())) {
        Err(error) => println!("after the logout: {error}"),
        Ok(_) => return Err("the token is valid after the logout".into()),
    }
    Ok(())
}
// [/embed]
