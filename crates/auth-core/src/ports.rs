//! The ports of the engine: the traits through which it uses a store.
//!
//! A store implements [`AuthTx`] on its transaction (each method usually returns `self`) and
//! [`Store<AuthPorts>`](tillgate_domain::Store) on the type that opens transactions.
//! `tillgate-testkit` has a test case for each promise below, except those of [`ApiKeys`] and
//! [`Enrollments`]; run it against your store.
//!
//! Two conventions hold for all ports. A lookup returns `StoreResult<Option<T>>`, so that a failure
//! is never taken for absence. A write that can lose a race is a conditional update that returns
//! whether it was made, so that the store decides between two concurrent ones.

mod api_keys;
mod attempts;
mod credentials;
mod device_keys;
mod directory;
mod enrollments;
mod feed;
mod keys;
mod live_events;
mod pending_keys;
mod pins;
mod session_list;
mod sessions;

use tillgate_domain::{PortSet, Tx};

pub use api_keys::{ApiKeys, SignatureDigest, Signatures, WrappedApiKey};
pub use attempts::{Attempts, Bucket, CountKey, KnownNetworks, PrincipalBucket, TokenDisposition};
pub use credentials::{Credential, CredentialKind, Credentials, Verifier};
pub use device_keys::DeviceKeys;
pub use directory::{Devices, Roles, Tenants, TillOperator, Users};
pub use enrollments::Enrollments;
pub use feed::{
    Bookmark, Feed, FeedBatch, FeedCursor, FeedEntry, Instance, InstanceState, Instances, MachineClock, Node,
    NodeAcknowledgment, Nodes, ServerTime,
};
pub use keys::{KeyKind, KeyState, Keys, StoredKey};
pub use live_events::{LiveEventBatch, LiveEventView, LiveEvents};
pub use pending_keys::PendingKeys;
pub use pins::Pins;
pub use session_list::{SessionCursor, SessionFilter, SessionOrder, SessionView};
pub use sessions::{FirstUse, Rotation, SessionRecord, SessionUse, Sessions, StoreClock};

/// The set of ports that the engine uses.
pub struct AuthPorts;

impl PortSet for AuthPorts {
    type Tx<'a> = dyn AuthTx + 'a;
}

/// A transaction with the ports of the engine.
pub trait AuthTx: Tx {
    /// Sessions and the uses of their tokens.
    fn sessions(&mut self) -> &mut dyn Sessions;
    /// Credentials of users and devices.
    fn credentials(&mut self) -> &mut dyn Credentials;
    /// PINs of users.
    fn pins(&mut self) -> &mut dyn Pins;
    /// Tenants, to find and read.
    fn tenants(&mut self) -> &mut dyn Tenants;
    /// Users, to find and to claim at a login.
    fn users(&mut self) -> &mut dyn Users;
    /// Devices, with their seats and pairings.
    fn devices(&mut self) -> &mut dyn Devices;
    /// Roles and their rights.
    fn roles(&mut self) -> &mut dyn Roles;
    /// Token buckets and remembered wrong passwords.
    fn attempts(&mut self) -> &mut dyn Attempts;
    /// Networks in which principals have logged in.
    fn known_networks(&mut self) -> &mut dyn KnownNetworks;
    /// Signing keys and refresh keys.
    fn keys(&mut self) -> &mut dyn Keys;
    /// The change feed of the store.
    fn feed(&mut self) -> &mut dyn Feed;
    /// The live events, which clients follow.
    fn live_events(&mut self) -> &mut dyn LiveEvents;
    /// The processes that use the store.
    fn nodes(&mut self) -> &mut dyn Nodes;
    /// The identity of the store.
    fn instances(&mut self) -> &mut dyn Instances;
    /// API keys and their secrets.
    fn api_keys(&mut self) -> &mut dyn ApiKeys;
    /// Signatures that were accepted.
    fn signatures(&mut self) -> &mut dyn Signatures;
    /// Enrollments of devices, by their codes.
    fn enrollments(&mut self) -> &mut dyn Enrollments;
    /// Keys of devices.
    fn device_keys(&mut self) -> &mut dyn DeviceKeys;
    /// Keys of machines that wait to be accepted.
    fn pending_keys(&mut self) -> &mut dyn PendingKeys;
}
