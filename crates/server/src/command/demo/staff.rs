//! The tills and people of the full demo shop, besides the accounts of the examples: two stores,
//! one in Bratislava and one in Jakarta.

use tillgate_domain::{Environment, KnownRight};

/// A store of the demo shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DemoStore {
    /// The first store, in which the devices of the examples are.
    Bratislava,
    /// The second store.
    Jakarta,
}

impl DemoStore {
    /// The name of the store.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bratislava => "Bratislava",
            Self::Jakarta => "Jakarta",
        }
    }
}

/// The time zone of the second store, which is not that of the shop.
pub(super) const JAKARTA_ZONE: &str = "Asia/Jakarta";

/// A till or handheld of the full shop. It has no password: people log in on it.
#[derive(Debug)]
pub(super) struct Till {
    /// The number in its id.
    pub(super) number: u8,
    /// The name under which people log in on it.
    pub(super) name: &'static str,
    pub(super) environment: Environment,
    pub(super) store: DemoStore,
    /// Its location.
    pub(super) description: &'static str,
}

/// A person of the full shop.
#[derive(Debug)]
pub(super) struct Person {
    /// The number in the person's id.
    pub(super) number: u8,
    /// The user name, which is also the name before `@example.com`.
    pub(super) name: &'static str,
    pub(super) display_name: &'static str,
    pub(super) locale: &'static str,
    /// The role without a device.
    pub(super) office_role: Option<&'static str>,
    /// The devices, each with the role there.
    pub(super) devices: &'static [(&'static str, &'static str)],
}

/// A role of the full shop, besides the built-in ones. It applies on sale devices.
#[derive(Debug)]
pub(super) struct DemoRole {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) description: &'static str,
    pub(super) rights: &'static [KnownRight],
}

/// The role of the most experienced cashier of a shift.
pub(super) const SUPERVISOR: DemoRole = DemoRole {
    name: "supervisor",
    label: "Shift supervisor",
    description: "Works on a till, gives discounts and refunds, and cancels items",
    rights: &[
        KnownRight::TicketCreate,
        KnownRight::TicketUpdate,
        KnownRight::TicketUpdateAny,
        KnownRight::TicketSetCustomer,
        KnownRight::TicketSetDiscount,
        KnownRight::TicketClose,
        KnownRight::TicketDelete,
        KnownRight::Storno,
        KnownRight::FiscalOpenDrawer,
    ],
};

const fn till(
    number: u8,
    name: &'static str,
    environment: Environment,
    store: DemoStore,
    description: &'static str,
) -> Till {
    Till { number, name, environment, store, description }
}

/// The tills of the full shop, besides those of the examples.
pub(super) const TILLS: &[Till] = &[
    till(8, "P03", Environment::CashRegister, DemoStore::Bratislava, "Counter by the entrance"),
    till(9, "P04", Environment::CashRegister, DemoStore::Bratislava, "Counter by the window"),
    till(10, "P05", Environment::CashRegister, DemoStore::Bratislava, "Bar on the first floor"),
    till(11, "P06", Environment::CashRegister, DemoStore::Bratislava, "Counter in the garden"),
    till(12, "P07", Environment::CashRegister, DemoStore::Jakarta, "Main counter"),
    till(13, "P08", Environment::CashRegister, DemoStore::Jakarta, "Counter for takeaway"),
    till(14, "P09", Environment::CashRegister, DemoStore::Jakarta, "Pastry counter"),
    till(15, "P10", Environment::CashRegister, DemoStore::Jakarta, "Bar on the terrace"),
    till(16, "P11", Environment::CashRegister, DemoStore::Jakarta, "Drive-in window"),
    till(17, "P12", Environment::Pda, DemoStore::Jakarta, "Handheld on the terrace"),
];

const fn person(
    number: u8,
    name: &'static str,
    display_name: &'static str,
    locale: &'static str,
    office_role: Option<&'static str>,
    devices: &'static [(&'static str, &'static str)],
) -> Person {
    Person { number, name, display_name, locale, office_role, devices }
}

/// The people of the full shop, besides the users of the examples.
pub(super) const PEOPLE: &[Person] = &[
    person(
        18,
        "zuzana.kovacova",
        "Zuzana Kováčová",
        "sk",
        Some("manager"),
        &[("P03", "manager"), ("P04", "manager"), ("P05", "manager"), ("PDA1", "manager"), ("OFFICE", "manager")],
    ),
    person(19, "martin.horvath", "Martin Horváth", "sk", None, &[("P02", "cashier"), ("P03", "cashier")]),
    person(20, "katarina.novakova", "Katarína Nováková", "sk", None, &[("P01", "cashier"), ("P05", "supervisor")]),
    person(21, "peter.varga", "Peter Varga", "sk", None, &[("P01", "cashier"), ("P04", "cashier"), ("P06", "cashier")]),
    person(
        22,
        "lucia.tothova",
        "Lucia Tóthová",
        "sk",
        None,
        &[("P03", "supervisor"), ("P04", "cashier"), ("PDA1", "cashier")],
    ),
    person(23, "tomas.balaz", "Tomáš Baláž", "sk", None, &[("P05", "cashier"), ("P06", "cashier")]),
    person(
        24,
        "siti.rahmawati",
        "Siti Rahmawati",
        "id",
        Some("manager"),
        &[("P07", "manager"), ("P08", "manager"), ("P09", "manager"), ("P12", "manager")],
    ),
    person(25, "budi.santoso", "Budi Santoso", "id", None, &[("P07", "cashier"), ("P08", "supervisor")]),
    person(26, "dewi.lestari", "Dewi Lestari", "id", None, &[("P08", "cashier"), ("P10", "cashier")]),
    person(27, "agus.wijaya", "Agus Wijaya", "id", None, &[("P11", "cashier"), ("P12", "supervisor")]),
    person(28, "rina.kusumawati", "Rina Kusumawati", "id", None, &[("P09", "cashier"), ("P10", "cashier")]),
    person(29, "made.suardana", "I Made Suardana", "id", None, &[("P11", "cashier"), ("P12", "cashier")]),
];
