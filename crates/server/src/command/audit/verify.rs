//! `audit verify`: seals what has no seal yet, goes along the whole chain, and names the first line that is not as it was sealed.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tillgate_domain::Instant;
use tillgate_domain::audit::seal::SealedLine;
use tillgate_domain::office::{self, Fault, Verified};
use uuid::Uuid;

use super::super::show::instant;
use super::super::{Context, Stop, print};
use crate::compose;
use crate::draw::Draw;
use crate::sealing::{Noted, Outside, hex, instance};

/// What is said to whoever verifies.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A file with a seal that was kept elsewhere, instead of the newest one outside the database
    #[arg(long, value_name = "FILE")]
    seal: Option<PathBuf>,
}

/// The pause between two batches that are sealed.
const PAUSE: Duration = Duration::from_millis(5);

/// How many lines go between two words on how far it is.
const EVERY: i64 = 100_000;

impl Verify {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let settings = context.settings(|_| ())?;
        let database = compose::open_existing(&settings)?;
        let auth = compose::engine_beside(&settings, &database)?;
        let instance = instance(&database).map_err(Stop::failed)?;
        // read first: what is sealed meanwhile is then no line that the chain lacks
        let outside = match &self.seal {
            Some(path) => Outside::at(path),
            None => Outside::of(&settings),
        };
        if self.seal.is_none() {
            outside.begin(&database, Draw::default().now()).map_err(Stop::failed)?;
        }
        let noted = outside.read().map_err(Stop::failed)?;
        if self.seal.is_some() && noted.is_none() {
            return Err(Stop::failed(format!("there is no seal at {}", outside.path().display())));
        }
        if noted.as_ref().is_some_and(|noted| noted.instance != instance) {
            return Err(Stop::failed(outside.foreign()));
        }
        seal(&database, &auth);
        let mut told = 0;
        let verified =
            office::verify_audit(&*database, auth.signet(), noted.as_ref().map(|noted| &noted.seal), &mut |number| {
                if number - told >= EVERY {
                    told = number;
                    print::note(&format!("{number} lines so far are as they were sealed"));
                }
            });
        let verified = verified.map_err(Stop::failed)?;
        tell(context.json, instance, &verified, noted.as_ref(), &outside)
    }
}

/// Seals what has no seal. Where that cannot be, the chain itself shows why.
fn seal(database: &tillgate_persistence::Database, auth: &tillgate_auth_core::Auth) {
    loop {
        match office::seal_audit(database, auth.signet()) {
            // a server beside this gets its turn at the database
            Ok(sealed) if sealed.more => std::thread::sleep(PAUSE),
            Ok(_) => return,
            Err(error) => return print::note(&format!("lines that have no seal yet cannot be sealed: {error}")),
        }
    }
}

fn tell(json: bool, instance: Uuid, verified: &Verified, noted: Option<&Noted>, outside: &Outside) -> Result<(), Stop> {
    let lines = verified.last.sequence;
    let newest = Noted { instance, seal: verified.last.clone(), at: Draw::default().now() };
    // without a seal outside nobody can tell that the end is there
    let unwitnessed = noted.is_none() && lines > 0 && verified.fault.is_none();
    let document = json!({
        "whole": verified.fault.is_none() && !unwitnessed,
        "lines": lines,
        "seal": newest.document(),
        "outside": noted.map(Noted::document),
        "fault": match &verified.fault {
            Some(fault) => document(fault),
            None if unwitnessed => json!({ "code": "seal_missing", "wrong": outside.missing() }),
            None => Value::Null,
        },
    });
    match &verified.fault {
        None if unwitnessed => {
            if json {
                print::out(&document.to_string());
            }
            Err(Stop::failed(format!("{lines} lines are each as they were sealed, but {}", outside.missing())))
        }
        None => {
            let kept = noted.map_or_else(String::new, |noted| {
                format!("; the seal outside the database, of line {}, is in it", noted.seal.sequence)
            });
            let line = format!("{lines} lines, each as it was sealed{kept}. Newest seal: {}", hex(&newest.seal.hash));
            print::answer(json, &line, &document);
            Ok(())
        }
        Some(fault) => {
            if json {
                print::out(&document.to_string());
            }
            Err(Stop::failed(format!(
                "{}. {lines} lines before it are as they were sealed{}",
                words(fault),
                more(fault, noted, outside)
            )))
        }
    }
}

fn words(fault: &Fault) -> String {
    match &fault.line {
        Some(line) => format!(
            "line {}, id {}, of {}: {}",
            line.sequence,
            id(line),
            instant(Instant::from_millis(line.line.at)),
            fault.wrong
        ),
        None => format!("no line is sealed, and {}", fault.wrong),
    }
}

/// What else to think of.
fn more(fault: &Fault, noted: Option<&Noted>, outside: &Outside) -> String {
    match (fault.wrong.code(), noted) {
        ("cut" | "other", Some(noted)) => format!(
            ". If the database was restored from a backup of before {}, that is why: run {}",
            instant(noted.at),
            outside.declare_restored()
        ),
        _ => String::new(),
    }
}

fn document(fault: &Fault) -> Value {
    let line = fault.line.as_ref();
    json!({
        "code": fault.wrong.code(),
        "wrong": fault.wrong.to_string(),
        "sequence": line.map(|line| line.sequence),
        "id": line.map(id),
        "at": line.map(|line| instant(Instant::from_millis(line.line.at))),
    })
}

/// The id of a line, whatever somebody has made of it.
fn id(line: &SealedLine) -> String {
    Uuid::from_slice(&line.line.id).map_or_else(|_| hex(&line.line.id), |id| id.to_string())
}
