//! Templates that refuse to render anything unintended.

use std::fmt::Write as _;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context, escape_formatter,
};
use serde::Serialize;

use super::Asset;

/// A page that could not be made: a fault of its template, never of the request.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A template does not parse, or two have one name.
    #[error("template {name} cannot be loaded")]
    Load {
        /// The template.
        name: String,
        /// What is wrong, with the line.
        source: Error,
    },
    /// A template uses what its context does not have.
    #[error("template {name} cannot be rendered")]
    Render {
        /// The template.
        name: String,
        /// What is wrong, with the line.
        source: Error,
    },
}

/// The words of all pages in one language, as templates see them under `text`.
///
/// Made of a struct that has the same fields in every language, so that a missing translation does not compile.
#[derive(Debug, Clone)]
pub struct Text(Value);

impl Text {
    /// Takes the words over.
    pub fn new(words: &impl Serialize) -> Self {
        Self(Value::from(Serde(words)))
    }
}

/// Templates and assets of one service.
///
/// Rendering is strict, so that a mistake shows in a test and not as a hole in a page: everything is escaped for
/// HTML and no template can switch that off, an undefined name and an absent optional value are errors.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    assets: Vec<Asset>,
}

impl Templates {
    /// Parses `templates`, given as name and source. In them, `asset("pages.css")` is the path of an asset, and
    /// `text.x | fill(name=value)` puts values into the `{name}` places of a sentence.
    pub fn new(templates: &[(&'static str, &'static str)], assets: Vec<Asset>) -> Result<Self, PageError> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|source| PageError::Load { name: "syntax".to_owned(), source })?);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(write_value);
        environment.remove_filter("safe");
        // Its reports quote the context, and contexts hold CSRF tokens.
        environment.set_debug(false);
        environment.add_filter("fill", fill);
        let paths: Vec<(String, String)> =
            assets.iter().map(|asset| (asset.name.clone(), asset.path.clone())).collect();
        environment.add_function("asset", move |name: &str| {
            paths
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, path)| path.clone())
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("there is no asset {name}")))
        });
        for (name, source) in templates {
            environment
                .add_template(name, source)
                .map_err(|source| PageError::Load { name: (*name).to_owned(), source })?;
        }
        Ok(Self { environment, assets })
    }

    /// Renders a template over `page`, its context, and `text`.
    pub fn render(&self, name: &str, text: &Text, page: &impl Serialize) -> Result<String, PageError> {
        let context = context! { page => Value::from(Serde(page)), text => text.0.clone() };
        self.environment
            .get_template(name)
            .and_then(|template| template.render(context))
            .map_err(|source| PageError::Render { name: name.to_owned(), source })
    }

    /// What the routes have to serve, with [`ASSET_CACHE_CONTROL`](super::ASSET_CACHE_CONTROL).
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// The asset of a request path, `None` for an unknown or outdated one.
    pub fn asset(&self, path: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.path == path)
    }
}

/// Writes text escaped for HTML elements and quoted attributes; markup made by a template itself as it is.
///
/// The engine's own escaping also replaces `/`, which would make every address in the page unreadable.
fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        _ if value.is_none() => {
            Err(Error::new(ErrorKind::UndefinedError, "an absent value is printed: ask with `is not none` first"))
        }
        Some(text) if !value.is_safe() => {
            let mut rest = text;
            while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
                let (before, from) = rest.split_at(at);
                let (special, after) = from.split_at(1);
                out.write_str(before)?;
                out.write_str(match special {
                    "&" => "&amp;",
                    "<" => "&lt;",
                    ">" => "&gt;",
                    "\"" => "&quot;",
                    _ => "&#39;",
                })?;
                rest = after;
            }
            Ok(out.write_str(rest)?)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// The filter `fill`: a sentence with each `{name}` replaced by the argument of that name.
#[allow(clippy::needless_pass_by_value, reason = "the engine hands keyword arguments over by value")]
fn fill(sentence: &str, values: Kwargs) -> Result<String, Error> {
    let mut filled = String::with_capacity(sentence.len() + 32);
    let mut rest = sentence;
    while let Some((before, from)) = rest.split_once('{') {
        let (name, after) = from
            .split_once('}')
            .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "a { of a sentence is not closed"))?;
        let value: Value = values.get(name)?;
        if value.is_none() {
            return Err(Error::new(ErrorKind::UndefinedError, format!("{{{name}}} is absent")));
        }
        filled.push_str(before);
        write!(filled, "{value}")?;
        rest = after;
    }
    values.assert_all_used()?;
    filled.push_str(rest);
    Ok(filled.replace(is_direction_control, ""))
}

/// Characters that reorder the text around them: in a client's name, they could turn a sentence about it.
fn is_direction_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::AssetKind;

    #[derive(Serialize)]
    struct Context {
        name: &'static str,
        nickname: Option<&'static str>,
    }

    fn render(source: &'static str) -> Result<String, PageError> {
        let asset = Asset::new("/assets", "pages", AssetKind::Stylesheet, &["abc"]);
        let templates = Templates::new(&[("page", source)], vec![asset])?;
        let text = Text::new(&std::collections::BTreeMap::from([("hello", "Hello {name}, {name}!"), ("bad", "{")]));
        templates.render("page", &text, &Context { name: "<a href='x'>&\u{202e}{name}/\"", nickname: None })
    }

    fn refusal(source: &'static str) -> String {
        let error = render(source).unwrap_err();
        std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn everything_is_escaped_once() {
        let escaped = "&lt;a href=&#39;x&#39;&gt;&amp;\u{202e}{name}/&quot;";
        assert_eq!(render("{{ page.name }}").unwrap(), escaped);
        assert_eq!(
            render("{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{{ m(page.name) }}").unwrap(),
            format!("<b>{escaped}</b>")
        );
        assert_eq!(
            render("{% set x %}<b>{{ page.name }}</b>{% endset %}{{ x }}").unwrap(),
            format!("<b>{escaped}</b>")
        );
    }

    #[test]
    fn sentences_are_filled_once_and_keep_their_direction() {
        let name = "&lt;a href=&#39;x&#39;&gt;&amp;{name}/&quot;";
        assert_eq!(render("{{ text.hello | fill(name=page.name) }}").unwrap(), format!("Hello {name}, {name}!"));
    }

    #[test]
    fn assets_are_found_by_name() {
        assert_eq!(render("{{ asset('pages.css') }}").unwrap(), "/assets/pages.ungWv48B.css");
        assert!(refusal("{{ asset('pages.js') }}").contains("no asset pages.js"));
    }

    #[test]
    fn mistakes_are_errors() {
        for source in [
            "{{ page.nickname }}",
            "{{ page.nmae }}",
            "{% if page.nmae %}{% endif %}",
            "{{ nmae }}",
            "{{ text.goodbye }}",
            "{{ text.hello | fill }}",
            "{{ text.hello | fill(name=page.nickname) }}",
            "{{ text.hello | fill(name=page.name, nmae=1) }}",
            "{{ text.bad | fill }}",
            "{{ page.name | safe }}",
        ] {
            assert!(render(source).is_err(), "{source}");
        }
        assert!(matches!(render("{% if %}"), Err(PageError::Load { .. })));
    }

    #[test]
    fn an_error_does_not_quote_the_context() {
        let error = render("{{ page.name }}{{ page.nmae }}").unwrap_err();
        assert!(!format!("{error:?} {error:#}").contains("href"), "{error:?}");
    }
}
