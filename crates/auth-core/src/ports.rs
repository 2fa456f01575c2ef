//! The ports of authentication: what the engine asks of a store.
//!
//! Lookups answer `Stored<Option<T>>`; a failure is never read as absence. Whatever can lose a race is a conditional update that
//! answers whether it won: two of them that meet are decided by the store, the same on every one. `tillgate-testkit` states
//! every promise below as a named case; run it on a store of your own.
//!
//! Those who bring a store implement [`AuthTx`] on their transaction (each accessor mostly returns `self`) and
//! [`Store<AuthPorts>`](tillgate_domain::Store) on what opens it.

mod api_keys;
mod attempts;
mod credentials;
mod directory;
mod feed;
mod keys;
mod sessions;

use tillgate_domain::{PortSet, Tx};

pub use api_keys::{ApiKeys, SignatureDigest, Signatures, WrappedApiKey};
pub use attempts::{Attempts, Bucket, CountKey, KnownNetworks, TokenDisposition};
pub use credentials::{Credential, CredentialKind, Credentials, Verifier};
pub use directory::{Devices, Roles, Tenants, Users};
pub use feed::{
    Bookmark, Cursor, Feed, FeedBatch, FeedEntry, Instance, InstanceState, Instances, MachineClock, Node, Nodes,
    ServerTime,
};
pub use keys::{KeyKind, KeyState, Keys, StoredKey};
pub use sessions::{FirstUse, Rotation, SessionFilter, SessionRecord, SessionUse, SessionView, Sessions, StoreClock};

/// Shows the ports of authentication.
pub struct AuthPorts;

impl PortSet for AuthPorts {
    type Tx<'a> = dyn AuthTx + 'a;
}

/// A transaction as authentication sees it.
pub trait AuthTx: Tx {
    /// Sessions.
    fn sessions(&mut self) -> &mut dyn Sessions;
    /// What proves who somebody is.
    fn credentials(&mut self) -> &mut dyn Credentials;
    /// Vendors.
    fn tenants(&mut self) -> &mut dyn Tenants;
    /// People.
    fn users(&mut self) -> &mut dyn Users;
    /// Devices.
    fn devices(&mut self) -> &mut dyn Devices;
    /// Roles.
    fn roles(&mut self) -> &mut dyn Roles;
    /// Failed logins.
    fn attempts(&mut self) -> &mut dyn Attempts;
    /// Where somebody has logged in before.
    fn known_networks(&mut self) -> &mut dyn KnownNetworks;
    /// The server's keys.
    fn keys(&mut self) -> &mut dyn Keys;
    /// What has changed.
    fn feed(&mut self) -> &mut dyn Feed;
    /// The processes over this store.
    fn nodes(&mut self) -> &mut dyn Nodes;
    /// The store's own identity.
    fn instances(&mut self) -> &mut dyn Instances;
    /// Keys of programs.
    fn api_keys(&mut self) -> &mut dyn ApiKeys;
    /// Signatures that have verified.
    fn signatures(&mut self) -> &mut dyn Signatures;
}
