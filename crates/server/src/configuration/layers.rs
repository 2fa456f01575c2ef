//! The sources of settings as layers: a later layer overrides an earlier one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::ConfigError;
use crate::file_access::describe_open_error;
use crate::suggestions::find_nearest;

/// The source of a value, for error texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The default of the setting.
    Default,
    /// A configuration file.
    File(String),
    /// An environment variable.
    Variable(String),
    /// A command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => f.write_str(path),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

impl std::error::Error for Source {}

/// A setting as declared in the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// The full name, `section.key`.
    pub(crate) path: &'static str,
    /// The default, written as in an environment variable.
    #[cfg_attr(not(test), expect(dead_code, reason = "compared with the configuration file by a test"))]
    pub(crate) default: &'static str,
    /// Whether the value is secret: `key_file` may give a file that contains it, and debug output
    /// omits it.
    pub(crate) secret: bool,
}

/// A file that contains the secret of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretFile {
    /// The key that names the file, or whose value is in it.
    pub(crate) key: String,
    /// The path of the file.
    pub(crate) path: PathBuf,
}

/// The values of all layers so far, by `section.key`.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    /// The known settings; any other key is an error.
    keys: &'static [Key],
    values: BTreeMap<String, (Value, Source)>,
    /// The files from which `*_file` keys took a value, by `section.key`.
    value_files: BTreeMap<String, PathBuf>,
    /// The `[[mounts]]` tables of the file.
    pub(crate) mounts: Option<(Value, Source)>,
    /// The `[[access]]` tables of the file.
    pub(crate) access: Option<(Value, Source)>,
    /// Whether every dialect is mounted by default, also the one in which anybody can register a
    /// tenant.
    pub(crate) every_dialect: bool,
}

/// The prefix of environment variables that are settings.
const VARIABLE_PREFIX: &str = "TILLGATE_";

/// The suffix of a key that gives a file containing the value.
const FILE_SUFFIX: &str = "_file";

impl Layers {
    /// Creates an empty set of layers over these settings.
    pub(crate) fn new(keys: &'static [Key]) -> Self {
        Self {
            keys,
            values: BTreeMap::new(),
            value_files: BTreeMap::new(),
            mounts: None,
            access: None,
            every_dialect: false,
        }
    }

    /// Adds the values of a configuration file.
    pub(crate) fn add_file(&mut self, name: &str, table: Table) -> Result<(), ConfigError> {
        let source = Source::File(name.to_owned());
        for (section, value) in table {
            match value {
                value @ Value::Array(_) if section == "mounts" => self.mounts = Some((value, source.clone())),
                value @ Value::Array(_) if section == "access" => self.access = Some((value, source.clone())),
                Value::Table(keys) => {
                    let names: Vec<String> = keys.keys().map(|key| format!("{section}.{key}")).collect();
                    self.refuse_value_and_file(&names, name)?;
                    for (key, value) in keys {
                        self.insert(&format!("{section}.{key}"), value, source.clone())?;
                    }
                }
                _ => return Err(self.unknown_key_error(source, &section)),
            }
        }
        Ok(())
    }

