//! Adds parameters to a PostgreSQL address that limit waiting for an unreachable server. Parameters
//! in the address are kept.

use std::time::Duration;

/// The address with the missing parameters added.
pub(crate) fn with_defaults(address: &str, deadline: Duration) -> String {
    let (bare, query) = address.split_once('?').unwrap_or((address, ""));
    let mut completed = address.to_owned();
    let mut add = |name: &str, value: &str| {
        let named = query.split('&').any(|pair| pair.split('=').next() == Some(name));
        if !named {
            let sign = match completed.split_once('?') {
                None => "?",
                Some((_, "")) => "",
                Some(_) => "&",
            };
            completed.extend([sign, name, "=", value]);
        }
    };
    // In whole seconds, for each host; libpq requires at least 2.
    add("connect_timeout", &deadline.as_secs().max(2).to_string());
    // In milliseconds: how long sent data may stay unacknowledged by the other machine. It does not
    // detect a server process that is stopped while its machine still acknowledges; then the thread
    // waits, and the request's own deadline answers.
    add("tcp_user_timeout", &deadline.as_millis().saturating_mul(2).max(1000).to_string());
    add("keepalives_idle", "5");
    add("keepalives_interval", "2");
    add("keepalives_count", "3");
    add("application_name", "tillgate");
    if count_hosts(bare, query) > 1 {
        // Of several servers, the one that accepts writes; the others are its standbys.
        add("target_session_attrs", "read-write");
    }
    completed
}

fn count_hosts(bare: &str, query: &str) -> usize {
    let authority = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let in_front = authority.rsplit('@').next().unwrap_or_default().split(',').count();
    let named = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("host="))
        .map_or(1, |hosts| hosts.replace("%2C", ",").split(',').count());
    in_front.max(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_test_defaults(address: &str) -> String {
        with_defaults(address, Duration::from_secs(2))
    }

    #[test]
    fn timeouts_are_added() {
        assert_eq!(
            with_test_defaults("postgres://a/shop"),
            "postgres://a/shop?connect_timeout=2&tcp_user_timeout=4000&keepalives_idle=5&keepalives_interval=2&keepalives_count=3\
             &application_name=tillgate"
        );
    }

    #[test]
    fn parameters_in_the_address_are_kept() {
        let address = with_test_defaults("postgres://a/shop?connect_timeout=9&application_name=till");
        assert!(address.contains("connect_timeout=9&application_name=till&tcp_user_timeout"), "{address}");
        assert_eq!(address.matches("connect_timeout").count(), 1);
        assert_eq!(address.matches("application_name").count(), 1);
    }

    #[test]
    fn several_hosts_require_a_writable_server() {
        assert!(with_test_defaults("postgres://u:p@a,b/shop").contains("target_session_attrs=read-write"));
        assert!(with_test_defaults("postgres:///shop?host=a,b").contains("target_session_attrs=read-write"));
        assert!(!with_test_defaults("postgres://u:p,x@a/shop").contains("target_session_attrs"));
        assert!(!with_test_defaults("postgres://a,b/shop?target_session_attrs=any").contains("read-write"));
    }

    #[test]
    fn empty_query_is_extended() {
        assert!(with_test_defaults("postgres://a/shop?").starts_with("postgres://a/shop?connect_timeout=2&"));
    }
}
