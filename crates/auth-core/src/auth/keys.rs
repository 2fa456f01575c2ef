//! The keys' life, as the engine leads it: rotate, revoke, promote, retire, each with its audit line and its change.

use serde_json::json;
use tillgate_domain::{Action, EndedWhy, KeyId, Outcome, Scope, StoreExt, Stored, Subject};

use super::Auth;
use crate::Error;
use crate::keys::{Lifecycle, draw, promote, retire, rotate};
use crate::ports::{AuthTx, KeyKind, KeyState, StoredKey};

/// How many sessions one unit of work ends.
const BATCH: u32 = 500;

impl Auth {
    /// Every key of the store, oldest first. What wraps them stays closed.
    pub fn keys(&self) -> Result<Vec<StoredKey>, Error> {
        Ok(self.store.read(|tx| tx.keys().all())?)
    }

    /// Adds a next key of each kind. It comes into use after the lead, once every live process has read it; `at_once`, now.
    pub fn rotate_keys(&self, at_once: bool) -> Result<Vec<Lifecycle>, Error> {
        let drawn = KeyKind::ALL.map(|kind| self.draw_key(kind));
        let drawn = drawn.into_iter().collect::<Result<Vec<_>, Error>>()?;
        self.lead(|tx, now| rotate(tx, &drawn, at_once, now))
    }

    fn draw_key(&self, kind: KeyKind) -> Result<StoredKey, Error> {
        let algorithm = self.settings.algorithm;
        let (master, entropy) = (self.keyring.master(), &*self.entropy);
        draw(kind, algorithm, KeyState::Next, master, entropy, self.time().at)
            .map_err(|error| Error::Fault(error.to_string()))
    }

    /// Revokes a key at once: what it signed is no longer believed, and the sessions that a refresh key still serves are ended.
    /// Where it was in use another takes its place. `None` where there is no such key; else how many sessions were ended.
    pub fn revoke_key(&self, id: KeyId) -> Result<Option<u32>, Error> {
        let Some(key) = self.keys()?.into_iter().find(|key| key.id == id) else { return Ok(None) };
        let successor = self.draw_key(key.kind)?;
        let mut event = self.event(Action::KeyRevoke, Outcome::Done, Subject::Key(id), None)?;
        event.details.insert("kind".to_owned(), json!(key.kind.name()));
        self.store.write(|tx| {
            let Some(key) = tx.keys().all()?.into_iter().find(|key| key.id == id) else { return Ok(()) };
            if tx.keys().turn(id, key.state, KeyState::Revoked, event.at)? {
                if key.state == KeyState::Current {
                    tx.keys().insert(&StoredKey { state: KeyState::Current, ..successor.clone() })?;
                }
                tx.audit().tell(&event)?;
                tx.endings().touch(Scope::Keys, event.at)?;
            }
            Ok(())
        })?;
        self.follow()?;
        let mut ended = 0;
        loop {
            let now = self.time().at;
            let batch = self.store.write(|tx| {
                let sessions = tx.sessions().under(id, now, BATCH)?;
                for session in &sessions {
                    tx.endings().end(*session, EndedWhy::Admin, now)?;
                }
                Ok(u32::try_from(sessions.len()).unwrap_or(u32::MAX))
            })?;
            ended += batch;
            if batch < BATCH {
                return Ok(Some(ended));
            }
        }
    }

    /// Puts keys into use whose time has come. Chores do so once a minute.
    pub(super) fn promote_keys(&self) -> Result<(), Error> {
        if self.keyring.held().waiting().is_empty() {
            return Ok(());
        }
        let since = self.time().at.before(super::chores::LIVE);
        let nodes = self.store.read(|tx| tx.nodes().live(since))?;
        let read = |key: KeyId| {
            self.follower.held_at(key).is_some_and(|cursor| nodes.iter().all(|node| node.applied >= cursor))
        };
        self.lead(|tx, now| promote(tx, self.settings.key_lead, &read, now)).map(|_| ())
    }

    /// Throws keys away that nothing needs any more, by [`sweep_instant`](Self::sweep_instant): without its key no refresh token is
    /// good again. Chores do so once a minute.
    pub(super) fn retire_keys(&self) -> Result<(), Error> {
        let stale = |key: &StoredKey| matches!(key.state, KeyState::Kept | KeyState::Revoked);
        if !self.keys()?.iter().any(stale) {
            return Ok(());
        }
        let by = self.sweep_instant()?;
        self.lead(|tx, _| retire(tx, by)).map(|_| ())
    }

    /// Runs a step of the keys' life in one unit of work, with its audit lines and its change, and follows it at once.
    fn lead(
        &self,
        step: impl Fn(&mut dyn AuthTx, tillgate_domain::Instant) -> Stored<Vec<Lifecycle>>,
    ) -> Result<Vec<Lifecycle>, Error> {
        let template = self.event(Action::KeyAdd, Outcome::Done, Subject::Server, None)?;
        let ids = (0..8).map(|_| self.id(tillgate_domain::EventId::new)).collect::<Result<Vec<_>, Error>>()?;
        let happened = self.store.write(|tx| {
            let happened = step(tx, template.at)?;
            for (each, id) in happened.iter().zip(&ids) {
                let (action, key) = match each {
                    Lifecycle::Born(key) => (Action::KeyAdd, *key),
                    Lifecycle::Used(key) => (Action::KeyCurrent, *key),
                    Lifecycle::Gone(key) => (Action::KeyGone, *key),
                };
                let mut event = template.clone();
                (event.id, event.action, event.subject) = (*id, action, Subject::Key(key));
                tx.audit().tell(&event)?;
            }
            if !happened.is_empty() {
                tx.endings().touch(Scope::Keys, template.at)?;
            }
            Ok(happened)
        })?;
        if !happened.is_empty() {
            self.follow()?;
        }
        Ok(happened)
    }
}
