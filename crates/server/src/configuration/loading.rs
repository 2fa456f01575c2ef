//! Finds the layers and lays them over each other.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::layers::{Layers, read_text_file};
use super::{ConfigError, Settings};

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
    pub(crate) every_dialect: bool,
}

/// The name of the file in the data folder.
const FILE_NAME: &str = "tillgate.toml";

/// Where the file of an installed package is.
const SYSTEM_FILE: &str = "/etc/tillgate/tillgate.toml";

/// Loads the settings from the layers that the flags, the variables and the data folder name. The file of the system is read if no
/// flag names a file and the data folder has none.
pub(crate) fn load_settings(flags: &Flags, variables: &[(String, String)]) -> Result<Settings, ConfigError> {
    load_with_system_file(flags, variables, Path::new(SYSTEM_FILE))
}

fn load_with_system_file(
    flags: &Flags,
    variables: &[(String, String)],
    system: &Path,
) -> Result<Settings, ConfigError> {
    let mut above = Layers::default();
    above.add_variables(variables.iter().cloned())?;
    add_flags(&mut above, flags)?;

    let mut layers = Layers::with_defaults(flags.every_dialect);
    if let Some(path) = &flags.config {
        layers.add_file(&path.display().to_string(), parse_file(path)?)?;
    } else {
        let data = Settings::read(&above)?.server.data;
        let path = data.join(FILE_NAME);
        // the default folder is a guess: that it cannot be looked into (another user's home) says nothing
        let named = above.find("server.data").is_some();
        if path.try_exists().unwrap_or(named) {
            layers.add_file(&path.display().to_string(), parse_file(&path)?)?;
            check_data_folder(&layers, &above, &data, &path)?;
        } else if system.try_exists().unwrap_or(true) {
            layers.add_file(&system.display().to_string(), parse_file(system)?)?;
        }
    }
    layers.add_variables(variables.iter().cloned())?;
    add_flags(&mut layers, flags)?;
    let mut settings = Settings::read(&layers)?;
    settings.flags = flags.repeat_as_shell();
    Ok(settings)
}

impl Flags {
    /// The flags that name an installation, as a shell takes them, each after a blank: `--config`, `--data` and `--database`. The
    /// database's address may have a password in it, which is left out.
    fn repeat_as_shell(&self) -> String {
        let path = |name: &str, path: &Option<PathBuf>| {
            path.as_ref().map(|path| format!(" --{name} {}", shell_quote(&path.display().to_string())))
        };
        let database = self.database.as_ref().map(|url| {
            let shown = if url.starts_with("postgres") { "URL".to_owned() } else { shell_quote(url) };
            format!(" --database {shown}")
        });
        [path("config", &self.config), path("data", &self.data), database].into_iter().flatten().collect()
    }
}

/// A text as a shell takes it.
fn shell_quote(text: &str) -> String {
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

fn add_flags(layers: &mut Layers, flags: &Flags) -> Result<(), ConfigError> {
    let text = |text: &str| Value::String(text.to_owned());
    if let Some(data) = &flags.data {
        layers.add_flag("data", "server.data", text(&data.to_string_lossy()))?;
    }
    if let Some(database) = &flags.database {
        layers.add_flag("database", "database.url", text(database))?;
    }
    if let Some(listen) = &flags.listen {
        layers.add_flag("listen", "server.listen", text(listen))?;
    }
    if !flags.proxies.is_empty() {
        layers.add_flag("behind-proxy", "server.proxies", text(&flags.proxies.join(",")))?;
    }
    Ok(())
}

/// Reads settings from the text of one file, named `name` in what is said of it, and the variables over it. Only files that a `*_file`
/// key names are opened.
///
/// # Errors
/// The first fault, which names the key or the line.
pub fn read_settings(name: &str, text: &str, variables: &[(String, String)]) -> Result<Settings, ConfigError> {
    let mut layers = Layers::default();
    layers.add_file(name, parse_table(name, text)?)?;
    layers.add_variables(variables.iter().cloned())?;
    Settings::read(&layers)
}

fn parse_file(path: &Path) -> Result<Table, ConfigError> {
    parse_table(&path.display().to_string(), &read_text_file(path)?)
}

fn parse_table(name: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|error| ConfigError::File { path: name.to_owned(), why: error.to_string() })
}

/// A file that was found in the data folder cannot move the data folder away from itself.
fn check_data_folder(file: &Layers, above: &Layers, data: &Path, path: &Path) -> Result<(), ConfigError> {
    let Some((Value::String(named), _)) = file.find("server.data").filter(|_| above.find("server.data").is_none())
    else {
        return Ok(());
    };
    if Path::new(named) == data {
        return Ok(());
    }
    Err(ConfigError::Contradiction(format!(
        "{} lies in the data folder {} but says server.data = \"{named}\"; start with --data {named}, or with --config",
        path.display(),
        data.display()
    )))
}

#[cfg(test)]
mod tests;
