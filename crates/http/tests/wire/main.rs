//! Requests and responses of all contracts, compared byte for byte if a contract defines the bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub
)]

mod access;
mod addresses;
mod api_keys;
mod audit_events;
mod audit_export;
mod audit_verifications;
mod bodies;
mod captured_log;
mod cursors;
mod devices;
mod dpop;
mod edge;
mod email_verification;
mod enrollments;
mod error_responses;
mod events;
mod every_route;
mod fiuu;
mod fiuu_midnight;
mod flood;
mod invitations;
mod kasir;
mod kasir_browser;
mod kasir_golden;
mod kasir_logs;
mod kasir_user_lists;
mod kasir_users;
mod krmpesan;
mod krmpesan_page;
mod lenient_paths;
mod list_export;
mod mounts;
mod native;
mod oauth;
mod oauth_tokens;
mod office;
mod office_browser;
mod office_errors;
mod office_pages;
mod office_sessions;
mod office_set_up;
mod office_tokens;
mod openapi;
mod operators;
mod overload;
mod page_sizes;
mod password_changes;
mod passwords;
mod pending_keys;
mod pins;
mod portos;
#[path = "../../../../tests/src/portos_client.rs"]
mod portos_client;
mod portos_office;
mod portos_signed;
mod portos_ticket_lists;
mod portos_tickets;
mod portos_tickets_rights;
mod posstar;
mod posstar_reset;
mod requests;
mod requirements;
mod revocations;
mod rights;
mod roles;
mod session_lists;
mod store_faults;
mod stores;
mod summary;
mod tenant_isolation;
mod tenants;
mod test_server;
mod test_users;
mod ticket_faults;
mod ticket_money;
mod ticket_sizes;
mod tickets;
mod unavailable;
mod users;
mod violations;
