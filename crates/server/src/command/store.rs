//! `store`: manages the stores of a tenant.

use clap::Subcommand;
use tillgate_domain::{Branch, BranchId, FoldedText, Tenant};
use tillgate_http::native_bodies::StoreBody;

use super::confirmation::Confirmation;
use super::office::{CommandOffice, check_decided};
use super::{CommandError, Context, print};

/// The subcommands of `store`.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Add a store
    #[command(after_help = "Example:\n  tillgate store add Station")]
    Add {
        /// Name of the store
        name: String,
    },
    /// List stores
    #[command(after_help = "Example:\n  tillgate store list")]
    List,
    /// Rename a store
    #[command(after_help = "Example:\n  tillgate store rename Station Harbor")]
    Rename {
        /// Name or id of the store
        name: String,
        /// New name
        to: String,
    },
    /// Close a store permanently; asks for confirmation. The last store, and a store with devices,
    /// cannot be closed
    #[command(after_help = "Example:\n  tillgate store close Station")]
    Close {
        /// Name or id of the store
        name: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

impl StoreCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        match self {
            Self::List => {
                let stores = office.tenant.branches.iter();
                let rows: Vec<_> = stores
                    .map(|each| (vec![each.name.clone(), each.id.to_string()], StoreBody::from_branch(each)))
                    .collect();
                print::print_table(context.json, &["NAME", "ID"], &rows);
            }
            Self::Add { name } => {
                let new = Branch { id: office.ids.new_id(BranchId::new)?, name: name.clone() };
                let tenant = check_decided(office.for_operator()?.add_store(&new))?;
                print_store(context, &tenant, new.id, "added");
            }
            Self::Rename { name, to } => {
                let id = find_store(&office.tenant, name)?.id;
                let tenant = check_decided(office.for_operator()?.rename_store(id, None, Some(to)))?;
                print_store(context, &tenant, id, "renamed");
            }
            Self::Close { name, confirmation } => {
                let closed = find_store(&office.tenant, name)?;
                confirmation.ask(&format!("This permanently closes the store \"{}\"", closed.name))?;
                check_decided(office.for_operator()?.close_store(closed.id, None))?;
                print::print_answer(context.json, &format!("{}: closed", closed.name), &StoreBody::from_branch(closed));
            }
        }
        Ok(())
    }
}

fn print_store(context: &Context, tenant: &Tenant, id: BranchId, what: &str) {
    if let Some(store) = tenant.branches.iter().find(|store| store.id == id) {
        print::print_answer(context.json, &format!("{}: {what}", store.name), &StoreBody::from_branch(store));
    }
}

/// The id of the store with this name or id, if one is given.
pub(super) fn find_branch(office: &CommandOffice, store: Option<&str>) -> Result<Option<BranchId>, CommandError> {
    store.map(|store| Ok(find_store(&office.tenant, store)?.id)).transpose()
}

/// Finds a store by its name or id.
fn find_store<'t>(tenant: &'t Tenant, name_or_id: &str) -> Result<&'t Branch, CommandError> {
    let by_id = tenant.branches.iter().find(|store| store.id.to_string() == name_or_id);
    let by_name = || FoldedText::of(name_or_id).find_best_match(&tenant.branches, |store| FoldedText::of(&store.name));
    by_id.or_else(by_name).ok_or_else(|| CommandError::failed(format!("there is no store \"{name_or_id}\"")))
}
