//! Runs the contract on the in-memory store, the reference implementation.

use std::sync::Arc;

use tillgate_memory::MemoryStore;
use tillgate_testkit::StoreHarness;

fn open_harness() -> StoreHarness {
    let store = Arc::new(MemoryStore::new());
    let (observed, state_store, audit_store) = (store.clone(), store.clone(), store.clone());
    StoreHarness::new(store, move |observer| observed.add_observer(observer))
        .with_state_setter(move |state| state_store.set_instance_state(state))
        .with_audit_reader(move || audit_store.audit_events())
}

tillgate_testkit::contract!(open_harness);

mod with_a_clock_of_its_own {
    use std::sync::Arc;

    use tillgate_memory::MemoryStore;
    use tillgate_testkit::{ManualClock, StoreHarness};

    fn open_harness() -> StoreHarness {
        let store = Arc::new(MemoryStore::new());
        store.set_store_clock(Arc::new(ManualClock::default()));
        let (observed, state_store, audit_store) = (store.clone(), store.clone(), store.clone());
        StoreHarness::new(store, move |observer| observed.add_observer(observer))
            .with_state_setter(move |state| state_store.set_instance_state(state))
            .with_audit_reader(move || audit_store.audit_events())
    }

    tillgate_testkit::contract!(open_harness);
}
