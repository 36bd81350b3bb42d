//! Reading the HTML that the services make, far more strictly than a browser would.

use std::collections::HashSet;

/// A page, taken apart into its elements in document order.
#[derive(Debug, Clone)]
pub struct Markup {
    elements: Vec<Element>,
}

/// The start tag of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name, as written.
    pub name: String,
    /// Its attributes with their values unescaped; one without a value has the empty text.
    pub attributes: Vec<(String, String)>,
    /// The text directly after the start tag, unescaped, up to the next tag.
    pub text: String,
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Markup {
    /// Reads a page whose every `<` opens a well-formed tag and whose every attribute value is in double quotes.
    /// The error says where it is not so.
    pub fn parse(html: &str) -> Result<Self, String> {
        let mut elements = Vec::new();
        let mut rest = html;
        while let Some((text, from)) = rest.split_once('<') {
            set_text(&mut elements, text)?;
            rest = from;
            if let Some(after) = rest.strip_prefix('!').or_else(|| rest.strip_prefix('/')) {
                rest = after.split_once('>').ok_or("a tag is not closed")?.1;
            } else {
                elements.push(start_tag(&mut rest)?);
            }
        }
        set_text(&mut elements, rest)?;
        Ok(Self { elements })
    }

    /// All elements of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.name == name)
    }

    /// The element with an id.
    pub fn by_id(&self, id: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.attribute("id") == Some(id))
    }

    /// The input with a name.
    pub fn input(&self, name: &str) -> Option<&Element> {
        self.all("input").find(|input| input.attribute("name") == Some(name))
    }

    /// The value that the page's form sends for an input, hidden or not.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.input(name)?.attribute("value")
    }

    /// Names and values of all hidden inputs: what a client without a browser has to send back.
    pub fn hidden_values(&self) -> Vec<(String, String)> {
        let owned = |input: &Element, name| input.attribute(name).unwrap_or_default().to_owned();
        self.all("input")
            .filter(|input| input.attribute("type") == Some("hidden"))
            .map(|input| (owned(input, "name"), owned(input, "value")))
            .collect()
    }

    /// Everything that a page of ours must not have: code and style inside the page, addresses that run code,
    /// controls without a name for a screen reader, ids twice, references to ids that do not exist. Empty is good.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut ids = HashSet::new();
        for element in &self.elements {
            let name = element.name.as_str();
            match name {
                "style" | "iframe" | "object" | "embed" | "base" => faults.push(format!("<{name}> in the page")),
                "script" if element.attribute("src").is_none() => faults.push("inline script".to_owned()),
                "img" if element.attribute("alt").is_none() => faults.push("image without alt".to_owned()),
                "html" if element.attribute("lang").is_none_or(str::is_empty) => faults.push("no language".to_owned()),
                "form" if element.attribute("action").is_none_or(|path| !is_local(path)) => {
                    faults.push("a form is sent elsewhere".to_owned());
                }
                "input" | "select" | "textarea" if !self.is_labelled(element) => {
                    faults.push(format!("no label: {element:?}"));
                }
                _ => {}
            }
            for (attribute, value) in &element.attributes {
                match attribute.as_str() {
                    "style" => faults.push(format!("inline style on <{name}>")),
                    attribute if attribute.starts_with("on") => faults.push(format!("{attribute} on <{name}>")),
                    "href" | "src" if !is_local(value) && !is_web(value) => {
                        faults.push(format!("<{name}> refers to {value}"));
                    }
                    "id" if !ids.insert(value.as_str()) => faults.push(format!("id {value} twice")),
                    "for" | "aria-describedby" | "aria-labelledby" | "aria-controls"
                        if value.split(' ').any(|id| self.by_id(id).is_none()) =>
                    {
                        faults.push(format!("{attribute} refers to {value}, which is not there"));
                    }
                    _ => {}
                }
            }
        }
        if self.all("h1").count() != 1 || self.all("main").count() != 1 || self.all("title").count() != 1 {
            faults.push("not exactly one h1, one main, one title".to_owned());
        }
        faults
    }

    fn is_labelled(&self, element: &Element) -> bool {
        let has_label = |id| self.all("label").any(|label| label.attribute("for") == Some(id));
        element.attribute("type") == Some("hidden")
            || element.attribute("aria-label").is_some()
            || element.attribute("id").is_some_and(has_label)
    }
}

