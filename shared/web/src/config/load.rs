//! Reading a configuration: file, then environment, then the check of the whole.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use figment::error::Kind as FigmentKind;
use figment::providers::Serialized;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::keys::{Kind, Node, keys_of, nest};
use super::{ConfigError, ConfigProblem, Configuration, Source};

/// Variables that hosting platforms and other programs set under well-known names.
pub(super) const ALIASES: &[(&str, &str)] = &[("REDIS_URL", "redis.url"), ("SENTRY_DSN", "sentry.dsn")];

/// What a configuration is read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The TOML file. When one is named it must be there.
    pub file: Option<PathBuf>,
    /// The environment. An empty variable counts as not set.
    pub environment: Vec<(OsString, OsString)>,
}

/// Reads a configuration from `file` and the environment of this process.
///
/// A variable is `{prefix}__SECTION__KEY` (lists separated by commas); it wins over the file. The double
/// underscore keeps them apart from what others set: Kubernetes puts `TENANTRY_IDP_PORT` into the environment of
/// every container when there is a service of that name.
///
/// # Errors
/// Everything that is wrong, at once: unknown keys, values of the wrong kind, broken rules; each with its key and
/// the file or variable it came from.
pub fn load<T: Configuration>(prefix: &str, file: Option<&Path>) -> Result<T, ConfigError> {
    load_from(prefix, &Sources { file: file.map(Path::to_owned), environment: std::env::vars_os().collect() })
}

/// The same, from sources that the caller chose.
///
/// # Errors
/// As [`load`].
pub fn load_from<T: Configuration>(prefix: &str, sources: &Sources) -> Result<T, ConfigError> {
    let root = keys_of::<T>();
    let mut problems = Vec::new();
    let mut layers = Vec::new();
    layers.extend(sources.file.as_deref().and_then(|path| file_layer(path, &root, &mut problems)));
    layers.extend(variable_layers(prefix, &sources.environment, &root, &mut problems));

    let mut figment = assemble::<T>(&layers);
    let mut result = figment.extract::<T>();
    // Serde stops at the first bad value. Each one found is taken out (its default stands in) and the rest is read
    // again, so that one start shows everything. Every turn takes a key out, so this ends.
    while let Err(errors) = result {
        let mut removed = false;
        for error in errors {
            let path: Vec<&str> = error.path.iter().map(String::as_str).collect();
            let secret = matches!(root.find(&path), Some(Node::Key { secret: true, .. }));
            problems.push(ConfigProblem {
                key: path.join("."),
                source: source_of(error.metadata.as_ref()),
                reason: reason(&error.kind, secret),
            });
            for layer in &mut layers {
                removed |= remove(&mut layer.values, &path);
            }
        }
        if !removed {
            return Err(ConfigError { problems });
        }
        figment = assemble::<T>(&layers);
        result = figment.extract::<T>();
    }
    let Ok(config) = result else { return Err(ConfigError { problems }) };
    for violation in config.validate() {
        let source = source_of(figment.find_metadata(&violation.key));
        problems.push(ConfigProblem { key: violation.key, source, reason: violation.message });
    }
    if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
}

/// Values with the one place they came from.
struct Layer {
    source: Source,
    values: Dict,
}

