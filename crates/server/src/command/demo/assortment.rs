//! What the stores of the full demo shop sell.

use super::staff::DemoStore;

/// An article.
#[derive(Clone, Copy, Debug)]
pub(super) struct DemoArticle {
    pub(super) name: &'static str,
    /// The price without VAT.
    pub(super) price: &'static str,
    /// The VAT rate in percent.
    pub(super) vat: &'static str,
}

/// The currency and the articles of a store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assortment {
    pub(super) currency: &'static str,
    pub(super) articles: &'static [DemoArticle],
}

const fn article(name: &'static str, price: &'static str, vat: &'static str) -> DemoArticle {
    DemoArticle { name, price, vat }
}

/// The assortment of the first store.
const BRATISLAVA: &[DemoArticle] = &[
    article("Espresso", "1.512605", "19"),
    article("Cappuccino", "2.100840", "19"),
    article("Poppy seed strudel", "2.773109", "19"),
    article("Bryndza dumplings", "7.478992", "19"),
    article("Garlic soup", "3.613445", "19"),
    article("Mineral water 0.5 l", "1.626016", "23"),
];

/// The assortment of the second store.
const JAKARTA: &[DemoArticle] = &[
    article("Kopi tubruk", "18000", "11"),
    article("Es teh manis", "10000", "11"),
    article("Nasi goreng", "35000", "11"),
    article("Gado-gado", "28000", "11"),
    article("Pisang goreng", "15000", "11"),
    article("Klepon", "12000", "11"),
];

impl DemoStore {
    /// What the store sells.
    pub(super) const fn assortment(self) -> Assortment {
        match self {
            Self::Bratislava => Assortment { currency: "EUR", articles: BRATISLAVA },
            Self::Jakarta => Assortment { currency: "IDR", articles: JAKARTA },
        }
    }
}
