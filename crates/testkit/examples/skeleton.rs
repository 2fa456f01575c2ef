//! A store with nothing implemented: every trait and every method that authentication requires, to
//! be filled in from top to bottom. Copy this file, and run the contract (`docs/own-store.md`)
//! after each port.
//!
//! The documentation of each trait's methods says what they promise.

#![allow(
    dead_code,
    unused_variables,
    clippy::todo,
    clippy::wildcard_imports,
    missing_docs,
    reason = "a skeleton to be filled in"
)]

use std::net::IpAddr;
use std::sync::Arc;

use tillgate_auth_core::ports::*;
use tillgate_auth_core::{AuthStore, DialectName, Session};
use tillgate_domain::change::Observer;
use tillgate_domain::*;
use uuid::Uuid;

/// Opens transactions: your connection pool.
struct MyStore;

/// An open transaction of your database.
struct Transaction;

impl Store<AuthPorts> for MyStore {
    fn run(&self, mode: Mode, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        // Begin a transaction and call `work`. Commit if it returns `Ok`, otherwise roll back.
        // After `StoreError::Conflict` call it again, at most five times. Notify the observers
        // after the commit.
        let mut transaction = Transaction;
        work(&mut transaction)?;
        todo!("commit, and notify the observers")
    }
}

impl AuthStore for MyStore {
    fn add_observer(&self, observer: Arc<dyn Observer>) {
        todo!("register the observer, and notify it after each commit")
    }
}

impl Tx for Transaction {
    fn revocations(&mut self) -> &mut dyn Revocations {
        self
    }
    fn audit(&mut self) -> &mut dyn Audit {
        self
    }
}

impl AuthTx for Transaction {
    fn sessions(&mut self) -> &mut dyn Sessions {
        self
    }
    fn credentials(&mut self) -> &mut dyn Credentials {
        self
    }
    fn tenants(&mut self) -> &mut dyn Tenants {
        self
    }
    fn users(&mut self) -> &mut dyn Users {
        self
    }
    fn devices(&mut self) -> &mut dyn Devices {
        self
    }
    fn roles(&mut self) -> &mut dyn Roles {
        self
    }
    fn attempts(&mut self) -> &mut dyn Attempts {
        self
    }
    fn known_networks(&mut self) -> &mut dyn KnownNetworks {
        self
    }
    fn keys(&mut self) -> &mut dyn Keys {
        self
    }
    fn feed(&mut self) -> &mut dyn Feed {
        self
    }
    fn nodes(&mut self) -> &mut dyn Nodes {
        self
    }
    fn instances(&mut self) -> &mut dyn Instances {
        self
    }
    fn api_keys(&mut self) -> &mut dyn ApiKeys {
        self
    }
    fn signatures(&mut self) -> &mut dyn Signatures {
        self
    }
}

// Port: records audit events. Every change records its event in its own transaction.
impl Audit for Transaction {
    fn record(&mut self, event: &Event) -> StoreResult<()> {
        todo!("adds a line")
    }
}

