//! A store with nothing implemented: every trait and every method that authentication requires.
//! Copy this file into your crate as a module, delete `main`, and run the contract at its end with
//! `cargo test` after each port. `docs/own-store.md` recommends an order.
//!
//! The documentation of each trait's methods says what they promise; the texts here only summarize
//! it.

#![allow(
    dead_code,
    unused_variables,
    clippy::todo,
    clippy::wildcard_imports,
    missing_docs,
    unreachable_pub,
    reason = "a skeleton to be filled in"
)]

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use tillgate_auth_core::ports::*;
use tillgate_auth_core::{AuthStore, DialectName, Session};
use tillgate_domain::change::Observer;
use tillgate_domain::*;
use uuid::Uuid;

/// Opens transactions: your connection pool.
pub struct MyStore;

/// An open transaction of your database.
struct Transaction;

impl Store<AuthPorts> for MyStore {
    fn run(&self, unit: UnitOfWork, work: Work<'_, AuthPorts>) -> StoreResult<()> {
        // Return `StoreError::Nested` if this thread is in a unit of work already. Begin a
        // transaction, and return `StoreError::Unavailable` if that takes longer than a deadline of
        // a few seconds. Call `work`. Commit if it returns `Ok`, otherwise roll back, also after a
        // panic. After `StoreError::Conflict` call it again, at most five times. Notify the
        // observers after the commit.
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
    fn live_events(&mut self) -> &mut dyn LiveEvents {
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
    fn enrollments(&mut self) -> &mut dyn Enrollments {
        self
    }
    fn device_keys(&mut self) -> &mut dyn DeviceKeys {
        self
    }
    fn pending_keys(&mut self) -> &mut dyn PendingKeys {
        self
    }
    fn pins(&mut self) -> &mut dyn Pins {
        self
    }
}

// Port: records audit events. Every change records its event in its own transaction.
impl Audit for Transaction {
    fn record(&mut self, event: &Event) -> StoreResult<()> {
        todo!("insert the event and its live events; return an error if its id exists already")
    }
}

// Port: ends sessions and publishes changes.
impl Revocations for Transaction {
    fn end_session(&mut self, session: SessionId, why: EndReason, at: Instant) -> StoreResult<bool> {
        todo!("end the session and its descendants; return false if it had already ended or does not exist")
    }
    fn bump_epoch(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<Option<Epoch>> {
        todo!(
            "raise the epoch of `scope`, then end its sessions except permanent ones, and the descendants of those sessions; return the new epoch, or `None` if there is no such user, device or tenant, and for scopes without an epoch"
        )
    }
    fn end_permanent(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<()> {
        todo!(
            "end the permanent sessions of `scope`, to which no epoch applies, and their descendants; publish each end"
        )
    }
    fn invalidate(&mut self, scope: Scope, at: Instant) -> StoreResult<()> {
        todo!("publish that cached data about `scope` is outdated")
    }
}

// Port: sessions.
impl Sessions for Transaction {
    fn insert(&mut self, session: &Session) -> StoreResult<()> {
        todo!("insert the session; return an error if its id exists already")
    }
    fn find(&mut self, id: SessionId) -> StoreResult<Option<SessionRecord>> {
        todo!("the session with everything that decides whether it is live")
    }
    fn rotate(&mut self, id: SessionId, from: i64, to: &Rotation) -> StoreResult<bool> {
        todo!(
            "rotate the session if it has not ended and has the generation `from`; the new generation may be the same, or any later one after a backup was restored"
        )
    }
    fn extend(
        &mut self,
        id: SessionId,
        generation: i64,
        expires_at: Option<Instant>,
        from: Option<IpAddr>,
    ) -> StoreResult<bool> {
        todo!(
            "set the expiry and the client's address if the session has not ended and has this generation; change nothing else"
        )
    }
    fn record_uses(&mut self, uses: &[SessionUse]) -> StoreResult<()> {
        todo!(
            "record the uses: raise `used_generation` and `last_used_at` of each session and `last_seen_at` of its device, and never lower them; lock the rows in the order of their ids"
        )
    }
    fn list_first_uses(&mut self, id: SessionId) -> StoreResult<Vec<FirstUse>> {
        todo!("the recorded first uses of the session's generations, by generation")
    }
    fn record_first_use(&mut self, id: SessionId, first: FirstUse) -> StoreResult<()> {
        todo!("record the first use of a generation, unless one is recorded already or the session does not exist")
    }
    fn remove_first_uses(&mut self, id: SessionId, before: i64) -> StoreResult<()> {
        todo!("remove the first uses of the session's generations before this one")
    }
    fn list_live_dialects(&mut self, now: Instant) -> StoreResult<Vec<DialectName>> {
        todo!("the dialects of the sessions that have neither ended nor expired at `now`, each once")
    }
    fn list(
        &mut self,
        filter: &SessionFilter,
        order: SessionOrder,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> StoreResult<Vec<SessionView>> {
        todo!("sessions with the names of their users and devices, newest first, from behind `after`, at most `limit`")
    }
    fn find_many(&mut self, ids: &BTreeSet<SessionId>) -> StoreResult<Vec<SessionView>> {
        todo!("those of the sessions that exist, with the names of their users and devices")
    }
    fn uses_key(&mut self, key: KeyId, now: Instant) -> StoreResult<bool> {
        todo!(
            "whether a session that has neither ended nor expired at `now` uses the key, as its current or previous one"
        )
    }
    fn ids_by_key(&mut self, key: KeyId, now: Instant, limit: u32) -> StoreResult<Vec<SessionId>> {
        todo!("the ids of sessions that use the key and have neither ended nor expired at `now`, at most `limit`")
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("remove at most `limit` sessions that were over before this instant, and return how many")
    }
}

// Port: credentials.
impl Credentials for Transaction {
    fn find(&mut self, principal: PrincipalId, kind: CredentialKind) -> StoreResult<Option<Credential>> {
        todo!("the principal's credential of this kind")
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
            "lock the credential for a login if it has this version, so that nobody changes it before this unit of work ends; return whether it has"
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
        todo!("replace the secret if the credential has this version, and increment the version; return whether it had")
    }
}

// Port: tenants.
impl Tenants for Transaction {
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        todo!("the tenant with this id")
    }
    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        todo!("the tenant with this slug")
    }
}

// Port: users.
impl Users for Transaction {
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>> {
        todo!("the user with this id, also if deleted")
    }
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>> {
        todo!("the user with this name in this tenant; never a deleted one")
    }
    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>> {
        todo!("the user with this e-mail address in any tenant; never a deleted one")
    }
    fn claim(&mut self, id: UserId, epoch: Epoch, at: Instant) -> StoreResult<bool> {
        todo!(
            "lock the user for a login if they are active and have this epoch, so that nothing ends their sessions before this unit of work ends; return whether they are"
        )
    }
    fn clear_password_change_required(&mut self, id: UserId, at: Instant) -> StoreResult<bool> {
        todo!(
            "record that the user has changed the password and need not change it at the next login; return true if they had to, which increments the user's version"
        )
    }
    fn list_operators(&mut self, device: DeviceId, limit: u32) -> StoreResult<Vec<TillOperator>> {
        todo!("at most `limit` active users who are assigned to the device and are not virtual, by their ids")
    }
}

// Port: devices.
impl Devices for Transaction {
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>> {
        todo!("the device with this id, also if retired")
    }
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>> {
        todo!("the device with this name in this tenant; if only retired ones have it, the newest of these")
    }
    fn claim(&mut self, id: DeviceId, epoch: Epoch, at: Instant) -> StoreResult<bool> {
        todo!(
            "lock the device for a login of its own if it is active and has this epoch, so that nothing ends its sessions before this unit of work ends; return whether it is"
        )
    }
    fn seat(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool> {
        todo!("pass the seat of a sale device from one session to another; return false if `from` does not have it")
    }
    fn pair(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool> {
        todo!(
            "pass the pairing of a device from one permanent session to another; return false if `from` does not have it"
        )
    }
}

// Port: roles.
impl Roles for Transaction {
    fn find_many(&mut self, tenant: TenantId, ids: &[RoleId]) -> StoreResult<Vec<Role>> {
        todo!("those of these roles that belong to the tenant, in any order")
    }
}

// Port: failed logins.
impl Attempts for Transaction {
    fn find_buckets(&mut self, keys: &[CountKey]) -> StoreResult<Vec<Bucket>> {
        todo!("the buckets of these keys, in their order; a full one for each key without a stored bucket")
    }
    fn find_depleted(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        full_after: Instant,
        limit: u32,
    ) -> StoreResult<Vec<PrincipalBucket>> {
        todo!("the buckets of users and devices of the tenant that are full only after this instant")
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
            "store the bucket `to` if `full_at` and `open_attempts` are still those of `from`; return whether they are"
        )
    }
    fn settle(&mut self, key: CountKey, disposition: TokenDisposition, at: Instant) -> StoreResult<()> {
        todo!("settle one open attempt: its token is spent or returned")
    }
    fn block(&mut self, key: CountKey, until: Instant) -> StoreResult<()> {
        todo!("block a stored bucket until this instant")
    }
    fn record_guess(&mut self, key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> StoreResult<bool> {
        todo!("record a wrong password by its digest; return true if it was not recorded for the bucket after `since`")
    }
    fn count_guesses(&mut self, key: CountKey, since: Instant) -> StoreResult<u32> {
        todo!("the number of wrong passwords recorded for the bucket after `since`")
    }
    fn refill(&mut self, key: CountKey) -> StoreResult<bool> {
        todo!("refill a bucket that belongs to no principal; return true if it was stored")
    }
    fn clear_failed_logins(&mut self, principal: Uuid) -> StoreResult<u32> {
        todo!(
            "remove the principal's buckets and the wrong passwords recorded for them, and return how many buckets there were"
        )
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("remove at most `limit` buckets that have not been used since this instant, and return how many")
    }
    fn sweep_guesses(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("remove at most `limit` wrong passwords recorded before this instant, and return how many")
    }
}

// Port: networks in which a principal has logged in before, each stored as a digest.
impl KnownNetworks for Transaction {
    fn find(&mut self, principal: Uuid, place: &CountKey) -> StoreResult<Option<Instant>> {
        todo!("when the principal last logged in successfully in this network, to the day")
    }
    fn record_success(&mut self, principal: Uuid, place: &CountKey, at: Instant) -> StoreResult<()> {
        todo!("record a successful login in this network")
    }
    fn trim(&mut self, principal: Uuid, keep: u32) -> StoreResult<()> {
        todo!("keep the principal's `keep` networks with the latest successful logins, and remove the others")
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!(
            "remove at most `limit` networks whose last successful login was before this instant, and return how many"
        )
    }
}

// Port: the server's keys.
impl Keys for Transaction {
    fn list(&mut self) -> StoreResult<Vec<StoredKey>> {
        todo!("all keys, including revoked ones, oldest first")
    }
    fn insert(&mut self, key: &StoredKey) -> StoreResult<bool> {
        todo!("insert the key; return false if its kind already has a current one")
    }
    fn change_state(&mut self, id: KeyId, from: KeyState, to: KeyState, at: Instant) -> StoreResult<bool> {
        todo!(
            "change the key's state if it is `from`; return false otherwise, and if the kind already has a current key"
        )
    }
    fn remove(&mut self, id: KeyId) -> StoreResult<()> {
        todo!("remove the key")
    }
}

// Port: the feed of changes.
impl Feed for Transaction {
    fn poll(&mut self, from: Option<&Bookmark>) -> StoreResult<FeedBatch> {
        todo!("the changes that the read which returned the bookmark did not contain; all kept changes for `None`")
    }
    fn find_end(&mut self) -> StoreResult<FeedCursor> {
        todo!("the position after every change that is committed")
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("remove at most `limit` changes written before this instant, and return how many")
    }
}

// Port: the live events, which `Audit::record` writes.
impl LiveEvents for Transaction {
    fn poll(&mut self, from: Option<&Bookmark>, tenant: Option<TenantId>, limit: u32) -> StoreResult<LiveEventBatch> {
        todo!(
            "the events of the tenant, or of all, that the read which returned the bookmark did not contain; a gap for `None`"
        )
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("remove at most `limit` events written before this instant, and return how many")
    }
}

// Port: the processes that use the store.
impl Nodes for Transaction {
    fn upsert(&mut self, node: &Node) -> StoreResult<()> {
        todo!("store the record of the process, with its position in the feed")
    }
    fn list_live(&mut self, since: Instant) -> StoreResult<Vec<Node>> {
        todo!("the processes that were seen since this instant and have not left")
    }
    fn record_acknowledgment(&mut self, acknowledgment: &NodeAcknowledgment) -> StoreResult<()> {
        todo!("update name, position and time of the process, if it has a record")
    }
    fn list_acknowledgments(&mut self, since: Instant) -> StoreResult<Vec<NodeAcknowledgment>> {
        todo!("what those processes have recorded, with their newest position")
    }
    fn find_origin(&mut self, boot: Uuid) -> StoreResult<Option<Instant>> {
        todo!(
            "the origin of the machine's clock for this boot id, whether or not the process still runs; of several, that with the longest time from the origin to the heartbeat"
        )
    }
    fn mark_left(&mut self, id: NodeId, at: Instant) -> StoreResult<()> {
        todo!("record that the process has stopped normally at this instant")
    }
    fn sweep(&mut self, before: Instant) -> StoreResult<u32> {
        todo!("remove processes last seen before this instant, and return how many")
    }
}

// Port: the identity of the store.
impl Instances for Transaction {
    fn find(&mut self) -> StoreResult<Instance> {
        todo!("the store's instance id and state")
    }
    fn newest_instant(&mut self) -> StoreResult<Option<Instant>> {
        todo!(
            "the newest instant of a login, a change, an audit event or a process that has not left; no correct clock is behind it"
        )
    }
}

// Port: API keys of programs.
impl ApiKeys for Transaction {
    fn find_by_client_id(&mut self, client: &str) -> StoreResult<Option<WrappedApiKey>> {
        todo!("the API key with this client id, active or not")
    }
    fn list_active_by_user(&mut self, tenant: TenantId, user: UserId) -> StoreResult<Vec<ApiKey>> {
        todo!("the active API keys of the user, in the order of their ids")
    }
    fn revoke(&mut self, key: &ApiKey) -> StoreResult<bool> {
        todo!("revoke the key if it still has this version; return false if it was changed or removed in the meantime")
    }
    fn record_uses(&mut self, uses: &[(ApiKeyId, Instant)]) -> StoreResult<()> {
        todo!("set the instant of each key's last use, unless a later one is stored; the version stays")
    }
}

// Port: signatures that have been verified.
impl Signatures for Transaction {
    fn insert_if_new(&mut self, signature: &SignatureDigest, at: Instant) -> StoreResult<bool> {
        todo!("insert the signature; return false if it exists already")
    }
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        todo!("remove at most `limit` signatures inserted before this instant, and return how many")
    }
}

// Port: enrollments of devices. Your own code starts them.
impl Enrollments for Transaction {
    fn find(&mut self, digest: &EnrollmentDigest) -> StoreResult<Option<Enrollment>> {
        todo!("the enrollment whose code has this digest, completed or not")
    }
    fn complete(&mut self, digest: &EnrollmentDigest, completion: &EnrollmentCompletion) -> StoreResult<bool> {
        todo!("store the completion if there is none yet; return false otherwise")
    }
}

// Port: keys of devices.
impl DeviceKeys for Transaction {
    fn find(&mut self, tenant: TenantId, thumbprint: &Thumbprint) -> StoreResult<Option<DeviceKey>> {
        todo!("the key with this thumbprint in the tenant, with any state")
    }
    fn find_current(&mut self, device: DeviceId) -> StoreResult<Option<DeviceKey>> {
        todo!("the current key of the device")
    }
    fn insert(&mut self, key: &DeviceKey) -> StoreResult<bool> {
        todo!("insert the key; return false if the tenant has its thumbprint, or the device a current key")
    }
    fn retire(&mut self, tenant: TenantId, thumbprint: &Thumbprint, at: Instant) -> StoreResult<bool> {
        todo!("set the state `Retired` and the instant if the key is current; return false otherwise")
    }
    fn record_use(
        &mut self,
        tenant: TenantId,
        thumbprint: &Thumbprint,
        at: Instant,
        recorded_before: Instant,
    ) -> StoreResult<()> {
        todo!("set the instant of the last use unless there is one after `recorded_before`")
    }
}

// Port: PINs of users. Your own code draws and removes them.
impl Pins for Transaction {
    fn find(&mut self, user: UserId) -> StoreResult<Option<StoredPin>> {
        todo!("the user's PIN")
    }
    fn set(&mut self, user: UserId, pin: &StoredPin, at: Instant) -> StoreResult<()> {
        todo!("insert the PIN, or replace the user's current one")
    }
    fn claim(
        &mut self,
        user: UserId,
        verifier: &Verifier,
        rehashed: Option<&StoredPin>,
        at: Instant,
    ) -> StoreResult<bool> {
        todo!("lock the user's PIN if it has this verifier, and store the new verifier and key if given")
    }
    fn claim_key(&mut self, key: KeyId) -> StoreResult<bool> {
        todo!("lock the key if it is the current one of PINs")
    }
    fn remove(&mut self, user: UserId) -> StoreResult<bool> {
        todo!("remove the user's PIN")
    }
    fn uses_key(&mut self, key: KeyId) -> StoreResult<bool> {
        todo!("whether a PIN has this key")
    }
}

// Port: keys of machines that wait to be accepted. Your own code accepts and denies them.
impl PendingKeys for Transaction {
    fn insert(&mut self, key: &PendingKey) -> StoreResult<bool> {
        todo!("insert the key; return false if one of its codes exists")
    }
    fn find_by_code(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        todo!("the key with this code, in any state")
    }
    fn find_by_device_code(&mut self, device_code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        todo!("the key that is polled with this code, in any state")
    }
    fn renew(
        &mut self,
        code: &EnrollmentDigest,
        device_code: &EnrollmentDigest,
        expires_at: Instant,
    ) -> StoreResult<bool> {
        todo!("replace the code of the polls and the expiry if the key waits; return false otherwise")
    }
    fn record_poll(&mut self, device_code: &EnrollmentDigest, at: Instant) -> StoreResult<()> {
        todo!("set the instant of the newest poll")
    }
    fn extend(&mut self, device_code: &EnrollmentDigest, until: Instant) -> StoreResult<()> {
        todo!("set the expiry of the key that is polled with this code, if there is one")
    }
    fn count_live(&mut self, tenant: Option<TenantId>, now: Instant) -> StoreResult<u32> {
        todo!("the number of keys, of this tenant if given, that have not expired")
    }
}

/// The contract of authentication.
#[cfg(test)]
mod contract {
    use tillgate_testkit::{AuthStoreHarness, Roster};

    use super::*;

    fn insert_roster(store: &MyStore, roster: &Roster) -> StoreResult<()> {
        todo!("insert the tenants, roles, devices, users and passwords; replace a password that exists already")
    }

    fn open_harness() -> AuthStoreHarness {
        // create a new, empty store here
        let store = Arc::new(MyStore);
        let (observed, filled) = (Arc::clone(&store), Arc::clone(&store));
        AuthStoreHarness::new(
            store,
            move |observer| observed.add_observer(observer),
            move |roster| insert_roster(&filled, roster),
        )
    }

    tillgate_testkit::auth_contract!(open_harness);
}

fn main() {
    println!("fill in the methods in the order that docs/own-store.md recommends");
}
