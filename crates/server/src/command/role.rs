//! `role`: manages roles, which are named sets of rights.

use std::collections::BTreeSet;

use clap::Subcommand;
use tillgate_domain::office::{NewRole, RoleChange};
use tillgate_domain::{Environment, FoldedText, KnownRight, Right, RoleId, RoleName};
use tillgate_http::native_bodies::RoleBody;

use super::argument_errors::ArgumentErrors;
use super::limit_args::LimitArgs;
use super::office::{CommandOffice, check_decided};
use super::{CommandError, Context, parse, print};
use crate::suggestions::find_nearest;

/// The subcommands of `role`.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// Add a role
    #[command(after_help = "Example:\n  tillgate role add night --right ticketClose --env CashRegister")]
    Add {
        /// Name of the role
        #[arg(value_parser = parse::role)]
        name: RoleName,
        /// Right that the role grants, such as ticketClose
        #[arg(long = "right", required_unless_present = "new_rights", value_parser = parse::right)]
        rights: Vec<Right>,
        /// Custom right, even if its name is similar to a known right
        #[arg(long = "new-right", value_name = "RIGHT", value_parser = parse::right)]
        new_rights: Vec<Right>,
        #[arg(long = "env", required = true, help = parse::ENVIRONMENT_HELP, ignore_case = true, value_parser = parse::environments())]
        environments: Vec<Environment>,
        /// Display name [default: the name]
        #[arg(long)]
        label: Option<String>,
        /// Description
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List roles
    #[command(after_help = "Example:\n  tillgate role list --search night")]
    List {
        /// Only roles with this text in their name, display name or description
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only built-in roles if true, only custom ones if false
        #[arg(long, value_name = "YES")]
        built_in: Option<bool>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// List the rights that roles and API keys can have, with the roles that grant each
    #[command(after_help = "Example:\n  tillgate role rights")]
    Rights,
    /// Change a custom role; users with the role have the new rights immediately
    #[command(after_help = "Example:\n  tillgate role set night --right ticketClose --right storno")]
    Set {
        /// Name of the role
        #[arg(value_parser = parse::role)]
        name: RoleName,
        /// New name
        #[arg(long, value_name = "NAME", value_parser = parse::role)]
        rename: Option<RoleName>,
        /// Right that the role grants, such as ticketClose; replaces all of its rights
        #[arg(long = "right", value_parser = parse::right)]
        rights: Vec<Right>,
        /// Custom right, even if its name is similar to a known right
        #[arg(long = "new-right", value_name = "RIGHT", value_parser = parse::right)]
        new_rights: Vec<Right>,
        #[arg(long = "env", help = parse::ENVIRONMENT_HELP, ignore_case = true, value_parser = parse::environments())]
        environments: Vec<Environment>,
        /// New display name
        #[arg(long)]
        label: Option<String>,
        /// New description
        #[arg(long)]
        description: Option<String>,
    },
    /// Delete a custom role that is not assigned to any user or device
    #[command(after_help = "Example:\n  tillgate role delete night")]
    Delete {
        /// Name of the role
        #[arg(value_parser = parse::role)]
        name: RoleName,
    },
}

impl RoleCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        match self {
            Self::Add { name, rights, new_rights, environments, label, description } => {
                ArgumentErrors::default().with_each(check_rights(rights)).report()?;
                let new = NewRole {
                    id: office.ids.new_id(RoleId::new)?,
                    name: name.clone(),
                    label: label.clone().unwrap_or_else(|| name.to_string()),
                    description: description.clone(),
                    rights: rights.iter().chain(new_rights).cloned().collect(),
                    environments: environments.iter().copied().collect(),
                };
                let role = check_decided(office.for_operator()?.add_role(&new))?;
                print::print_result(
                    context.json,
                    &format!("{}: added", role.name),
                    &RoleBody::from_view(&office.load_role_view(role)?),
                );
            }
            Self::Set { name, rename, rights, new_rights, environments, label, description } => {
                let mut granted = rights.iter().chain(new_rights).cloned().peekable();
                let change = RoleChange {
                    name: rename.clone(),
                    label: label.clone(),
                    description: description.clone(),
                    rights: granted.peek().is_some().then(|| granted.collect()),
                    environments: (!environments.is_empty()).then(|| environments.iter().copied().collect()),
                };
                if change == RoleChange::default() {
                    let flags = "--rename, --right, --env, --label or --description";
                    return Err(CommandError::usage(format!("nothing to change: use {flags}")));
                }
                let role = office.find_role(name);
                ArgumentErrors::default().with(&role).with_each(check_rights(rights)).report()?;
                let role = check_decided(office.for_operator()?.change_role(role?.id, None, &change))?;
                print::print_result(
                    context.json,
                    &format!("{}: set", role.name),
                    &RoleBody::from_view(&office.load_role_view(role)?),
                );
            }
            Self::Delete { name } => {
                let id = office.find_role(name)?.id;
                let role = check_decided(office.for_operator()?.delete_role(id, None))?;
                print::print_result(
                    context.json,
                    &format!("{}: deleted", role.name),
                    &RoleBody::from_view(&office.load_role_view(role)?),
                );
            }
            Self::Rights => print_rights(&office, context.json)?,
            Self::List { search, built_in, limit } => {
                let row = |role: &tillgate_domain::Role| {
                    let environments: Vec<&str> = role.environments.iter().map(|each| each.name()).collect();
                    vec![role.name.to_string(), environments.join(","), role.rights.to_scope()]
                };
                let mut roles = office.unguarded().list_roles().map_err(CommandError::failed)?;
                let text = FoldedText::of(search.as_deref().unwrap_or_default().trim());
                roles.retain(|role| {
                    let texts = [role.name.as_str(), &role.label, &role.description];
                    built_in.is_none_or(|built_in| role.built_in == built_in)
                        && FoldedText::join_search_text(texts).contains(text.as_str())
                });
                let views = office.unguarded().load_role_views(roles).map_err(CommandError::failed)?;
                limit.print_table(
                    context.json,
                    &["NAME", "ENVIRONMENTS", "RIGHTS"],
                    &views.iter().map(|view| (row(&view.role), RoleBody::from_view(view))).collect::<Vec<_>>(),
                );
            }
        }
        Ok(())
    }
}

