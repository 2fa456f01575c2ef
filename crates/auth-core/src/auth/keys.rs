//! The life cycle of keys in the engine: rotation, revocation, promotion and removal, each with its
//! audit event and its change.

use serde_json::json;
use tillgate_domain::{Action, EndReason, EventOutcome, KeyId, Scope, StoreExt, StoreResult, Subject};

use super::Auth;
use crate::Error;
use crate::keys::{KeyEvent, add_next_keys, generate_key, promote, retire};
use crate::ports::{AuthTx, KeyKind, KeyState, StoredKey};

/// The number of sessions that one unit of work ends.
const SESSIONS_PER_TRANSACTION: u32 = 500;

impl Auth {
    /// All keys of the store, oldest first, with encrypted secrets.
    pub fn list_keys(&self) -> Result<Vec<StoredKey>, Error> {
        Ok(self.store.read("list_keys", |tx| tx.keys().list())?)
    }

    /// Adds a next key of each kind. It is used after the lead time, when every live process has
    /// read it; with `at_once`, immediately.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn rotate_keys(&self, at_once: bool) -> Result<Vec<KeyEvent>, Error> {
        let generated = KeyKind::ALL.map(|kind| self.generate_key(kind));
        let keys = generated.into_iter().collect::<Result<Vec<_>, Error>>()?;
        self.run_key_step(|tx, now| add_next_keys(tx, &keys, at_once, now))
    }

    fn generate_key(&self, kind: KeyKind) -> Result<StoredKey, Error> {
        let algorithm = self.settings.algorithm;
        let (master, entropy) = (self.keyring.master(), &*self.entropy);
        generate_key(kind, algorithm, KeyState::Next, master, entropy, self.time().at)
            .map_err(|error| Error::Fault(error.to_string()))
    }

    /// Revokes a key immediately: its signatures are no longer accepted, the sessions that use a
    /// refresh key end, and the PINs that are digested with a key of PINs match no more. A new key
    /// replaces it if it was in use. Returns the number of ended sessions; `None` if the key does
    /// not exist.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn revoke_key(&self, id: KeyId) -> Result<Option<u32>, Error> {
        let Some(key) = self.list_keys()?.into_iter().find(|key| key.id == id) else { return Ok(None) };
        let successor = self.generate_key(key.kind)?;
        let mut event = self.new_event(Action::KeyRevoke, EventOutcome::Done, Subject::Key(id), None)?;
        event.details.insert("kind".to_owned(), json!(key.kind.name()));
        self.store.write("revoke_key", |tx| {
            let Some(key) = tx.keys().list()?.into_iter().find(|key| key.id == id) else { return Ok(()) };
            if tx.keys().change_state(id, key.state, KeyState::Revoked, event.at)? {
                if key.state == KeyState::Current {
                    tx.keys().insert(&StoredKey { state: KeyState::Current, ..successor.clone() })?;
                }
                tx.audit().record(&event)?;
                tx.revocations().invalidate(Scope::Keys, event.at)?;
            }
            Ok(())
        })?;
        self.poll_feed()?;
        let mut ended = 0;
        loop {
            let now = self.time().at;
            let batch = self.store.write("revoke_key", |tx| {
                let sessions = tx.sessions().ids_by_key(id, now, SESSIONS_PER_TRANSACTION)?;
                for session in &sessions {
                    tx.revocations().end_session(*session, EndReason::Admin, now)?;
                }
                Ok(u32::try_from(sessions.len()).unwrap_or(u32::MAX))
            })?;
            ended += batch;
            if batch < SESSIONS_PER_TRANSACTION {
                return Ok(Some(ended));
            }
        }
    }

    /// Promotes keys whose lead time is over. The maintenance thread does this once a minute.
    pub(super) fn promote_keys(&self) -> Result<(), Error> {
        if self.keyring.current().pending_keys().is_empty() {
            return Ok(());
        }
        let since = self.time().at.saturating_sub(super::maintenance::NODE_LIVENESS_TIMEOUT);
        let nodes = self.store.read("promote_keys", |tx| tx.nodes().list_live(since))?;
        let read = |key: KeyId| {
            self.follower.key_cursor(key).is_some_and(|cursor| nodes.iter().all(|node| node.applied >= cursor))
        };
        self.run_key_step(|tx, now| promote(tx, self.settings.key_lead, &read, now)).map(|_| ())
    }

    /// Removes keys that nothing needs any more, by [`sweep_cutoff`](Self::sweep_cutoff); a refresh
    /// token without its key is never valid again. The maintenance thread does this once a minute.
    pub(super) fn retire_keys(&self) -> Result<(), Error> {
        let stale = |key: &StoredKey| matches!(key.state, KeyState::Kept | KeyState::Revoked);
        if !self.list_keys()?.iter().any(stale) {
            return Ok(());
        }
        let by = self.sweep_cutoff()?;
        self.run_key_step(|tx, _| retire(tx, by)).map(|_| ())
    }

    /// Runs a step of the life cycle in one unit of work, with its audit events and its change, and
    /// applies the change in this process.
    fn run_key_step(
        &self,
        step: impl Fn(&mut dyn AuthTx, tillgate_domain::Instant) -> StoreResult<Vec<KeyEvent>>,
    ) -> Result<Vec<KeyEvent>, Error> {
        let template = self.new_event(Action::KeyAdd, EventOutcome::Done, Subject::Server, None)?;
        let ids = (0..16).map(|_| self.new_id(tillgate_domain::EventId::new)).collect::<Result<Vec<_>, Error>>()?;
        let events = self.store.write("run_key_step", |tx| {
            let events = step(tx, template.at)?;
            for (each, id) in events.iter().zip(&ids) {
                let (action, key) = match each {
                    KeyEvent::Created(key) => (Action::KeyAdd, *key),
                    KeyEvent::Promoted(key) => (Action::KeyPromote, *key),
                    KeyEvent::Retired(key) => (Action::KeyRetire, *key),
                };
                let mut event = template.clone();
                (event.id, event.action, event.subject) = (*id, action, Subject::Key(key));
                tx.audit().record(&event)?;
            }
            if !events.is_empty() {
                tx.revocations().invalidate(Scope::Keys, template.at)?;
            }
            Ok(events)
        })?;
        if !events.is_empty() {
            self.poll_feed()?;
        }
        Ok(events)
    }
}
