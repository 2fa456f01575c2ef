//! `store`: the stores of a tenant, from the command line.

use clap::Subcommand;
use tillgate_domain::office::{self, OfficeView};
use tillgate_domain::{Branch, BranchId, Folded, Store as Units, Tenant};

use super::confirm::Confirmation;
use super::office::{Office, done};
use super::{Context, Stop, print, show};

/// What is done with stores.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Open a store
    Add {
        /// Its name
        name: String,
    },
    /// List stores
    List,
    /// Give a store another name
    Rename {
        /// Which, by its name or its id
        name: String,
        /// Its name from now on
        to: String,
    },
    /// Close a store for good, after asking; the last one stays
    Close {
        /// Which, by its name or its id
        name: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

impl Store {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let office = Office::open(context)?;
        let store: &dyn Units<OfficeView> = office.store();
        let stamp = || office.draw.stamp();
        match self {
            Self::List => {
                let row = |each: &Branch| (vec![each.name.clone(), each.id.to_string()], show::store(each));
                let rows: Vec<_> = office.tenant.branches.iter().map(row).collect();
                print::table(context.json, &["NAME", "ID"], &rows);
            }
            Self::Add { name } => {
                let new = Branch { id: office.draw.id(BranchId::new)?, name: name.clone() };
                let tenant = done(office::add_store(store, office.id(), &stamp()?, &new))?;
                tell(context, &tenant, new.id, "open");
            }
            Self::Rename { name, to } => {
                let id = found(&office.tenant, name)?.id;
                let tenant = done(office::rename_store(store, office.id(), &stamp()?, id, None, Some(to)))?;
                tell(context, &tenant, id, "renamed");
            }
            Self::Close { name, confirmation } => {
                let closed = found(&office.tenant, name)?;
                confirmation.ask(&format!("This closes the store \"{}\" for good", closed.name))?;
                done(office::close_store(store, office.id(), &stamp()?, closed.id, None))?;
                print::answer(context.json, &format!("{}: closed", closed.name), &show::store(closed));
            }
        }
        Ok(())
    }
}

fn tell(context: &Context, tenant: &Tenant, id: BranchId, what: &str) {
    if let Some(store) = tenant.branches.iter().find(|store| store.id == id) {
        print::answer(context.json, &format!("{}: {what}", store.name), &show::store(store));
    }
}

/// The store of this name or id.
fn found<'t>(tenant: &'t Tenant, sought: &str) -> Result<&'t Branch, Stop> {
    let by_id = tenant.branches.iter().find(|store| store.id.to_string() == sought);
    let by_name = || Folded::of(sought).find_among(&tenant.branches, |store| Folded::of(&store.name));
    by_id.or_else(by_name).ok_or_else(|| Stop::failed(format!("there is no store \"{sought}\"")))
}