/// Prints the known rights and those that roles grant, sorted by name.
fn print_rights(office: &CommandOffice, json: bool) -> Result<(), CommandError> {
    let roles = office.unguarded().list_roles().map_err(CommandError::failed)?;
    let granted = roles.iter().flat_map(|role| role.rights.iter());
    let rights: BTreeSet<Right> = KnownRight::ALL.iter().copied().map(Right::Known).chain(granted).collect();
    let row = |right: &Right| {
        let granting = roles.iter().filter(|role| role.rights.allows(right));
        let names: Vec<&str> = granting.map(|role| role.name.as_str()).collect();
        (vec![right.to_string(), names.join(",")], serde_json::json!({ "name": right.as_str(), "roles": names }))
    };
    print::print_table(json, &["RIGHT", "ROLES"], &rights.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

/// Checks the rights of a role. A custom right whose name is similar to a known one is probably a
/// typing error and would grant nothing, so it is an error unless it is given as a new right.
fn check_rights(rights: &[Right]) -> Vec<Result<(), CommandError>> {
    let check = |right: &Right| {
        let known = find_nearest(right.as_str(), KnownRight::ALL.iter().map(|known| known.as_str()));
        known.map_or(Ok(()), |known| {
            Err(CommandError::usage(format!(
                "there is no right \"{right}\"; did you mean \"{known}\"? For a custom right use --new-right {right}"
            )))
        })
    };
    rights.iter().filter(|right| matches!(right, Right::Custom(_))).map(check).collect()
}
