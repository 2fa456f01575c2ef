//! The rights that are known by name: those of published APIs, and those that the server itself
//! requires.

/// Generates the known rights and the list of them from one table.
macro_rules! known_rights {
    ($($variant:ident = $name:literal,)*) => {
        /// A right that is known by name. The server requires known rights only, so that their
        /// names cannot be misspelled.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is documented by its published name")]
        pub enum KnownRight {
            $($variant,)*
        }

        impl KnownRight {
            /// All known rights, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The published name, such as `ticketClose`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

known_rights! {
    Admin = "admin",
    ApiKeyCreate = "apiKeyCreate",
    ApiKeyDelete = "apiKeyDelete",
    ApiKeyUpdate = "apiKeyUpdate",
    ArticleCategoryCreate = "articleCategoryCreate",
    ArticleCategoryDelete = "articleCategoryDelete",
    ArticleCategoryUpdate = "articleCategoryUpdate",
    AuditRead = "auditRead",
    CompanyCreate = "companyCreate",
    CompanyDelete = "companyDelete",
    CompanyUpdate = "companyUpdate",
    CurrencyCreate = "currencyCreate",
    CurrencyDelete = "currencyDelete",
    CurrencyUpdate = "currencyUpdate",
    CustomerCreate = "customerCreate",
    CustomerDelete = "customerDelete",
    CustomerSetCredit = "customerSetCredit",
    CustomerSetDiscount = "customerSetDiscount",
    CustomerUpdate = "customerUpdate",
    DetailedIntervalSalesReport = "detailedIntervalSalesReport",
    DeviceCreate = "deviceCreate",
    DeviceDelete = "deviceDelete",
    DeviceEnroll = "deviceEnroll",
    DeviceUpdate = "deviceUpdate",
    DoDailySalesReport = "doDailySalesReport",
    DsrCloseManually = "dsrCloseManually",
    DsrCreate = "dsrCreate",
    DsrDelete = "dsrDelete",
    DsrUpdate = "dsrUpdate",
    FiscalCashTransfer = "fiscalCashTransfer",
    FiscalCreate = "fiscalCreate",
    FiscalDelete = "fiscalDelete",
    FiscalOpenDrawer = "fiscalOpenDrawer",
    FiscalPrintDailySalesReportCopy = "fiscalPrintDailySalesReportCopy",
    FiscalPrintRecordCopy = "fiscalPrintRecordCopy",
    FiscalUpdate = "fiscalUpdate",
    LicenseActivate = "licenseActivate",
    LicenseGet = "licenseGet",
    ModifierCreate = "modifierCreate",
    ModifierDelete = "modifierDelete",
    ModifierUpdate = "modifierUpdate",
    OrderDelete = "orderDelete",
    OrderEndpointCreate = "orderEndpointCreate",
    OrderEndpointDelete = "orderEndpointDelete",
    OrderEndpointUpdate = "orderEndpointUpdate",
    OrderProcess = "orderProcess",
    OrderUpdate = "orderUpdate",
    OverviewSalesReport = "overviewSalesReport",
    PinReset = "pinReset",
    PrintNonfiscalRecord = "printNonfiscalRecord",
    RoleCreate = "roleCreate",
    RoleDelete = "roleDelete",
    RoleUpdate = "roleUpdate",
    SessionDelete = "sessionDelete",
    SessionRead = "sessionRead",
    StoreCreate = "storeCreate",
    StoreDelete = "storeDelete",
    StoreUpdate = "storeUpdate",
    Storno = "storno",
    SummaryIntervalSalesReport = "summaryIntervalSalesReport",
    TenantCreate = "tenantCreate",
    TenantUpdate = "tenantUpdate",
    TicketClose = "ticketClose",
    TicketCreate = "ticketCreate",
    TicketDelete = "ticketDelete",
    TicketHandover = "ticketHandover",
    TicketRename = "ticketRename",
    TicketSetCustomer = "ticketSetCustomer",
    TicketSetDiscount = "ticketSetDiscount",
    TicketTakeover = "ticketTakeover",
    TicketUpdate = "ticketUpdate",
    TicketUpdateAny = "ticketUpdateAny",
    TokenIntrospect = "tokenIntrospect",
    UserCreate = "userCreate",
    UserDelete = "userDelete",
    UserRead = "userRead",
    UserUpdate = "userUpdate",
}

impl KnownRight {
    /// The rights each of which includes that a caller may see the API keys.
    pub const API_KEY_RIGHTS: &[Self] = &[Self::ApiKeyCreate, Self::ApiKeyUpdate, Self::ApiKeyDelete];

    /// Finds the known right with this name.
    pub fn named(name: &str) -> Option<Self> {
        let index = Self::ALL.binary_search_by(|known| known.as_str().cmp(name)).ok()?;
        Self::ALL.get(index).copied()
    }

    /// Whether the right is one of the back office: it is about the shop's users, roles, devices,
    /// stores, API keys, sessions or audit events, and not about sales. A name begins with what the
    /// right is about.
    pub fn is_of_office(self) -> bool {
        const ABOUT: [&str; 10] =
            ["admin", "apiKey", "audit", "device", "pin", "role", "session", "store", "tenant", "user"];
        ABOUT.iter().any(|about| self.as_str().starts_with(about))
    }

    /// Whether the right changes nothing: its holder can only read. A name ends with what its
    /// holder does; of the reports, the daily one closes the day.
    pub fn is_read_only(self) -> bool {
        const READS: [&str; 5] = ["Get", "Introspect", "Read", "IntervalSalesReport", "overviewSalesReport"];
        READS.iter().any(|reads| self.as_str().ends_with(reads))
    }

    /// The bit of the right in a set of known rights.
    pub(super) const fn bit(self) -> u128 {
        1 << self as u32
    }
}

// A set of known rights is one number of 128 bits.
const _: () = assert!(KnownRight::ALL.len() <= 128);
