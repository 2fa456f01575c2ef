//! The contract on the store in memory, the reference.

use std::sync::Arc;

use tillgate_auth_core::Memory;
use tillgate_testkit::Whole;

fn memory() -> Whole {
    let store = Arc::new(Memory::new());
    let (observed, turned, told) = (store.clone(), store.clone(), store.clone());
    Whole::new(store, move |observer| observed.observe(observer))
        .turned_by(move |state| turned.turn(state))
        .told_by(move || told.audit())
}

tillgate_testkit::contract!(memory);

mod with_a_clock_of_its_own {
    use std::sync::Arc;

    use tillgate_auth_core::Memory;
    use tillgate_testkit::{ManualClock, Whole};

    fn memory() -> Whole {
        let store = Arc::new(Memory::new());
        store.keep_time(Arc::new(ManualClock::default()));
        let (observed, turned, told) = (store.clone(), store.clone(), store.clone());
        Whole::new(store, move |observer| observed.observe(observer))
            .turned_by(move |state| turned.turn(state))
            .told_by(move || told.audit())
    }

    tillgate_testkit::contract!(memory);
}
