//! Finds the layers and lays them over each other.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::layers::{Layers, read_file};
use super::{Fault, Settings};

/// What the command line says about settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `--config`.
    pub(crate) config: Option<PathBuf>,
    /// `--data`.
    pub(crate) data: Option<PathBuf>,
    /// `--database`.
    pub(crate) database: Option<String>,
    /// `--listen`.
    pub(crate) listen: Option<String>,
    /// `--behind-proxy`, each time that it is given.
    pub(crate) proxies: Vec<String>,
    /// Whether every contract is served where no file names mounts, as a demo does.
    pub(crate) every_contract: bool,
}

/// The name of the file in the data folder.
const NAME: &str = "tillgate.toml";

/// Where the file of an installed package is.
const SYSTEM: &str = "/etc/tillgate/tillgate.toml";

/// Loads the settings from the layers that the flags, the variables and the data folder name. The file of the system is read if no
/// flag names a file and the data folder has none.
pub(crate) fn load(flags: &Flags, variables: &[(String, String)]) -> Result<Settings, Fault> {
    load_beside(flags, variables, Path::new(SYSTEM))
}

fn load_beside(flags: &Flags, variables: &[(String, String)], system: &Path) -> Result<Settings, Fault> {
    let mut above = Layers::default();
    above.variables(variables.iter().cloned())?;
    flag_layer(&mut above, flags)?;

    let mut layers = Layers::over_defaults(flags.every_contract);
    if let Some(path) = &flags.config {
        layers.file(&path.display().to_string(), parse(path)?)?;
    } else {
        let data = Settings::read(&above)?.server.data;
        let path = data.join(NAME);
        // the default folder is a guess: that it cannot be looked into (another user's home) says nothing
        let named = above.find("server.data").is_some();
        if path.try_exists().unwrap_or(named) {
            layers.file(&path.display().to_string(), parse(&path)?)?;
            same_folder(&layers, &above, &data, &path)?;
        } else if system.try_exists().unwrap_or(true) {
            layers.file(&system.display().to_string(), parse(system)?)?;
        }
    }
    layers.variables(variables.iter().cloned())?;
    flag_layer(&mut layers, flags)?;
    let mut settings = Settings::read(&layers)?;
    settings.flags = flags.repeated();
    Ok(settings)
}

impl Flags {
    /// The flags that name an installation, as a shell takes them, each after a blank: `--config`, `--data` and `--database`. The
    /// database's address may have a password in it, which is left out.
    fn repeated(&self) -> String {
        let path = |name: &str, path: &Option<PathBuf>| {
            path.as_ref().map(|path| format!(" --{name} {}", quoted(&path.display().to_string())))
        };
        let database = self.database.as_ref().map(|url| {
            let shown = if url.starts_with("postgres") { "URL".to_owned() } else { quoted(url) };
            format!(" --database {shown}")
        });
        [path("config", &self.config), path("data", &self.data), database].into_iter().flatten().collect()
    }
}

/// A text as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

impl Settings {
    /// A command on this installation, as a shell takes it.
    pub(crate) fn command(&self, words: &str) -> String {
        format!("tillgate {words}{}", self.flags)
    }
}

fn flag_layer(layers: &mut Layers, flags: &Flags) -> Result<(), Fault> {
    let text = |text: &str| Value::String(text.to_owned());
    if let Some(data) = &flags.data {
        layers.flag("data", "server.data", text(&data.to_string_lossy()))?;
    }
    if let Some(database) = &flags.database {
        layers.flag("database", "database.url", text(database))?;
    }
    if let Some(listen) = &flags.listen {
        layers.flag("listen", "server.listen", text(listen))?;
    }
    if !flags.proxies.is_empty() {
        layers.flag("behind-proxy", "server.proxies", text(&flags.proxies.join(",")))?;
    }
    Ok(())
}

/// Reads settings from the text of one file, named `name` in what is said of it, and the variables over it. Only files that a `*_file`
/// key names are opened.
///
/// # Errors
/// The first fault, which names the key or the line.
pub fn read(name: &str, text: &str, variables: &[(String, String)]) -> Result<Settings, Fault> {
    let mut layers = Layers::default();
    layers.file(name, table(name, text)?)?;
    layers.variables(variables.iter().cloned())?;
    Settings::read(&layers)
}

fn parse(path: &Path) -> Result<Table, Fault> {
    table(&path.display().to_string(), &read_file(path)?)
}

fn table(name: &str, text: &str) -> Result<Table, Fault> {
    text.parse::<Table>().map_err(|error| Fault::File { path: name.to_owned(), why: error.to_string() })
}

/// A file that was found in the data folder cannot move the data folder away from itself.
fn same_folder(file: &Layers, above: &Layers, data: &Path, path: &Path) -> Result<(), Fault> {
    let Some((Value::String(named), _)) = file.find("server.data").filter(|_| above.find("server.data").is_none())
    else {
        return Ok(());
    };
    if Path::new(named) == data {
        return Ok(());
    }
    Err(Fault::Together(format!(
        "{} lies in the data folder {} but says server.data = \"{named}\"; start with --data {named}, or with --config",
        path.display(),
        data.display()
    )))
}

#[cfg(test)]
mod tests;
