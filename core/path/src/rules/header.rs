//! What every file begins with: `apiVersion`, `kind`, `metadata`.

use crate::text::node::Node;
use crate::text::reader::{Fields, Reader};

/// The one version of the file format.
pub(crate) const API_VERSION: &str = "towpath.dev/v1";

/// Checks the form and the kind, and returns the metadata's fields.
pub(crate) fn metadata<'n>(reader: &mut Reader<'_>, fields: &Fields<'n>, kind: &str, known: &[&str]) -> Option<Fields<'n>> {
    exactly(reader, fields, "apiVersion", API_VERSION);
    exactly(reader, fields, "kind", kind);
    let node = reader.required(fields, "metadata", "{ name: … }")?;
    reader.fields(node, "metadata", known)
}

fn exactly(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str, wanted: &str) {
    let Some(node) = reader.required(fields, key, wanted) else { return };
    if node.text() != Some(wanted) {
        reader.expected(node, key, &format!("{wanted:?}"));
    }
}

/// Returns an optional text for people.
pub(crate) fn optional_text(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
    let node: &Node = fields.get(key)?;
    reader.text(node, key).map(str::to_owned)
}
