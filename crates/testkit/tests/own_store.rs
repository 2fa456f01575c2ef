//! A store of one's own, small enough to read: it keeps the places of logins in a table of its own and lends everything else from
//! the store in memory. `docs/own-store.md` quotes it, and the contract of authentication runs on it.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tillgate_auth_core::ports::{self, CountKey, Places};
use tillgate_auth_core::{AuthStore, AuthTx, AuthView, Memory};
use tillgate_domain::change::Observer;
use tillgate_domain::{Audit, Endings, Instant, Mode, Store, StoreError, Stored, Tx, Work};
use tillgate_testkit::{Bench, Roster};
use uuid::Uuid;

type Table = BTreeMap<(Uuid, CountKey), Instant>;

/// The store: what opens a transaction.
struct Shop {
    lent: Memory,
    places: Mutex<Table>,
}

/// An open transaction. Every port is implemented on it, or lent.
struct Transaction<'a, 't> {
    lent: &'a mut (dyn AuthTx + 't),
    mode: Mode,
    places: Table,
}

impl Store<AuthView> for Shop {
    fn run(&self, mode: Mode, work: Work<'_, AuthView>) -> Stored<()> {
        Store::<AuthView>::run(&self.lent, mode, &mut |lent| {
            let mut kept = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let mut transaction = Transaction { lent, mode, places: kept.clone() };
            work(&mut transaction)?; // an error leaves `kept` as it was, and a panic too
            *kept = transaction.places;
            Ok(())
        })
    }
}

impl AuthStore for Shop {
    fn observe(&self, observer: Arc<dyn Observer>) {
        self.lent.observe(observer);
    }
}

impl Places for Transaction<'_, '_> {
    fn find(&mut self, principal: Uuid, place: &CountKey) -> Stored<Option<Instant>> {
        Ok(self.places.get(&(principal, *place)).copied())
    }

    fn note(&mut self, principal: Uuid, place: &CountKey, at: Instant) -> Stored<()> {
        self.writing()?;
        self.places.insert((principal, *place), at);
        Ok(())
    }

    fn trim(&mut self, principal: Uuid, keep: u32) -> Stored<()> {
        self.writing()?;
        let own = self.places.iter().filter(|((of, _), _)| *of == principal);
        let mut own: Vec<_> = own.map(|(key, last)| (*last, *key)).collect();
        own.sort_unstable();
        let over = own.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
        for (_, key) in own.into_iter().take(over) {
            self.places.remove(&key);
        }
        Ok(())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        self.writing()?;
        let old = self.places.iter().filter(|(_, last)| **last < before).map(|(key, _)| *key);
        let old: Vec<_> = old.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        for key in &old {
            self.places.remove(key);
        }
        Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
    }
}

impl Transaction<'_, '_> {
    fn writing(&self) -> Stored<()> {
        match self.mode {
            Mode::Write => Ok(()),
            Mode::Read => Err(StoreError::Fault("a unit of work that reads has tried to write".to_owned())),
        }
    }
}

impl Tx for Transaction<'_, '_> {
    fn endings(&mut self) -> &mut dyn Endings {
        self.lent.endings()
    }
    fn audit(&mut self) -> &mut dyn Audit {
        self.lent.audit()
    }
}

macro_rules! lent {
    ($($accessor:ident: $port:ident),* $(,)?) => {
        $(fn $accessor(&mut self) -> &mut dyn ports::$port { self.lent.$accessor() })*
    };
}

impl AuthTx for Transaction<'_, '_> {
    fn places(&mut self) -> &mut dyn Places {
        self
    }
    lent! {
        sessions: Sessions, credentials: Credentials, tenants: Tenants, users: Users, devices: Devices, roles: Roles,
        attempts: Attempts, keys: Keys, feed: Feed, nodes: Nodes, instances: Instances,
        api_keys: ApiKeys, signatures: Signatures,
    }
}

mod contract {
    use super::*;

    /// Puts people and things where this store has them: your own tables, written in your own way.
    fn enroll(shop: &Shop, roster: &Roster) -> Stored<()> {
        tillgate_testkit::enroll(&shop.lent, roster)
    }

    fn open() -> Bench {
        let shop = Arc::new(Shop { lent: Memory::new(), places: Mutex::default() });
        let (observed, filled) = (Arc::clone(&shop), Arc::clone(&shop));
        Bench::new(shop, move |observer| observed.observe(observer), move |roster| enroll(&filled, roster))
    }

    tillgate_testkit::auth_contract!(open);
}

#[test]
fn the_page_quotes_this_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../docs/own-store.md")).unwrap();
    let code = fs::read_to_string(root.join("tests/own_store.rs")).unwrap();
    let plain = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let blocks: Vec<&str> =
        page.split("```rust\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block).collect();
    assert!(blocks.len() >= 3, "{} blocks", blocks.len());
    for block in blocks {
        assert!(plain(&code).contains(&plain(block)), "the page's code is not that of tests/own_store.rs:\n{block}");
    }
}
