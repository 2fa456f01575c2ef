//! Records that a caller was refused for a right or a rank that they lack, or for where they are logged in, and that somebody was
//! refused who is not logged in.

use std::hash::Hash;
use std::time::Duration;

use serde_json::json;
use tillgate_domain::{Action, Actor, Environment, Event, EventId, Outcome, Rank, Right, StoreExt, Subject};

use super::Auth;
use crate::caller::By;
use crate::refusals::{Guest, Refusals};
use crate::throttle::network;
use crate::{Caller, Error, Presented, Refusal, SessionKind};

/// What a caller lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// A right.
    Right(Right),
    /// A rank: they are below it.
    Rank(Rank),
    /// A rank above this one, which they would have given.
    Above(Rank),
    /// A device where goods are sold.
    SaleDevice,
    /// A session of a person: theirs is a device's own.
    Person,
}

/// What a caller has tried and may not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What they lack.
    pub lacking: Lacking,
    /// What they tried, as the way in tells it: `DELETE /api/v1/users/…`.
    pub call: String,
    /// To what; `None` where the call names nothing.
    pub subject: Option<Subject>,
}

/// The longest text of a call that is kept, in characters.
const LONGEST: usize = 200;

/// The longest client id that is kept, in characters: those that are drawn here have 32.
const LONGEST_CLIENT: usize = 40;

impl Auth {
    /// Writes into the audit that a caller was refused: the first ten times in a minute, and then once how often it came since
    /// ([`chore`](Self::chore)). It stands by itself, after the decision: whatever becomes of it, the refusal stands, and what could
    /// not be written is counted with those that come after the ten.
    pub fn note_refusal(&self, caller: &Caller, attempt: &Attempt) -> Result<(), Error> {
        let tenant = caller.profile.tenant.id;
        let subject = attempt.subject.unwrap_or(Subject::Tenant(tenant));
        let mut event = self.event(Action::RightMissing, Outcome::Refused, subject, Some(tenant))?;
        event.actor = caller.actor();
        let (word, lacking) = match &attempt.lacking {
            Lacking::Right(right) => ("right", json!(right)),
            Lacking::Rank(rank) => ("role", json!(rank.name())),
            Lacking::Above(rank) => ("above", json!(rank.name())),
            Lacking::SaleDevice => {
                ("environments", json!(Environment::ALL.into_iter().filter(|each| each.sells()).collect::<Vec<_>>()))
            }
            Lacking::Person => ("kind", json!(SessionKind::Person.name())),
        };
        event.details.insert(word.to_owned(), lacking);
        event.details.insert("call".to_owned(), json!(attempt.call.chars().take(LONGEST).collect::<String>()));
        event.details.insert("dialect".to_owned(), json!(caller.dialect.as_str()));
        if let By::ApiKey(key) = caller.by {
            event.details.insert("api_key".to_owned(), json!(key));
        }
        let who = (caller.principal, caller.device);
        if self.refusals.take(who, &event, self.clock.monotonic()) {
            let told = self.store.write(|tx| tx.audit().tell(&event));
            told.inspect_err(|_| self.refusals.missed(who, &event))?;
        }
        Ok(())
    }

    /// Writes into the audit that somebody was refused who is not logged in, as often as [`note_refusal`](Self::note_refusal)
    /// writes. What cannot be written is counted, and the refusal stands.
    pub(super) fn note_guest(&self, guest: Guest, event: &Event) {
        if self.guests.take(guest, event, self.clock.monotonic())
            && let Err(error) = self.store.write(|tx| tx.audit().tell(event))
        {
            self.guests.missed(guest, event);
            tracing::warn!(%error, "a refusal was not written into the audit; it is counted with those that come");
        }
    }

    /// The same of a program that is refused by its key.
    pub(super) fn note_program(&self, client: &str, refusal: &Refusal, presented: &Presented<'_>) -> Result<(), Error> {
        let opened = self.api_keys.find(client).map(|(opened, _)| opened);
        let key = opened.as_ref().map(|opened| &opened.key);
        let subject = key.map_or(Subject::Server, |key| Subject::ApiKey(key.id));
        let tenant = key.map(|key| key.tenant).or(presented.tenant);
        let mut event = self.event(Action::ApiKeyUse, Outcome::Refused, subject, tenant)?;
        event.actor = Actor {
            user: key.map(|key| key.user),
            device: key.map(|key| key.device),
            session: None,
            address: presented.address,
        };
        event.details.insert("why".to_owned(), json!(refusal.code()));
        event.details.insert("client".to_owned(), json!(client.chars().take(LONGEST_CLIENT).collect::<String>()));
        event.details.insert("dialect".to_owned(), json!(presented.dialect.as_str()));
        let guest = match key {
            Some(key) => Guest::ApiKey(key.id),
            None => Guest::Network(presented.address.map(network)),
        };
        self.note_guest(guest, &event);
        Ok(())
    }

    /// Writes one line for each who was refused more often than was told, `all` of them or those whose minute is over.
    pub(super) fn tell_refusals(&self, all: bool) -> Result<(), Error> {
        let now = (!all).then(|| self.clock.monotonic());
        self.tell_rest(&self.refusals, now)?;
        self.tell_rest(&self.guests, now)
    }

    fn tell_rest<W: Copy + Eq + Hash>(&self, refusals: &Refusals<W>, now: Option<Duration>) -> Result<(), Error> {
        for untold in refusals.due(now) {
            let mut event = untold.last.clone();
            event.id = self.id(EventId::new)?;
            event.at = self.time().at;
            event.details.insert("times".to_owned(), json!(untold.number));
            self.store.write(|tx| tx.audit().tell(&event))?;
            refusals.told(&untold);
        }
        Ok(())
    }
}
