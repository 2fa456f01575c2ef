//! `store`: manages the stores of a tenant.

use clap::Subcommand;
use tillgate_domain::office::StoreChange;
use tillgate_domain::{Branch, BranchId, FoldedText, Tenant, Zone};
use tillgate_http::native_bodies::StoreBody;

use super::confirmation::ConfirmationArgs;
use super::limit_args::LimitArgs;
use super::office::{CommandOffice, check_decided};
use super::parse::{self, StoreZoneArg};
use super::{CommandError, Context, print};
use crate::suggestions::did_you_mean_or_list;

/// The subcommands of `store`.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Add a store
    #[command(after_help = "Example:\n  tillgate store add Station")]
    Add {
        /// Name of the store
        name: String,
        /// Time zone in which the store's times are shown [default: that of the tenant]
        #[arg(long, value_parser = parse::zone)]
        zone: Option<Zone>,
    },
    /// List stores
    #[command(after_help = "Example:\n  tillgate store list")]
    List {
        /// Only stores with this text in their name
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Rename a store
    #[command(after_help = "Example:\n  tillgate store rename Station Harbor")]
    Rename {
        /// Name or id of the store
        name: String,
        /// New name
        to: String,
    },
    /// Set the time zone of a store
    #[command(after_help = "Example:\n  tillgate store zone Station Asia/Jakarta")]
    Zone {
        /// Name or id of the store
        name: String,
        /// Time zone in which the store's times are shown; none: that of the tenant
        #[arg(value_parser = parse::store_zone)]
        zone: StoreZoneArg,
    },
    /// Close a store permanently; asks for confirmation. The last store, and a store with devices,
    /// cannot be closed
    #[command(after_help = "Example:\n  tillgate store close Station")]
    Close {
        /// Name or id of the store
        name: String,
        #[command(flatten)]
        confirmation: ConfirmationArgs,
    },
}

impl StoreCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        match self {
            Self::List { search, limit } => {
                let text = FoldedText::of(search.as_deref().unwrap_or_default().trim());
                let matches = |each: &&Branch| FoldedText::of(&each.name).as_str().contains(text.as_str());
                let stores = office.tenant.branches.iter().filter(matches);
                let rows: Vec<_> = stores
                    .map(|each| {
                        let zone = each.zone.as_ref().map_or("", Zone::name).to_owned();
                        (vec![each.name.clone(), zone, each.id.to_string()], StoreBody::from_branch(each))
                    })
                    .collect();
                limit.print_table(context.json, &["NAME", "ZONE", "ID"], &rows);
            }
            Self::Add { name, zone } => {
                let new = Branch { id: office.ids.new_id(BranchId::new)?, name: name.clone(), zone: zone.clone() };
                let tenant = check_decided(office.for_operator()?.add_store(&new))?;
                print_store(context, &tenant, new.id, "added");
            }
            Self::Rename { name, to } => {
                let id = find_store(&office.tenant, name)?.id;
                let change = StoreChange { name: Some(to.clone()), ..StoreChange::default() };
                let tenant = check_decided(office.for_operator()?.change_store(id, None, &change))?;
                print_store(context, &tenant, id, "renamed");
            }
            Self::Zone { name, zone } => {
                let id = find_store(&office.tenant, name)?.id;
                let change = StoreChange { zone: Some(zone.0.clone()), ..StoreChange::default() };
                let tenant = check_decided(office.for_operator()?.change_store(id, None, &change))?;
                print_store(context, &tenant, id, "changed");
            }
            Self::Close { name, confirmation } => {
                let closed = find_store(&office.tenant, name)?;
                confirmation.ask(&format!("This permanently closes the store \"{}\"", closed.name))?;
                check_decided(office.for_operator()?.close_store(closed.id, None))?;
                print::print_result(context.json, &format!("{}: closed", closed.name), &StoreBody::from_branch(closed));
            }
        }
        Ok(())
    }
}

fn print_store(context: &Context, tenant: &Tenant, id: BranchId, what: &str) {
    if let Some(store) = tenant.branches.iter().find(|store| store.id == id) {
        print::print_result(context.json, &format!("{}: {what}", store.name), &StoreBody::from_branch(store));
    }
}

/// The id of the store with this name or id, if one is given.
pub(super) fn find_branch(office: &CommandOffice, store: Option<&str>) -> Result<Option<BranchId>, CommandError> {
    store.map(|store| Ok(find_store(&office.tenant, store)?.id)).transpose()
}

/// Finds a store by its name or id. The error suggests a similar name, or the list.
fn find_store<'t>(tenant: &'t Tenant, name_or_id: &str) -> Result<&'t Branch, CommandError> {
    let by_id = tenant.branches.iter().find(|store| store.id.to_string() == name_or_id);
    let by_name = || FoldedText::of(name_or_id).find_best_match(&tenant.branches, |store| FoldedText::of(&store.name));
    by_id.or_else(by_name).ok_or_else(|| {
        let near = did_you_mean_or_list(name_or_id, tenant.branches.iter().map(|store| store.name.as_str()), "store");
        CommandError::failed(format!("there is no store \"{name_or_id}\"{near}"))
    })
}
