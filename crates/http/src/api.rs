//! What the server serves: the native API, the dialects, OAuth, the server's own routes and the
//! documentation of the native API.

pub(crate) mod dialects;
pub(crate) mod docs;
pub(crate) mod native;
pub(crate) mod oauth;
pub(crate) mod office;
pub(crate) mod operations;

#[cfg(test)]
mod tests {
    use crate::serving::dialect::Dialect;

    use super::dialects::DIALECTS;
    use super::native::Native;

    #[test]
    fn every_route_with_an_id_says_what_kind_of_thing_it_names() {
        let dialects = DIALECTS.iter().map(|entry| (entry.build)(entry.default_settings()).routes());
        let native = Native::new(Native::default_terms()).routes();
        for route in dialects.chain([native]).flatten().filter(|route| route.path.contains("{id}")) {
            // nothing is done to the audit log
            let is_audit = route.path.starts_with("/audit");
            assert_eq!(route.subject.is_none(), is_audit, "{route:?}");
        }
    }
}