// Port: ends sessions and publishes changes.
impl Revocations for Transaction {
    fn end_session(&mut self, session: SessionId, why: EndReason, at: Instant) -> StoreResult<bool> {
        todo!("ends one session for ever and every session that stands on it")
    }
    fn bump_epoch(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<Option<Epoch>> {
        todo!(
            "raises the epoch of scope, which ends every session of it but the permanent ones, and every session that stands on one of these; returns the new epoch, or None where there is no such user, device or tenant (keys and clock have no epoch)"
        )
    }
    fn end_permanent(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<()> {
        todo!(
            "ends every permanent session of scope, which no epoch ends, and every session that stands on one of these, each told by itself"
        )
    }
    fn invalidate(&mut self, scope: Scope, at: Instant) -> StoreResult<()> {
        todo!("tells that what is remembered of scope is stale")
    }
}

// Port: sessions.
impl Sessions for Transaction {
    fn insert(&mut self, session: &Session) -> StoreResult<()> {
        todo!("adds a session")
    }
    fn find(&mut self, id: SessionId) -> StoreResult<Option<SessionRecord>> {
        todo!("the session with what decides whether it still stands")
    }
    fn rotate(&mut self, id: SessionId, from: i64, to: &Rotation) -> StoreResult<bool> {
        todo!(
            "moves an open session from this generation on to the rotation's, which may be the same or, after the store went back, any later one"
        )
    }
    fn extend(
        &mut self,
        id: SessionId,
        generation: i64,
        expires_at: Option<Instant>,
        from: Option<IpAddr>,
    ) -> StoreResult<bool> {
        todo!("sets the end of an open session and where its newest request came from; everything else stays")
    }
    fn record_uses(&mut self, uses: &[SessionUse]) -> StoreResult<()> {
        todo!(
            "notes uses, in the order of sessions: used and last_used_at of the session and last_seen_at of its device rise to what the use says and never fall"
        )
    }
    fn list_first_uses(&mut self, id: SessionId) -> StoreResult<Vec<FirstUse>> {
        todo!("when generations of a session were first used, as far as that was noted, by generation")
    }
    fn record_first_use(&mut self, id: SessionId, first: FirstUse, settled: Instant) -> StoreResult<bool> {
        todo!("notes when a generation of a session was first used")
    }
    fn list_live_dialects(&mut self, now: Instant) -> StoreResult<Vec<DialectName>> {
        todo!("the contracts of the sessions that are neither ended nor expired at now")
    }
    fn list(&mut self, filter: &SessionFilter, after: Option<SessionId>, limit: u32) -> StoreResult<Vec<SessionView>> {
        todo!("sessions with the names that lists show, newest first, those after after only, limit at most")
    }
    fn uses_key(&mut self, key: KeyId, now: Instant) -> StoreResult<bool> {
        todo!(
            "whether a session that is neither ended nor expired at now names the key, as its newest or the one before"
        )
    }
    fn ids_by_key(&mut self, key: KeyId, now: Instant, limit: u32) -> StoreResult<Vec<SessionId>> {
        todo!("ids of sessions that name the key and are neither ended nor expired at now, limit at most")
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("removes sessions that were over before this instant, limit at most, and says how many")
    }
}

// Port: credentials.
impl Credentials for Transaction {
    fn find(&mut self, principal: PrincipalId, kind: CredentialKind) -> StoreResult<Option<Credential>> {
        todo!("the credential of that kind")
    }
    fn claim(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        rehashed: Option<&Verifier>,
        at: Instant,
    ) -> StoreResult<bool> {
        todo!(
            "claims the credential for a login: true where it still has this version, and then nobody changes it before this unit of work ends"
        )
    }
    fn replace(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        verifier: &Verifier,
        at: Instant,
    ) -> StoreResult<bool> {
        todo!("puts another secret in the place of this one: true where it still has this version, which is raised")
    }
}

// Port: tenants.
impl Tenants for Transaction {
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        todo!("the tenant with this id")
    }
    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        todo!("the tenant of this short name")
    }
}

// Port: users.
impl Users for Transaction {
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>> {
        todo!("the user with this id, deleted ones too")
    }
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>> {
        todo!("the user of this name in this tenant")
    }
    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>> {
        todo!("the user of this e-mail address, whichever tenant they belong to")
    }
    fn claim(&mut self, id: UserId, epoch: Epoch, at: Instant) -> StoreResult<bool> {
        todo!(
            "claims the user for a login: true where they are active and at this epoch, and then nothing ends everything of theirs before this unit of work ends"
        )
    }
    fn clear_password_change_required(&mut self, id: UserId, at: Instant) -> StoreResult<bool> {
        todo!(
            "records that the user has changed the password and need not change it at the next login. True if they had to, which raises the user's version"
        )
    }
}

