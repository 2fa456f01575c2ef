//! `role`: named sets of rights, from the command line.

use clap::Subcommand;
use tillgate_domain::office::{self, NewRole, RoleChange};
use tillgate_domain::{Environment, KnownRight, Right, RoleId, RoleName};

use super::office::{Office, done};
use super::{Context, Stop, pairs, print, show};
use crate::near::{is_it, nearest};

/// What is done with roles.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Add a role
    Add {
        /// Its name
        #[arg(value_parser = pairs::role)]
        name: RoleName,
        /// A right, such as ticketClose
        #[arg(long = "right", required_unless_present = "new_rights", value_parser = pairs::right)]
        rights: Vec<Right>,
        /// A right of your own, whatever known right its name is like
        #[arg(long = "new-right", value_name = "RIGHT", value_parser = pairs::right)]
        new_rights: Vec<Right>,
        #[arg(long = "env", required = true, help = pairs::ENVIRONMENT, ignore_case = true, value_parser = pairs::environments())]
        environments: Vec<Environment>,
        /// The name that people read; without it, the name
        #[arg(long)]
        label: Option<String>,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List roles
    List,
    /// Change a role of one's own; whoever holds it has the changed rights at once
    Set {
        /// Which
        #[arg(value_parser = pairs::role)]
        name: RoleName,
        /// Its name from now on
        #[arg(long, value_name = "NAME", value_parser = pairs::role)]
        rename: Option<RoleName>,
        /// A right, such as ticketClose, in the place of those it allows
        #[arg(long = "right", value_parser = pairs::right)]
        rights: Vec<Right>,
        /// A right of your own, whatever known right its name is like
        #[arg(long = "new-right", value_name = "RIGHT", value_parser = pairs::right)]
        new_rights: Vec<Right>,
        #[arg(long = "env", help = pairs::ENVIRONMENT, ignore_case = true, value_parser = pairs::environments())]
        environments: Vec<Environment>,
        /// The name that people read
        #[arg(long)]
        label: Option<String>,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
    },
    /// Delete a role of one's own that nobody holds
    Delete {
        /// Which
        #[arg(value_parser = pairs::role)]
        name: RoleName,
    },
}

impl Role {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let office = Office::open(context)?;
        match self {
            Self::Add { name, rights, new_rights, environments, label, description } => {
                let rights = checked(rights, new_rights)?;
                let new = NewRole {
                    id: office.draw.id(RoleId::new)?,
                    name: name.clone(),
                    label: label.clone().unwrap_or_else(|| name.to_string()),
                    description: description.clone(),
                    rights: rights.into_iter().collect(),
                    environments: environments.iter().copied().collect(),
                };
                let role = done(office::add_role(office.store(), office.id(), &office.draw.stamp()?, &new))?;
                print::answer(context.json, &format!("{}: added", role.name), &show::role(&role));
            }
            Self::Set { name, rename, rights, new_rights, environments, label, description } => {
                let rights = checked(rights, new_rights)?;
                let change = RoleChange {
                    name: rename.clone(),
                    label: label.clone(),
                    description: description.clone(),
                    rights: (!rights.is_empty()).then(|| rights.into_iter().collect()),
                    environments: (!environments.is_empty()).then(|| environments.iter().copied().collect()),
                };
                if change == RoleChange::default() {
                    let flags = "--rename, --right, --env, --label or --description";
                    return Err(Stop::usage(format!("say what is to change: {flags}")));
                }
                let (id, stamp) = (named(&office, name)?.id, office.draw.stamp()?);
                let role = done(office::change_role(office.store(), office.id(), &stamp, id, None, &change))?;
                print::answer(context.json, &format!("{}: set", role.name), &show::role(&role));
            }
            Self::Delete { name } => {
                let (id, stamp) = (named(&office, name)?.id, office.draw.stamp()?);
                let role = done(office::delete_role(office.store(), office.id(), &stamp, id, None))?;
                print::answer(context.json, &format!("{}: deleted", role.name), &show::role(&role));
            }
            Self::List => {
                let row = |role: &tillgate_domain::Role| {
                    let places: Vec<&str> = role.environments.iter().map(|each| each.name()).collect();
                    (vec![role.name.to_string(), places.join(","), role.rights.scope()], show::role(role))
                };
                let roles = office::list_roles(office.store(), office.id()).map_err(Stop::failed)?;
                print::table(
                    context.json,
                    &["NAME", "ENVIRONMENTS", "RIGHTS"],
                    &roles.iter().map(row).collect::<Vec<_>>(),
                );
            }
        }
        Ok(())
    }
}

/// The rights of a role. One that is not known but nearly one that is may be a slip, and would then allow nothing.
fn checked(rights: &[Right], new_rights: &[Right]) -> Result<Vec<Right>, Stop> {
    for right in rights.iter().filter(|right| matches!(right, Right::Custom(_))) {
        if let Some(known) = nearest(right.as_str(), KnownRight::ALL.iter().map(|known| known.as_str())) {
            return Err(Stop::usage(format!(
                "there is no right \"{right}\" so far; is it \"{known}\"? For one of your own say --new-right {right}"
            )));
        }
    }
    Ok(rights.iter().chain(new_rights).cloned().collect())
}

/// The role of this name.
fn named(office: &Office, name: &RoleName) -> Result<tillgate_domain::Role, Stop> {
    let found = office::role_named(office.store(), office.id(), name).map_err(Stop::failed)?;
    if let Some(role) = found {
        return Ok(role);
    }
    let roles = office::list_roles(office.store(), office.id()).map_err(Stop::failed)?;
    let names = roles.iter().map(|role| role.name.as_str());
    Err(Stop::failed(format!("there is no role \"{name}\"{}", is_it(name.as_str(), names))))
}
