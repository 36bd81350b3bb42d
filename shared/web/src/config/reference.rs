//! The page that documents every key, made from the types.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::Configuration;
use super::keys::{Node, keys_of};
use super::load::ALIASES;

/// A Markdown section named `title` with a table for each section of `T`: key, type, default, variable, meaning.
pub fn reference_markdown<T: Configuration>(title: &str, prefix: &str) -> String {
    let defaults = serde_json::to_value(T::default()).unwrap_or_default();
    let mut page = format!("## {title}\n");
    let root = keys_of::<T>();
    table(&mut page, &root, &[], &defaults, prefix);
    page
}

fn table(page: &mut String, section: &Node, path: &[&str], defaults: &Json, prefix: &str) {
    let Node::Section { doc, children } = section else { return };
    // Writing to a String cannot fail.
    if !path.is_empty() {
        let _ = write!(page, "\n### `[{}]`\n", path.join("."));
    }
    if !doc.is_empty() {
        let _ = write!(page, "\n{}\n", one_line(doc));
    }
    let mut header_written = false;
    for (name, child) in children {
        let Node::Key { doc, kind, .. } = child else { continue };
        if !header_written {
            page.push_str("\n| Key | Type | Default | Variable | Meaning |\n| --- | --- | --- | --- | --- |\n");
            header_written = true;
        }
        let path: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
        let mut variable = format!("`{prefix}__{}`", path.join("__").to_ascii_uppercase());
        if let Some((alias, _)) = ALIASES.iter().find(|(_, key)| *key == path.join(".")) {
            let _ = write!(variable, " or `{alias}`");
        }
        let default = default_text(defaults.get(name));
        let _ = writeln!(page, "| `{name}` | {} | {default} | {variable} | {} |", cell(&kind.to_string()), cell(doc));
    }
    for (name, child) in children {
        let path: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
        table(page, child, &path, defaults.get(name).unwrap_or(&Json::Null), prefix);
    }
}

fn default_text(default: Option<&Json>) -> String {
    match default {
        None | Some(Json::Null) => "not set".to_owned(),
        Some(Json::String(text)) => format!("`\"{}\"`", cell(text)),
        Some(value) => format!("`{}`", cell(&value.to_string())),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text that cannot end a cell.
fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}