// Port: devices.
impl Devices for Transaction {
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>> {
        todo!("the device with this id, retired ones too")
    }
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>> {
        todo!("the device of this name in this tenant; where there are only retired ones of it, the newest of these")
    }
    fn claim(&mut self, id: DeviceId, epoch: Epoch, at: Instant) -> StoreResult<bool> {
        todo!(
            "claims the device for a login of its own: true where it is active and at this epoch, and then nothing ends everything on it before this unit of work ends"
        )
    }
    fn seat(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool> {
        todo!("gives the seat of a sale device from one session to another")
    }
    fn pair(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool> {
        todo!("gives the pairing of a device from one permanent session to another")
    }
}

// Port: roles.
impl Roles for Transaction {
    fn find_many(&mut self, tenant: TenantId, ids: &[RoleId]) -> StoreResult<Vec<Role>> {
        todo!("those of these roles that the tenant has, in any order")
    }
}

// Port: failed logins.
impl Attempts for Transaction {
    fn find_buckets(&mut self, keys: &[CountKey]) -> StoreResult<Vec<Bucket>> {
        todo!("the buckets of these keys, in their order; full ones where nothing is stored")
    }
    fn take_token(
        &mut self,
        key: CountKey,
        principal: Option<Uuid>,
        from: &Bucket,
        to: &Bucket,
        at: Instant,
    ) -> StoreResult<bool> {
        todo!(
            "stores the bucket as an attempt leaves it that takes a token at this instant: true where full_at and open still are as in from"
        )
    }
    fn settle(&mut self, key: CountKey, how: TokenDisposition, at: Instant) -> StoreResult<()> {
        todo!("settles one open attempt")
    }
    fn block(&mut self, key: CountKey, until: Instant) -> StoreResult<()> {
        todo!("admits nothing by a stored bucket before this instant")
    }
    fn record_guess(&mut self, key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> StoreResult<bool> {
        todo!("remembers a wrong password, by its digest, for a bucket: true where it was not remembered after since")
    }
    fn count_guesses(&mut self, key: CountKey, since: Instant) -> StoreResult<u32> {
        todo!("how many wrong passwords are remembered for a bucket after since")
    }
    fn refill(&mut self, key: CountKey) -> StoreResult<bool> {
        todo!("fills a bucket that is nobody's own: true where it was stored")
    }
    fn clear_failed_logins(&mut self, principal: Uuid) -> StoreResult<u32> {
        todo!(
            "forgets every bucket of the principal and the wrong passwords remembered for them, and says how many buckets there were"
        )
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("removes buckets that nothing has touched since this instant, limit at most, and says how many")
    }
    fn sweep_guesses(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("removes wrong passwords that were remembered before this instant, limit at most, and says how many")
    }
}

// Port: networks in which a principal has logged in before, each stored as a digest.
impl KnownNetworks for Transaction {
    fn find(&mut self, principal: Uuid, place: &CountKey) -> StoreResult<Option<Instant>> {
        todo!("when the principal last succeeded there, to the day")
    }
    fn record_success(&mut self, principal: Uuid, place: &CountKey, at: Instant) -> StoreResult<()> {
        todo!("notes a success there")
    }
    fn trim(&mut self, principal: Uuid, keep: u32) -> StoreResult<()> {
        todo!("forgets the principal's places but the keep of the latest successes")
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("removes places of which the last success was before this instant, limit at most, and says how many")
    }
}

// Port: the server's keys.
impl Keys for Transaction {
    fn list(&mut self) -> StoreResult<Vec<StoredKey>> {
        todo!("every key, revoked ones too, oldest first")
    }
    fn insert(&mut self, key: &StoredKey) -> StoreResult<bool> {
        todo!("adds a key")
    }
    fn change_state(&mut self, id: KeyId, from: KeyState, to: KeyState, at: Instant) -> StoreResult<bool> {
        todo!("moves a key from one state to another")
    }
    fn remove(&mut self, id: KeyId) -> StoreResult<()> {
        todo!("removes a key")
    }
}

// Port: the feed of changes.
impl Feed for Transaction {
    fn poll(&mut self, from: Option<&Bookmark>) -> StoreResult<FeedBatch> {
        todo!("every change that the look which gave the bookmark did not see, None for all that is kept")
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("removes changes that were written before this instant, limit at most, and says how many")
    }
}

// Port: the processes that use the store.
impl Nodes for Transaction {
    fn upsert(&mut self, node: &Node) -> StoreResult<()> {
        todo!("notes how far a process follows")
    }
    fn list_live(&mut self, since: Instant) -> StoreResult<Vec<Node>> {
        todo!("the processes that were seen since this instant and have not left")
    }
    fn find_origin(&mut self, boot: Uuid) -> StoreResult<Option<Instant>> {
        todo!(
            "the origin of the clock that a process on this start of a machine said last, whether it still runs or not"
        )
    }
    fn mark_left(&mut self, id: NodeId, at: Instant) -> StoreResult<()> {
        todo!("A process has stopped in good order, at this instant: nobody waits for it")
    }
    fn sweep(&mut self, before: Instant) -> StoreResult<u32> {
        todo!("forgets processes that were last seen before this instant, and says how many")
    }
}

// Port: the identity of the store.
impl Instances for Transaction {
    fn find(&mut self) -> StoreResult<Instance> {
        todo!("the instance")
    }
    fn newest_instant(&mut self) -> StoreResult<Option<Instant>> {
        todo!(
            "the instant of the newest login, change, audit line or word of a process that has not left, or a later one that has been: no right clock is behind it"
        )
    }
}

// Port: API keys of programs.
impl ApiKeys for Transaction {
    fn find_by_client_id(&mut self, client: &str) -> StoreResult<Option<WrappedApiKey>> {
        todo!("the key that programs call by this client id, whether it counts or not")
    }
    fn list_active_by_user(&mut self, tenant: TenantId, user: UserId) -> StoreResult<Vec<ApiKey>> {
        todo!("the active keys of a user, in the order of their ids")
    }
    fn revoke(&mut self, key: &ApiKey) -> StoreResult<bool> {
        todo!("revokes a key where it still has this version; false where it was changed or removed meanwhile")
    }
}

// Port: signatures that have been verified.
impl Signatures for Transaction {
    fn insert_if_new(&mut self, signature: &SignatureDigest, at: Instant) -> StoreResult<bool> {
        todo!("remembers a signature")
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("forgets signatures that were seen before this instant, limit at most, and says how many")
    }
}

fn main() {
    println!("fill it in: docs/own-store.md says in which order");
}
