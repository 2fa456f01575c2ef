//! Which arguments are completed with which names: decided by the type of the value, so that a new
//! argument of such a type is completed, too.

use std::any::TypeId;
use std::ffi::OsStr;
use std::sync::Arc;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use tillgate_domain::office::DeviceRoleAssignment;
use tillgate_domain::{DeviceName, KnownRight, Right, RoleName, Slug, UserName, Zone};

use super::names::{NameKind, NameSource};
use crate::command::parse::StoreZoneArg;

/// What the values of an argument are completed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Candidates {
    /// Names in the database or the configuration.
    Names(NameKind),
    /// `DEVICE=ROLE,ROLE`.
    DeviceRoles,
    /// The known rights.
    Rights,
    /// The time zones, and whether `none` is a value.
    Zones {
        /// Whether `none` is a value.
        none: bool,
    },
}

/// Adds the completers to the arguments of a command and its subcommands. `words` are the words of
/// the line that is completed.
pub(super) fn add_completers(command: Command, variables: &[(String, String)], words: &[String]) -> Command {
    let source = Arc::new(NameSource::new(variables, words));
    add_to_command(command, "", &source)
}

fn add_to_command(command: Command, path: &str, source: &Arc<NameSource>) -> Command {
    let add_to_arg = |arg: Arg| match find_candidates(path, &arg) {
        Some(candidates) => {
            let source = Arc::clone(source);
            let complete = move |typed: &OsStr| {
                typed.to_str().map(|typed| list_candidates(candidates, typed, &source)).unwrap_or_default()
            };
            arg.add(ArgValueCompleter::new(complete))
        }
        None => arg,
    };
    command.mut_args(add_to_arg).mut_subcommands(|each| {
        let path = format!("{path} {}", each.get_name());
        add_to_command(each, path.trim_start(), source)
    })
}

/// What an argument of the command `path` is completed with; nothing if its value is a new name.
pub(super) fn find_candidates(path: &str, arg: &Arg) -> Option<Candidates> {
    let id = arg.get_id().as_str();
    let is_new = id == "rename" || (path.ends_with(" add") && ["name", "slug", "label"].contains(&id));
    if is_new || !arg.get_action().takes_values() {
        return None;
    }
    let value_type = arg.get_value_parser().type_id();
    let is = |expected: TypeId| value_type == expected;
    let names = |kind| Some(Candidates::Names(kind));
    if is(TypeId::of::<UserName>()) {
        names(NameKind::User)
    } else if is(TypeId::of::<DeviceName>()) {
        names(NameKind::Device)
    } else if is(TypeId::of::<RoleName>()) {
        names(NameKind::Role)
    } else if is(TypeId::of::<Slug>()) {
        names(NameKind::Tenant)
    } else if is(TypeId::of::<DeviceRoleAssignment>()) {
        Some(Candidates::DeviceRoles)
    } else if is(TypeId::of::<Right>()) {
        (id != "new_rights").then_some(Candidates::Rights)
    } else if is(TypeId::of::<Zone>()) {
        Some(Candidates::Zones { none: false })
    } else if is(TypeId::of::<StoreZoneArg>()) {
        Some(Candidates::Zones { none: true })
    } else if (id == "store" && path != "tenant add") || (id == "name" && path.starts_with("store ")) {
        names(NameKind::Store)
    } else {
        // the audit log may have events of a name that does not exist, so its filters are texts
        match id {
            "user" => names(NameKind::User),
            "device" => names(NameKind::Device),
            "mount" => names(NameKind::Mount),
            _ => None,
        }
    }
}

fn list_candidates(candidates: Candidates, typed: &str, source: &NameSource) -> Vec<CompletionCandidate> {
    match candidates {
        Candidates::Names(kind) => filter_candidates(source.list_names(kind), typed),
        Candidates::DeviceRoles => list_device_roles(typed, source),
        Candidates::Rights => filter_candidates(KnownRight::ALL.iter().map(|right| right.as_str().to_owned()), typed),
        Candidates::Zones { none } => {
            let none = none.then(|| "none".to_owned());
            filter_candidates(none.into_iter().chain(Zone::list_names()), typed)
        }
    }
}

/// Completes first the device with its `=`, then each role after a comma.
fn list_device_roles(typed: &str, source: &NameSource) -> Vec<CompletionCandidate> {
    let Some((device, roles)) = typed.split_once('=') else {
        let devices = source.list_names(NameKind::Device);
        return filter_candidates(devices.into_iter().map(|device| format!("{device}=")), typed);
    };
    let before = roles.rsplit_once(',').map(|(before, _)| format!("{before},")).unwrap_or_default();
    let roles = source.list_names(NameKind::Role);
    filter_candidates(roles.into_iter().map(|role| format!("{device}={before}{role}")), typed)
}

