//! Collects the layers of the configuration and reads the settings from them.

use std::path::{Path, PathBuf};

use tillgate_persistence::Address;
use toml::{Table, Value};

use super::layers::{Layers, read_text_file};
use super::table::KEYS;
use super::value::{LogFormat, Setting};
use super::{ConfigError, Settings, access_rows, mount_rows, validation};

/// The settings given on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// The value of `--config`.
    pub(crate) config: Option<PathBuf>,
    /// The value of `--data`.
    pub(crate) data: Option<PathBuf>,
    /// The value of `--database`.
    pub(crate) database: Option<String>,
    /// The value of `--listen`.
    pub(crate) listen: Option<String>,
    /// The values of `--behind-proxy`.
    pub(crate) proxies: Vec<String>,
    /// Whether every dialect is mounted by default, as in a demo.
    pub(crate) every_dialect: bool,
}

/// The name of the configuration file in the data folder.
const FILE_NAME: &str = "tillgate.toml";

/// The configuration file of an installed package.
const SYSTEM_FILE: &str = "/etc/tillgate/tillgate.toml";

/// Loads the settings from the configuration file, environment variables and flags. The system's
/// file is read only if no flag gives a file and the data folder has none.
pub(crate) fn load_settings(flags: &Flags, variables: &[(String, String)]) -> Result<Settings, ConfigError> {
    load_with_system_file(flags, variables, Path::new(SYSTEM_FILE))
}

fn load_with_system_file(
    flags: &Flags,
    variables: &[(String, String)],
    system: &Path,
) -> Result<Settings, ConfigError> {
    let mut overrides = Layers::new(KEYS);
    overrides.add_variables(variables.iter().cloned())?;
    add_flags(&mut overrides, flags)?;

    let mut layers = Layers::new(KEYS);
    layers.every_dialect = flags.every_dialect;
    if let Some(path) = &flags.config {
        let text = read_text_file(path).map_err(name_config_flag)?;
        let name = path.display().to_string();
        layers.add_file(&name, parse_table(&name, &text)?)?;
    } else {
        let data = read_layers(&overrides)?.server.data;
        let path = data.join(FILE_NAME);
        // the default folder is a guess: if it cannot be searched (another user's home), that is no
        // error
        let named = overrides.find("server.data").is_some();
        if path.try_exists().unwrap_or(named) {
            layers.add_file(&path.display().to_string(), parse_file(&path)?)?;
            check_data_folder(&layers, &overrides, &data, &path)?;
        } else if system.try_exists().unwrap_or(true) {
            layers.add_file(&system.display().to_string(), parse_file(system)?)?;
        }
    }
    layers.add_variables(variables.iter().cloned())?;
    add_flags(&mut layers, flags)?;
    let mut settings = read_layers(&layers)?;
    settings.flags = flags.repeat_as_shell();
    Ok(settings)
}

/// The format of the log, for an error in the settings themselves: as the environment or the
/// configuration file sets it, whatever else they contain. Text if neither can be read.
pub(crate) fn find_log_format(flags: &Flags, variables: &[(String, String)]) -> LogFormat {
    let variable = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let parse = |text: String| LogFormat::read(&Value::String(text)).ok();
    variable("TILLGATE_LOG__FORMAT")
        .or_else(|| {
            let data = flags.data.clone().or_else(|| variable("TILLGATE_SERVER__DATA").map(PathBuf::from));
            let in_data = data.unwrap_or_else(|| PathBuf::from("./data")).join(FILE_NAME);
            let found = if in_data.exists() { in_data } else { PathBuf::from(SYSTEM_FILE) };
            let table = parse_file(flags.config.as_ref().unwrap_or(&found)).ok()?;
            Some(table.get("log")?.get("format")?.as_str()?.to_owned())
        })
        .and_then(parse)
        .unwrap_or(LogFormat::Text)
}

impl Flags {
    /// The flags that select this installation, quoted for a shell, each after a space: `--config`,
    /// `--data` and `--database`. A password in a PostgreSQL address is replaced by `PASSWORD`; if
    /// it cannot be told where it is, the address by `URL`.
    fn repeat_as_shell(&self) -> String {
        let path = |name: &str, path: &Option<PathBuf>| {
            path.as_ref().map(|path| format!(" --{name} {}", shell_quote(&path.display().to_string())))
        };
        let database = self.database.as_ref().map(|url| {
            let shown = match Address::parse(url, Path::new("")) {
                // a relative path is repeated as it was given
                Ok(Address::Sqlite(_)) => url.clone(),
                Ok(postgres) => postgres.to_argument().unwrap_or_else(|| "URL".to_owned()),
                Err(_) => "URL".to_owned(),
            };
            format!(" --database {}", shell_quote(&shown))
        });
        [path("config", &self.config), path("data", &self.data), database].into_iter().flatten().collect()
    }
}

/// Quotes a text for a shell if necessary.
fn shell_quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

impl Settings {
    /// A command for this installation, quoted for a shell.
    pub(crate) fn command(&self, words: &str) -> String {
        format!("tillgate {words}{}", self.flags)
    }

    /// The names of all mounts, with the native API.
    pub(crate) fn list_mount_names(&self) -> Vec<&str> {
        std::iter::once("native").chain(self.mounts.iter().map(|mount| mount.dialect.as_str())).collect()
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

/// Reads settings from the text of one file and from environment variables. `name` is the name of
/// the file in error texts. The only files opened are those given by `*_file` keys.
///
/// # Errors
///
/// The first error, with its key or line.
pub fn read_settings(name: &str, text: &str, variables: &[(String, String)]) -> Result<Settings, ConfigError> {
    let mut layers = Layers::new(KEYS);
    layers.add_file(name, parse_table(name, text)?)?;
    layers.add_variables(variables.iter().cloned())?;
    read_layers(&layers)
}

/// Reads the settings, the mounts and the access rules from the layers, and checks how they fit
/// together.
fn read_layers(layers: &Layers) -> Result<Settings, ConfigError> {
    let mut settings = Settings::read_keys(layers, mount_rows::read_mounts(layers)?)?;
    settings.access = access_rows::read_rules(layers, &settings.mounts)?;
    validation::check_settings(&settings)?;
    Ok(settings)
}

/// The error about a file that cannot be read, with the flag that names the file.
fn name_config_flag(error: ConfigError) -> ConfigError {
    match error {
        ConfigError::File { path, why } => ConfigError::File { path: format!("flag --config: {path}"), why },
        other => other,
    }
}

fn parse_file(path: &Path) -> Result<Table, ConfigError> {
    parse_table(&path.display().to_string(), &read_text_file(path)?)
}

fn parse_table(name: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|error| ConfigError::File { path: name.to_owned(), why: error.to_string() })
}

/// Checks that a file found in the data folder does not set another data folder.
fn check_data_folder(file: &Layers, overrides: &Layers, data: &Path, path: &Path) -> Result<(), ConfigError> {
    let Some((Value::String(named), _)) = file.find("server.data").filter(|_| overrides.find("server.data").is_none())
    else {
        return Ok(());
    };
    if Path::new(named) == data {
        return Ok(());
    }
    Err(ConfigError::Contradiction(format!(
        "{} is in the data folder {} but sets server.data = \"{named}\": start with --data {named}, or use --config",
        path.display(),
        data.display()
    )))
}

#[cfg(test)]
mod tests;
