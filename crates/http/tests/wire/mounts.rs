//! All contracts at their mounts.

use std::sync::Arc;

use tillgate_domain::Slug;
use tillgate_http::{
    BrowserSettings, Fiuu, Kasir, Krmpesan, Mount, Native, OAuth, OfficeApi, OfficePages, Portos, PosStar,
};

/// All contracts at their default prefixes.
pub fn mounts() -> Vec<Mount> {
    let default = || Slug::parse("default").unwrap();
    vec![
        native("/api/v1"),
        Mount::at_prefix("/oauth", Arc::new(OAuth::new())).unwrap(),
        portos("/portos").with_tenant(default()),
        kasir(BrowserSettings::default()).with_tenant(default()),
        fiuu("/fiuu").with_tenant(default()),
        posstar("/posstar"),
        krmpesan("/krmpesan").with_tenant(default()),
    ]
}

pub fn fiuu(prefix: &str) -> Mount {
    Mount::at_prefix(prefix, Arc::new(Fiuu::new(Fiuu::default_terms(), Fiuu::DEFAULT_REQUESTS_PER_MINUTE))).unwrap()
}

pub fn posstar(prefix: &str) -> Mount {
    Mount::at_prefix(prefix, Arc::new(PosStar::new(PosStar::default_terms(), PosStar::DEFAULT_REQUESTS_PER_MINUTE)))
        .unwrap()
}

pub fn krmpesan(prefix: &str) -> Mount {
    Mount::at_prefix(prefix, Arc::new(Krmpesan::new(Krmpesan::default_terms()))).unwrap()
}

pub fn kasir(web: BrowserSettings) -> Mount {
    Mount::at_prefix("/kasir", Arc::new(Kasir::new(Kasir::default_terms(), web, Kasir::DEFAULT_REQUESTS_PER_MINUTE)))
        .unwrap()
}

/// The two mounts of the back office in the browser, for the tenant `default`.
pub fn office() -> Vec<Mount> {
    let terms = OfficePages::default_terms;
    let mounts = [
        Mount::at_prefix("/office", Arc::new(OfficePages::new(terms()))),
        Mount::at_prefix("/office/api/v1", Arc::new(OfficeApi::new(terms()))),
    ];
    mounts.map(|mount| mount.unwrap().with_tenant(Slug::parse("default").unwrap())).into()
}

pub fn native(prefix: &str) -> Mount {
    Mount::at_prefix(prefix, Arc::new(Native::new(Native::default_terms()))).unwrap()
}

pub fn portos(prefix: &str) -> Mount {
    Mount::at_prefix(prefix, Arc::new(Portos::new(Portos::default_terms()))).unwrap()
}