    /// Adds environment variables. Variables without the prefix `TILLGATE_` are ignored, and so are
    /// those that Kubernetes sets for a service named `tillgate`.
    pub(crate) fn add_variables(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        let mut names = Vec::new();
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(VARIABLE_PREFIX).filter(|rest| !is_service_link(rest)) else { continue };
            let Some((section, key)) = rest.split_once("__") else {
                return Err(self.unknown_variable_error(&name));
            };
            let key = format!("{}.{}", section.to_ascii_lowercase(), key.to_ascii_lowercase());
            self.insert(&key, Value::String(value), Source::Variable(name))?;
            names.push(key);
        }
        self.refuse_value_and_file(&names, "the environment")
    }

    /// Adds a command-line flag.
    pub(crate) fn add_flag(&mut self, name: &'static str, key: &str, value: Value) -> Result<(), ConfigError> {
        self.insert(key, value, Source::Flag(name))
    }

    /// Checks that one source does not give both a value and a file with the value.
    fn refuse_value_and_file(&self, names: &[String], source: &str) -> Result<(), ConfigError> {
        let is_given = |name: &str| names.iter().any(|given| given == name);
        let twice = self.keys.iter().filter(|known| known.secret && is_given(known.path));
        for known in twice {
            let file_key = format!("{}{FILE_SUFFIX}", known.path);
            if is_given(&file_key) {
                let path = known.path;
                return Err(ConfigError::Contradiction(format!(
                    "{source} sets both {path} and {file_key}: remove one of them"
                )));
            }
        }
        Ok(())
    }

    /// The names of all keys, also of those that give a file with a secret.
    fn known_names(&self) -> impl Iterator<Item = String> {
        let file = |key: &Key| key.secret.then(|| format!("{}{FILE_SUFFIX}", key.path));
        self.keys.iter().flat_map(move |key| std::iter::once(key.path.to_owned()).chain(file(key)))
    }

    fn insert(&mut self, key: &str, value: Value, source: Source) -> Result<(), ConfigError> {
        if self.keys.iter().any(|known| known.path == key) {
            self.value_files.remove(key);
            self.values.insert(key.to_owned(), (value, source));
            return Ok(());
        }
        let Some(known) =
            self.keys.iter().find(|known| known.secret && key.strip_suffix(FILE_SUFFIX) == Some(known.path))
        else {
            return Err(self.unknown_key_error(source, key));
        };
        let Some(path) = value.as_str() else {
            return Err(ConfigError::Value { source, key: key.to_owned(), why: "must be a path".to_owned() });
        };
        let content = match read_text_file(Path::new(path)) {
            Ok(content) => content,
            Err(why) => {
                return Err(ConfigError::Value {
                    source,
                    key: key.to_owned(),
                    why: format!("is a file that cannot be read: {why}"),
                });
            }
        };
        self.value_files.insert(known.path.to_owned(), PathBuf::from(path));
        self.values.insert(known.path.to_owned(), (Value::String(content.trim_end().to_owned()), source));
        Ok(())
    }

    /// The value of a key with its source, if any layer has it.
    pub(crate) fn find(&self, key: &str) -> Option<&(Value, Source)> {
        self.values.get(key)
    }

    /// The files that contain secrets: those given by `*_file` keys, and the configuration file if
    /// it contains the secret itself.
    pub(super) fn secret_files(&self) -> Vec<SecretFile> {
        let find = |key: &str| {
            if let Some(path) = self.value_files.get(key) {
                return Some(SecretFile { key: format!("{key}{FILE_SUFFIX}"), path: path.clone() });
            }
            match self.values.get(key)? {
                (Value::String(text), Source::File(path)) if contains_secret(text) => {
                    Some(SecretFile { key: key.to_owned(), path: PathBuf::from(path) })
                }
                _ => None,
            }
        };
        self.keys.iter().filter(|key| key.secret).filter_map(|key| find(key.path)).collect()
    }

    /// The error for a variable without a double underscore, which cannot be a setting.
    fn unknown_variable_error(&self, name: &str) -> ConfigError {
        let variables: Vec<String> = self
            .known_names()
            .map(|known| format!("{VARIABLE_PREFIX}{}", known.replace('.', "__").to_ascii_uppercase()))
            .collect();
        let near = find_nearest(name, variables.iter().map(String::as_str)).map(str::to_owned);
        ConfigError::UnknownVariable { name: name.to_owned(), near }
    }

    /// The error for an unknown key, with the most similar setting.
    fn unknown_key_error(&self, source: Source, key: &str) -> ConfigError {
        let names: Vec<String> = self.known_names().collect();
        let near = find_nearest(key, names.iter().map(String::as_str)).map(str::to_owned);
        ConfigError::Unknown { source, key: key.to_owned(), near }
    }
}

/// Whether the value of a secret setting contains a secret. The address of a database may have no
/// password.
fn contains_secret(value: &str) -> bool {
    match value.split_once("://") {
        Some(("postgres" | "postgresql", rest)) => {
            rest.contains("password=") || rest.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
        }
        _ => !value.is_empty() && !value.starts_with("sqlite:"),
    }
}

/// Reads a whole text file.
pub(crate) fn read_text_file(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|error| ConfigError::File { path: path.display().to_string(), why: describe_open_error(path, &error) })
}

/// Whether Kubernetes sets variables of this form for every service: `TILLGATE_SERVICE_HOST`,
/// `TILLGATE_PORT_8080_TCP`, ...
fn is_service_link(rest: &str) -> bool {
    rest == "PORT" || ["SERVICE_HOST", "SERVICE_PORT", "PORT_"].iter().any(|start| rest.starts_with(start))
}
