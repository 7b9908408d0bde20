//! `kind: Service`: which path a product team picked, and its parameters.

use model::ServiceName;
use semver::VersionReq;

use super::header;
use crate::text::diagnostic::{Diagnostic, in_order};
use crate::text::node::{Content, Entry, Node};
use crate::text::reader::Reader;
use crate::text::source::{Source, Span};
use crate::text::yaml;

/// A service whose own file is in order. Its parameters are checked against the path when a plan is compiled.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The path's name.
    pub path: String,
    /// Which versions of the path it takes.
    pub path_versions: VersionReq,
    pub(crate) path_span: Span,
    pub(crate) version_span: Span,
    pub(crate) source: Source,
    root_span: Span,
    parameters: Option<Node>,
    overrides: Vec<Entry>,
}

impl Service {
    /// Returns the parameters in an environment: the service's own, each replaced where the environment says otherwise.
    /// Values are data and never expressions.
    pub(crate) fn parameters_in(&self, environment: &str) -> Node {
        let own = self.parameters.clone().unwrap_or(Node { content: Content::Mapping(Vec::new()), span: self.root_span });
        let over = self.overrides.iter().find(|entry| entry.key == environment).and_then(|entry| entry.value.get("parameters"));
        let mut entries: Vec<Entry> = own.entries().to_vec();
        for entry in over.map(Node::entries).unwrap_or_default() {
            entries.retain(|own| own.key != entry.key);
            entries.push(entry.clone());
        }
        Node { content: Content::Mapping(entries), span: own.span }
    }
}

/// Reads a service. `file` is how diagnostics name the text.
///
/// # Errors
///
/// Returns everything that is wrong in the file, in the file's order.
pub fn parse_service(text: &str, file: &str) -> Result<Service, Vec<Diagnostic>> {
    let source = Source::new(file, text);
    let root = yaml::read(&source).map_err(in_order)?;
    let mut reader = Reader::new(&source);
    match read(&mut reader, &root) {
        Some(service) if reader.found.is_empty() => Ok(service),
        Some(_) | None => Err(in_order(reader.found)),
    }
}

fn read(reader: &mut Reader<'_>, root: &Node) -> Option<Service> {
    let known = ["apiVersion", "kind", "metadata", "path", "parameters", "environments"];
    let fields = reader.fields(root, "a service", &known)?;
    let metadata = header::metadata(reader, &fields, "Service", &["name", "owner", "description"]);
    let parameters = fields.get("parameters");
    mapping(reader, parameters, "parameters");
    let overrides = fields.get("environments");
    mapping(reader, overrides, "environments");
    for entry in overrides.map(Node::entries).unwrap_or_default() {
        if let Some(inner) = reader.fields(&entry.value, "an environment of a service", &["parameters"]) {
            mapping(reader, inner.get("parameters"), "parameters");
        }
    }
    let path = reader.required(&fields, "path", "{ name: web-canary, version: \"^1.0\" }");
    let path = path.and_then(|node| reader.fields(node, "path", &["name", "version"]));
    let path = path.and_then(|path| {
        let name = reader.required(&path, "name", "web-canary");
        let name = name.and_then(|node| Some((reader.name(node, "the path's name", ServiceName::new)?, node.span)));
        let version = reader.required(&path, "version", "\"^1.0\"");
        let version = version.and_then(|node| Some((range(reader, node)?, node.span)));
        Some((name?, version?))
    });
    let metadata = metadata?;
    let name = reader.required(&metadata, "name", "shop");
    let name = name.and_then(|node| reader.name(node, "the service's name", ServiceName::new));
    let owner = header::optional_text(reader, &metadata, "owner");
    let ((path, path_span), (path_versions, version_span)) = path?;
    Some(Service {
        name: name?,
        owner,
        path: path.as_str().to_owned(),
        path_versions,
        path_span,
        version_span,
        source: reader.source.clone(),
        root_span: root.span,
        parameters: parameters.cloned(),
        overrides: overrides.map(Node::entries).unwrap_or_default().to_vec(),
    })
}

fn mapping(reader: &mut Reader<'_>, node: Option<&Node>, what: &str) {
    if let Some(node) = node
        && !matches!(node.content, Content::Mapping(_))
    {
        reader.expected(node, what, "a mapping");
    }
}

fn range(reader: &mut Reader<'_>, node: &Node) -> Option<VersionReq> {
    let range = node.text().and_then(|text| VersionReq::parse(text).ok());
    if range.is_none() {
        reader.expected(node, "the path's version", "a range of versions like \"^2.1\" or \"=1.0.3\"");
    }
    range
}
