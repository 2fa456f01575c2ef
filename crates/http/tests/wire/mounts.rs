//! Every contract, where it is mounted.

use std::sync::Arc;

use tillgate_domain::Slug;
use tillgate_http::{Fiuu, Kasir, Krmpesan, Mount, Native, OAuth, Portos, PosStar, Web};

/// Every contract where it is by default.
pub fn mounts() -> Vec<Mount> {
    let default = || Slug::parse("default").unwrap();
    vec![
        native("/api/v1"),
        Mount::at("/oauth", Arc::new(OAuth::new())).unwrap(),
        portos("/portos").tenant(default()),
        kasir(Web::default()).tenant(default()),
        fiuu("/fiuu").tenant(default()),
        posstar("/posstar"),
        krmpesan("/krmpesan").tenant(default()),
    ]
}

pub fn fiuu(prefix: &str) -> Mount {
    Mount::at(prefix, Arc::new(Fiuu::new(Fiuu::terms(), Fiuu::PER_MINUTE))).unwrap()
}

pub fn posstar(prefix: &str) -> Mount {
    Mount::at(prefix, Arc::new(PosStar::new(PosStar::terms(), PosStar::PER_MINUTE))).unwrap()
}

pub fn krmpesan(prefix: &str) -> Mount {
    Mount::at(prefix, Arc::new(Krmpesan::new(Krmpesan::terms()))).unwrap()
}

pub fn kasir(web: Web) -> Mount {
    Mount::at("/kasir", Arc::new(Kasir::new(Kasir::terms(), web, Kasir::PER_MINUTE))).unwrap()
}

pub fn native(prefix: &str) -> Mount {
    Mount::at(prefix, Arc::new(Native::new(Native::terms()))).unwrap()
}

pub fn portos(prefix: &str) -> Mount {
    Mount::at(prefix, Arc::new(Portos::new(Portos::terms()))).unwrap()
}