/// The names that begin with the typed text. A text that a shell passes as it was typed may contain
/// backslashes before blanks. A name that begins like a flag would be one.
fn filter_candidates(names: impl IntoIterator<Item = String>, typed: &str) -> Vec<CompletionCandidate> {
    let unquoted = typed.replace('\\', "");
    names
        .into_iter()
        .filter(|name| !name.starts_with('-') && (name.starts_with(typed) || name.starts_with(&unquoted)))
        .map(CompletionCandidate::new)
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, ValueHint};

    use super::*;
    use crate::command::Cli;

    /// Every argument that takes a value, as `command argument`, with its candidates. Values with a
    /// fixed list and paths are left out.
    fn list_arguments() -> Vec<(String, Option<Candidates>)> {
        fn add(command: &Command, path: &str, found: &mut Vec<(String, Option<Candidates>)>) {
            for arg in command.get_arguments() {
                let has_list = arg.get_value_parser().possible_values().is_some();
                let is_path = arg.get_value_parser().type_id() == TypeId::of::<std::path::PathBuf>();
                let is_built_in = ["help", "version"].contains(&arg.get_id().as_str());
                assert!(is_path || arg.get_value_hint() == ValueHint::Unknown, "{path} {}", arg.get_id());
                if arg.get_action().takes_values() && !has_list && !is_path && !is_built_in {
                    found.push((format!("{path} {}", arg.get_id()), find_candidates(path, arg)));
                }
            }
            for each in command.get_subcommands() {
                add(each, format!("{path} {}", each.get_name()).trim_start(), found);
            }
        }
        let mut found = Vec::new();
        add(&Cli::command(), "", &mut found);
        found
    }

    #[test]
    fn arguments_with_names_are_completed() {
        let arguments = list_arguments();
        let find = |name: &str| {
            let found = arguments.iter().find(|(argument, _)| argument == name);
            found.unwrap_or_else(|| panic!("{name}: {arguments:?}")).1
        };
        for (argument, kind) in [
            (" tenant", NameKind::Tenant),
            ("user show name", NameKind::User),
            ("user roles roles", NameKind::Role),
            ("user roles off", NameKind::Device),
            ("device set roles", NameKind::Role),
            ("device set store", NameKind::Store),
            ("device list store", NameKind::Store),
            ("store close name", NameKind::Store),
            ("session end user", NameKind::User),
            ("session list mount", NameKind::Mount),
            ("token generate device", NameKind::Device),
            ("audit list user", NameKind::User),
            ("ticket list device", NameKind::Device),
            ("role delete name", NameKind::Role),
        ] {
            assert_eq!(find(argument), Some(Candidates::Names(kind)), "{argument}");
        }
        assert_eq!(find("user add on"), Some(Candidates::DeviceRoles));
        assert_eq!(find("role set rights"), Some(Candidates::Rights));
        assert_eq!(find("tenant set zone"), Some(Candidates::Zones { none: false }));
        assert_eq!(find("store zone zone"), Some(Candidates::Zones { none: true }));
        for argument in ["user add name", "user set rename", "device add name", "tenant add slug", "tenant add store"] {
            assert_eq!(find(argument), None, "{argument}");
        }
    }

    /// An argument that is not completed takes a new name, a text, a number, a time or an id.
    #[test]
    fn arguments_without_completion_are_known() {
        let arguments = list_arguments();
        let without: Vec<_> = arguments.iter().filter(|(_, found)| found.is_none()).map(|(name, _)| name).collect();
        let known = [
            "database",
            "display_name",
            "email",
            "locale",
            "search",
            "limit",
            "description",
            "settings",
            "lifetime",
            "rename",
            "new_rights",
            "label",
            "id",
            "expires_at",
            "when",
            "overlap_hours",
            "method",
            "path",
            "from",
            "until",
            "session",
            "subject",
            "number",
            "refund_of",
            "address",
            "to",
            "accent_color",
            "access",
            "idle",
            "absolute",
            "overlap",
            "listen",
            "proxies",
            "behind_proxy",
            "password",
            "alive",
            "network",
            "recipient",
            "code",
            "fingerprint",
        ];
        let unknown: Vec<_> = without
            .into_iter()
            .filter(|name| {
                let (path, id) = name.rsplit_once(' ').unwrap();
                let is_new = path.ends_with(" add") || path == "tenant set" || path == "store rename";
                let is_free = known.contains(&id) || (is_new && ["name", "slug", "store", "to"].contains(&id));
                !is_free
            })
            .collect();
        assert!(unknown.is_empty(), "neither completed nor known to be free: {unknown:?}");
    }
}
