//! The contract of a store: every promise of every port and of the unit of work, each a case with a name of its own.
//!
//! [`contract!`](crate::contract!) makes a `#[test]` of each case, on a fresh store each time; [`auth_contract!`](crate::auth_contract!)
//! leaves out the back office. The cases know nothing of how a store is made: they speak to its ports, and to what a
//! [`Bench`](crate::Bench) hands them.

pub mod api_keys;
pub mod attempts;
pub mod audit_lines;
pub mod credentials;
pub mod directory;
pub mod endings;
pub mod feed;
pub mod idempotency_keys;
pub mod instances;
pub mod keys;
pub mod meetings;
pub mod office_devices;
pub mod office_directory;
pub mod office_passwords;
pub mod office_roles;
pub mod places;
pub mod resets;
pub mod row_meetings;
pub mod seals;
pub mod sessions;
pub mod signatures;
pub mod tickets;
pub mod user_search;
pub mod work;

use tillgate_auth_core::ports::{Count, CountKey};

/// What failures and places are kept under, by number.
fn digest(number: u8) -> CountKey {
    CountKey([number; 32])
}

/// The count of what was never counted.
fn none_counted() -> Count {
    Count::default()
}

/// Runs the contract of authentication: a `#[test]` for each promise of the unit of work and of `auth-core`'s ports, in a module
/// for each port. Takes what makes a fresh [`Bench`](crate::Bench), or a [`Whole`](crate::Whole): `fn() -> Bench`.
///
/// ```
/// # use std::sync::Arc;
/// # use tillgate_auth_core::Memory;
/// fn memory() -> tillgate_testkit::Whole {
///     let store = Arc::new(Memory::new());
///     let observed = Arc::clone(&store);
///     tillgate_testkit::Whole::new(store, move |observer| observed.observe(observer))
/// }
///
/// tillgate_testkit::auth_contract!(memory);
/// ```
#[macro_export]
macro_rules! auth_contract {
    ($open:expr) => {
        $crate::cases!(
            $open,
            Bench,
            work,
            [
                an_error_rolls_everything_back,
                everything_is_committed_together,
                a_refusal_is_committed,
                a_panic_rolls_everything_back,
                a_unit_of_work_sees_its_own_writes,
                a_conflict_runs_the_closure_again,
                an_endless_conflict_is_unavailable,
                a_reader_cannot_write,
                a_reader_sees_one_state,
                what_is_committed_is_there_for_others,
                the_observer_is_told_before_the_answer,
                the_observer_is_told_after_the_commit,
                the_observer_is_not_told_of_what_was_rolled_back,
                a_unit_of_work_inside_another_is_nested,
                waiting_has_a_deadline,
                a_store_that_is_being_moved_takes_no_writes,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            sessions,
            [
                a_session_comes_back_as_it_was_added,
                an_unknown_session_is_absent,
                an_id_is_used_once,
                a_session_is_found_with_what_it_stands_on,
                what_a_session_has_not_counts_as_zero,
                a_rotation_moves_the_session_on,
                a_rotation_from_another_generation_is_lost,
                a_rotation_goes_to_any_generation,
                an_ended_session_is_not_rotated,
                a_use_is_noted,
                a_use_never_lowers_anything,
                a_session_may_be_used_twice_in_a_batch,
                a_use_of_no_session_is_passed_over,
                a_list_comes_in_parts_newest_first,
                a_filter_narrows_a_list,
                a_filter_tells_the_live_from_the_others,
                a_list_bears_names,
                a_live_session_names_two_keys,
                the_sessions_under_a_key_are_told,
                a_sweep_removes_what_was_over,
                a_sweep_has_a_limit,
                a_rotation_puts_the_sweep_off,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            endings,
            [
                an_end_is_kept_and_told,
                a_session_ends_once,
                what_stands_on_a_session_ends_with_it,
                a_raise_ends_all_of_its_scope,
                what_stands_on_a_raised_session_ends_with_it,
                a_raise_returns_the_new_epoch,
                a_raise_is_told_once,
                a_raise_of_nobody_is_none,
                what_is_severed_is_permanent_and_told,
                a_touch_is_told_and_ends_nothing,
                a_line_of_the_audit_is_kept,
                a_line_of_the_audit_is_never_changed,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            credentials,
            [
                a_credential_is_found_by_its_owner,
                another_secret_raises_the_version,
                a_claim_asks_the_version,
                a_new_hash_of_the_same_secret_raises_nothing,
                a_lost_claim_stores_nothing,
                another_secret_takes_the_place_of_one_version,
                a_lost_replacement_stores_nothing,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            directory,
            [
                a_tenant_is_found,
                a_user_is_found_by_id,
                a_user_is_found_by_name,
                a_user_is_found_by_email,
                the_claim_of_a_user_asks_the_status,
                the_claim_of_a_user_asks_the_epoch,
                a_device_is_found_by_id,
                a_device_is_found_by_name,
                the_claim_of_a_device_asks_the_status,
                the_claim_of_a_device_asks_the_epoch,
                a_seat_has_one_holder,
                a_pairing_has_one_holder,
                the_roles_of_a_tenant_are_told,
                a_zone_is_kept,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            attempts,
            [
                counts_come_in_the_order_of_the_keys,
                a_charge_is_opened,
                a_charge_from_other_counts_is_lost,
                a_failure_is_counted,
                a_success_forgets_the_failures,
                a_returned_charge_leaves_the_failures,
                charges_never_fall_below_zero,
                a_principal_is_forgiven,
                old_counts_are_swept,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            places,
            [a_success_is_remembered_by_place, the_last_success_counts, old_places_are_swept,]
        );
        $crate::cases!(
            $open,
            Bench,
            keys,
            [
                keys_come_back_oldest_first,
                a_kind_has_one_current_key,
                a_key_is_turned,
                a_turn_from_another_state_is_lost,
                a_turn_to_current_waits_for_room,
                a_lost_key_spoils_nothing,
                a_key_is_removed,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            signatures,
            [
                a_signature_is_seen_once,
                a_signature_that_was_rolled_back_is_new,
                old_signatures_are_swept,
                two_with_one_signature,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            feed,
            [
                changes_come_back_oldest_first,
                a_cursor_goes_on_from_its_look,
                a_cursor_leaves_the_old_behind,
                a_cursor_from_beyond_the_end_reads_everything,
                what_was_rolled_back_is_not_found,
                old_changes_are_swept,
                a_cursor_outlives_a_sweep,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            instances,
            [
                a_store_has_one_identity,
                the_newest_instant_is_told,
                an_instant_to_come_is_not_the_newest,
                a_process_is_live_while_it_is_seen,
                a_process_leaves,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            meetings,
            [
                a_password_change_waits_for_a_claimed_login,
                a_login_loses_to_a_password_change,
                a_replacement_waits_for_a_claimed_login,
                a_login_loses_to_a_replacement,
                two_replacements_of_one_secret,
                a_raise_waits_for_a_claimed_login,
                a_login_loses_to_a_raise,
                a_raise_waits_for_a_claimed_login_of_a_device,
                a_login_of_a_device_loses_to_a_raise,
                two_logins_meet_at_the_seat,
                two_generations_meet_at_the_pairing,
            ]
        );
        $crate::cases!(
            $open,
            Bench,
            row_meetings,
            [
                two_rotations_of_one_generation,
                two_first_current_keys,
                two_next_keys_become_current,
                a_rotation_loses_to_an_end,
                an_end_outlasts_a_rotation,
                two_ends_of_one_session,
                two_raises_give_two_epochs,
                two_first_charges,
                two_charges_after_a_failure,
                two_failures_are_both_counted,
                a_use_and_a_rotation_are_both_kept,
                a_late_commit_is_not_passed_over,
            ]
        );
    };
}

/// Runs the whole contract: that of authentication ([`auth_contract!`]), and a `#[test]` for each promise of the back office's ports.
/// Takes what makes a fresh [`Whole`](crate::Whole): `fn() -> Whole`.
#[macro_export]
macro_rules! contract {
    ($open:expr) => {
        $crate::auth_contract!($open);
        $crate::cases!(
            $open,
            Whole,
            office_directory,
            [
                both_views_find_the_same,
                a_deleted_user_has_no_name,
                a_slug_is_taken_once,
                the_claim_of_a_tenant_changes_nothing,
                a_tenant_is_written_at_its_version,
                a_tenant_is_written_with_its_stores,
                lists_come_in_parts,
                a_name_of_a_user_is_taken_once,
                an_update_of_a_user_stores_every_field,
                an_update_of_a_user_leaves_the_epoch,
                an_update_of_a_user_may_be_lost,
                a_deletion_frees_the_name,
                somebody_is_there,
                a_name_of_a_device_is_taken_once,
                an_update_of_a_device_stores_every_field,
                an_update_of_a_device_may_be_lost,
                a_name_of_a_role_is_taken_once,
                instants_are_kept_to_the_millisecond,
            ]
        );
        $crate::cases!(
            $open,
            Whole,
            office_devices,
            [
                a_filter_narrows_the_devices,
                a_retired_name_is_free,
                two_devices_of_one_retired_name,
                a_password_is_taken_away,
            ]
        );
        $crate::cases!(
            $open,
            Whole,
            office_roles,
            [
                a_role_is_found,
                an_update_of_a_role_stores_every_field,
                an_update_of_a_role_may_be_lost,
                a_role_is_removed,
                a_role_that_is_held_is_not_removed,
                who_holds_a_role_is_told,
                holders_of_roles_are_counted,
                a_device_leaves_every_list,
                a_role_that_is_given_is_held_or_gone,
                a_role_of_a_device_is_held_or_gone,
                two_updates_of_a_role,
            ]
        );
        $crate::cases!(
            $open,
            Whole,
            api_keys,
            [
                a_key_of_a_program_comes_back_as_it_was_added,
                a_client_id_is_taken_once,
                an_update_of_a_key_stores_every_field,
                an_update_of_a_key_may_be_lost,
                a_key_of_a_program_is_removed,
                keys_of_programs_come_in_parts,
                keys_of_programs_are_narrowed,
                two_updates_of_a_key,
                two_keys_of_one_client_id,
            ]
        );
        $crate::cases!(
            $open,
            Whole,
            tickets,
            [
                a_ticket_comes_back_as_it_was_written,
                an_id_of_a_ticket_is_taken_once,
                an_update_of_a_ticket_may_be_lost,
                the_refunds_of_a_ticket_are_told,
                numbers_of_a_device_have_no_gap,
                tickets_come_in_an_order_and_in_parts,
                a_filter_narrows_the_tickets,
                two_updates_of_a_ticket,
                two_tickets_of_one_id,
                two_refunds_of_a_ticket,
                two_numbers_at_once,
            ]
        );
        $crate::cases!(
            $open,
            Whole,
            idempotency_keys,
            [a_key_keeps_what_was_answered, a_key_is_a_persons, old_keys_are_swept, two_requests_with_one_key,]
        );
        $crate::cases!(
            $open,
            Whole,
            resets,
            [
                requests_come_when_they_are_due,
                a_request_is_put_off_once,
                a_reset_is_spent_once,
                resets_are_a_users,
                old_resets_are_removed,
                two_who_show_one_token,
            ]
        );
        $crate::cases!(
            $open,
            Whole,
            audit_lines,
            [
                a_line_is_read_as_it_was_told,
                lines_come_in_parts,
                a_filter_narrows_the_lines,
                a_text_is_found_in_lines,
                a_line_bears_the_names_of_now,
                a_line_is_read_once_it_is_told,
            ]
        );
        $crate::cases!(
            $open,
            Whole,
            seals,
            [
                lines_wait_to_be_sealed,
                a_line_is_sealed_as_it_was_told,
                a_line_is_sealed_once,
                a_seal_that_was_rolled_back_is_none,
                sealed_lines_come_in_parts,
                a_line_that_comes_late_is_sealed,
                two_sealers_seal_each_line_once,
                a_sealed_audit_verifies,
            ]
        );
        $crate::cases!(
            $open,
            Whole,
            user_search,
            [
                a_filter_narrows_the_users,
                users_come_in_an_order_and_in_parts,
                a_part_follows_on_the_one_before,
                a_user_who_is_found_is_whole,
                no_toggle_is_lost,
            ]
        );
        $crate::cases!(
            $open,
            Whole,
            office_passwords,
            [
                a_password_is_set,
                failed_logins_are_forgotten,
                a_reader_of_the_office_cannot_write,
                the_views_are_one_store,
                the_observer_is_told_of_the_office,
                two_claims_of_a_tenant,
                an_admin_is_left,
                a_claim_holds_until_its_end,
                two_updates_of_one_version,
                two_users_of_one_name,
                two_passwords_at_once,
                two_first_passwords,
                a_password_change_of_the_office_leaves_no_old_session,
            ]
        );
    };
}

/// Cases of one module, each a test.
#[doc(hidden)]
#[macro_export]
macro_rules! cases {
    ($open:expr, $subject:ident, $module:ident, [$($case:ident),* $(,)?]) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;

            $(
                #[test]
                fn $case() {
                    let subject: $crate::$subject = ($open)().into();
                    $crate::contract::$module::$case(&subject);
                }
            )*
        }
    };
}