impl Provider for &Layer {
    fn metadata(&self) -> Metadata {
        match &self.source {
            Source::File(path) => Metadata::from("file", path.as_path()),
            Source::Variable(name) => Metadata::from("variable", name.clone()),
            Source::Default => Metadata::named("default"),
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn assemble<T: Configuration>(layers: &[Layer]) -> Figment {
    layers.iter().fold(Figment::from(Serialized::defaults(T::default())), Figment::merge)
}

fn source_of(metadata: Option<&Metadata>) -> Source {
    match metadata.and_then(|m| m.source.as_ref()) {
        Some(figment::Source::File(path)) => Source::File(path.clone()),
        Some(figment::Source::Custom(name)) => Source::Variable(name.clone()),
        _ => Source::Default,
    }
}

/// The file, without the keys that are unknown or of the wrong kind; those are reported.
fn file_layer(path: &Path, root: &Node, problems: &mut Vec<ConfigProblem>) -> Option<Layer> {
    let source = Source::File(path.to_owned());
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            problems.push(ConfigProblem { key: String::new(), source, reason: format!("cannot be read: {error}") });
            return None;
        }
    };
    match toml::from_str::<Dict>(&text) {
        Ok(values) => {
            let values = known(values, root, "", &source, problems);
            Some(Layer { source, values })
        }
        Err(error) => {
            // Only the message and the line: the parser's own text quotes the line, which may hold a password.
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            problems.push(ConfigProblem {
                key: String::new(),
                source,
                reason: format!("is not TOML, line {line}: {message}"),
            });
            None
        }
    }
}

fn known(values: Dict, section: &Node, above: &str, source: &Source, problems: &mut Vec<ConfigProblem>) -> Dict {
    let mut kept = Dict::new();
    for (name, value) in values {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let reason = match (section.find(&[name.as_str()]), value) {
            (None, _) => format!("there is no such key; here are: {}", section.names()),
            (Some(child @ Node::Section { .. }), Value::Dict(_, inner)) => {
                kept.insert(name, Value::from(known(inner, child, &key, source, problems)));
                continue;
            }
            (Some(child @ Node::Section { .. }), _) => format!("expected a table with: {}", child.names()),
            (Some(Node::Key { kind, secret, .. }), value) => match kind.check(&value) {
                Ok(()) => {
                    kept.insert(name, value);
                    continue;
                }
                Err(_) if *secret => format!("expected a {kind}"),
                Err(reason) => reason,
            },
        };
        problems.push(ConfigProblem { key, source: source.clone(), reason });
    }
    kept
}

/// One layer for each variable, the well-known names first so that our own win.
fn variable_layers(
    prefix: &str,
    environment: &[(OsString, OsString)],
    root: &Node,
    problems: &mut Vec<ConfigProblem>,
) -> Vec<Layer> {
    let own = format!("{prefix}__");
    let aliases: BTreeMap<&str, &str> = ALIASES.iter().copied().collect();
    let mut layers = Vec::new();
    for (name, value) in environment {
        let Some(name) = name.to_str() else { continue };
        let (key, is_alias) = match (name.strip_prefix(&own), aliases.get(name)) {
            (Some(rest), _) => (rest.to_ascii_lowercase().replace("__", "."), false),
            (None, Some(key)) => ((*key).to_owned(), true),
            (None, None) => continue,
        };
        if value.is_empty() {
            continue;
        }
        let path: Vec<&str> = key.split('.').collect();
        let reason = match root.find(&path) {
            // A well-known name that this service has no use for is none of its business.
            None if is_alias => continue,
            None => {
                let parent = (0..path.len()).rev().find_map(|n| root.find(&path[..n]));
                format!("there is no such key; here are: {}", parent.map(Node::names).unwrap_or_default())
            }
            Some(Node::Section { .. }) => "is a section, not a key".to_owned(),
            Some(Node::Key { kind, secret, .. }) => match parse(kind, value, *secret) {
                Ok(value) => {
                    let layer = Layer { source: Source::Variable(name.to_owned()), values: nest(&path, value) };
                    layers.push((!is_alias, layer));
                    continue;
                }
                Err(reason) => reason,
            },
        };
        problems.push(ConfigProblem { key, source: Source::Variable(name.to_owned()), reason });
    }
    layers.sort_by_key(|(own, _)| *own);
    layers.into_iter().map(|(_, layer)| layer).collect()
}

fn parse(kind: &Kind, value: &OsString, secret: bool) -> Result<Value, String> {
    let text = value.to_str().ok_or_else(|| "is not UTF-8".to_owned())?;
    kind.parse(text).map_err(|reason| if secret { format!("expected a {kind}") } else { reason })
}

fn reason(kind: &FigmentKind, secret: bool) -> String {
    match kind {
        FigmentKind::InvalidType(_, expected) | FigmentKind::InvalidValue(_, expected) if secret => {
            format!("expected {expected}")
        }
        _ => kind.to_string(),
    }
}

/// Takes the value at `path` out; whether it was there.
fn remove(values: &mut Dict, path: &[&str]) -> bool {
    match path {
        [] => false,
        [last] => values.remove(*last).is_some(),
        [first, rest @ ..] => match values.get_mut(*first) {
            Some(Value::Dict(_, inner)) => remove(inner, rest),
            _ => values.remove(*first).is_some(),
        },
    }
}
