//! `init`: makes the database of a new installation, with the master key and the first keys.

use clap::Args;
use serde_json::json;

use super::{Context, Stop, print};
use crate::configuration::Settings;
use crate::draw::Draw;
use crate::sealing::Outside;
use crate::{compose, first_admin, logging, master};

/// The arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {}

impl Init {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let settings = context.settings(|_| ())?;
        let _log = logging::begin(&settings)?;
        let place = compose::place(&settings)?;
        if compose::has_database(&settings)? {
            return Err(Stop::failed(format!(
                "there is a database at {place} already: start it with {}",
                settings.command("serve")
            )));
        }
        refuse_leftovers(&settings, &place)?;
        let database = compose::create(&settings, &mut super::migrate::progress)?;
        let auth = compose::engine(&settings, &database)?;
        let outside = Outside::of(&settings);
        outside.begin(&database, Draw::default().now()).map_err(Stop::failed)?;
        auth.leave().map_err(Stop::failed)?;
        database.close().map_err(Stop::failed)?;
        let key = match master::place(&settings) {
            master::Place::File(path) => Some(path.display().to_string()),
            master::Place::Given => None,
        };
        let mut text = format!("made the database {place}");
        if let Some(key) = &key {
            text += "\nmade the master key ";
            text += key;
            text += ": keep a copy where the database's backups are not, nothing opens without it";
        }
        text += "\n";
        text += &first_admin::hint(&settings);
        print::answer(context.json, &text, &json!({ "database": place, "master_key": key }));
        Ok(())
    }
}

/// Refuses where files stand that belong to a database which is not here: its volume may not be mounted, and a new database
/// would answer every till with a 401.
fn refuse_leftovers(settings: &Settings, place: &str) -> Result<(), Stop> {
    let key = match master::place(settings) {
        master::Place::File(path) => Some(path),
        master::Place::Given => None,
    };
    let seal = Outside::of(settings).path().to_owned();
    let Some(left) = key.into_iter().chain([seal]).find(|path| path.exists()) else { return Ok(()) };
    Err(Stop::failed(format!(
        "{} belongs to a database, but there is none at {place}: mount its volume, or restore its backup. For a new installation \
         move the file away first",
        left.display()
    )))
}