/// A path on the same host: `//` would be another host.
fn is_local(address: &str) -> bool {
    (address.starts_with('/') && !address.starts_with("//") && !address.starts_with("/\\")) || address.starts_with('#')
}

fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

fn set_text(elements: &mut [Element], text: &str) -> Result<(), String> {
    let text = unescape(text)?;
    if let Some(last) = elements.last_mut().filter(|last| last.text.is_empty()) {
        last.text = text;
    }
    Ok(())
}

/// Reads a tag after its `<`, and moves `rest` behind its `>`.
fn start_tag(rest: &mut &str) -> Result<Element, String> {
    let start = *rest;
    let wrong = |why: &str| format!("{why} at <{}", start.chars().take(60).collect::<String>());
    let name = word(rest);
    if name.is_empty() {
        return Err(wrong("a < opens no tag"));
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        let spaced = rest.starts_with([' ', '\n']);
        *rest = rest.trim_start_matches([' ', '\n']);
        if let Some(after) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
            *rest = after;
            return Ok(Element { name, attributes, text: String::new() });
        }
        let attribute = word(rest);
        if attribute.is_empty() || !spaced {
            return Err(wrong("not an attribute"));
        }
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let quoted = after.strip_prefix('"').ok_or_else(|| wrong("a value without double quotes"))?;
            let (text, after) = quoted.split_once('"').ok_or_else(|| wrong("a quote is not closed"))?;
            if text.contains(['<', '>']) {
                return Err(wrong("< or > in a value"));
            }
            value = unescape(text)?;
            *rest = after;
        }
        if attributes.iter().any(|(known, _)| *known == attribute) {
            return Err(wrong("an attribute twice"));
        }
        attributes.push((attribute, value));
    }
}

/// Takes a name of letters, digits and hyphens off the front.
fn word(rest: &mut &str) -> String {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    word.to_owned()
}

fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = from.split_once(';').ok_or_else(|| format!("a bare & in {text:?}"))?;
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            _ => return Err(format!("an unexpected &{entity}; in {text:?}")),
        });
        rest = after;
    }
    plain.push_str(rest);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"<!doctype html><html lang="en"><title>A &amp; B</title><main><h1>Hi</h1>
        <form action="/x"><label for="a">A</label><input id="a" name="a" value="&quot;1&quot;" required>
        <input type="hidden" name="csrf" value="t"></form></main></html>"#;

    #[test]
    fn reads_a_page() {
        let page = Markup::parse(GOOD).unwrap();
        assert_eq!(page.faults(), Vec::<String>::new());
        assert_eq!(page.value("a"), Some("\"1\""));
        assert_eq!(page.all("title").next().unwrap().text, "A & B");
        assert_eq!(page.hidden_values(), [("csrf".to_owned(), "t".to_owned())]);
    }

    #[test]
    fn sees_what_must_not_be() {
        for bad in [
            "<p style=\"x\">",
            "<p onclick=\"x\">",
            "<script>x</script>",
            "<style></style>",
            "<a href=\"javascript:x\">",
            "<a href=\"//evil.example\">",
            "<form action=\"https://evil.example\">",
            "<input name=\"b\">",
            "<p id=\"a\">",
            "<p aria-describedby=\"none\">",
            "<h1>again</h1>",
        ] {
            let page = Markup::parse(&GOOD.replace("</main>", &format!("{bad}</main>"))).unwrap();
            assert_eq!(page.faults().len(), 1, "{bad}: {:?}", page.faults());
        }
        for broken in
            ["a < b", "<p class=a>", "<p class=\"a\"id=\"b\">", "<p a=\"<\">", "a & b", "<p", "&nbsp;", "<p a a>"]
        {
            assert!(Markup::parse(broken).is_err(), "{broken}");
        }
    }
}
