//! What a component is made of: its imports, exports, modules and sections.

use std::collections::BTreeMap;

use serde::Serialize;
use wasmparser::{Encoding, Parser, Payload};

/// Custom sections that are named one by one; the rest is counted together.
const SECTIONS_NAMED_MAX: usize = 20;

/// What a component is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Anatomy {
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// The interfaces that it exports.
    pub exports: Vec<String>,
    /// The core modules in it.
    pub modules: usize,
    /// Bytes of code over all modules.
    pub code_bytes: usize,
    /// Bytes that its memories begin with.
    pub data_bytes: u64,
    /// Custom sections of the component and its modules, the largest first.
    pub sections: Vec<Section>,
}

/// Custom sections of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Their name.
    pub name: String,
    /// Their bytes.
    pub bytes: usize,
}

/// Returns what a component is made of, or why it is none.
pub(super) fn of(component: &[u8]) -> Result<Anatomy, String> {
    let mut found = Anatomy::default();
    let mut sections = BTreeMap::<String, usize>::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| error.to_string())? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => return Err("it is a core module".to_owned()),
            Payload::ModuleSection { .. } => {
                depth += 1;
                found.modules += 1;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CodeSectionStart { size, .. } => found.code_bytes += size as usize,
            Payload::DataSection(data) => found.data_bytes += data.range().end - data.range().start,
            Payload::CustomSection(custom) => *sections.entry(custom.name().to_owned()).or_default() += custom.data().len(),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    found.imports.push(import.map_err(|error| error.to_string())?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    found.exports.push(export.map_err(|error| error.to_string())?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    found.sections = largest(sections);
    Ok(found)
}

fn largest(sections: BTreeMap<String, usize>) -> Vec<Section> {
    let mut all: Vec<_> = sections.into_iter().map(|(name, bytes)| Section { name, bytes }).collect();
    all.sort_by_key(|section| std::cmp::Reverse(section.bytes));
    if all.len() > SECTIONS_NAMED_MAX {
        let rest = all.split_off(SECTIONS_NAMED_MAX);
        all.push(Section { name: format!("{} more", rest.len()), bytes: rest.iter().map(|section| section.bytes).sum() });
    }
    all
}
