//! How large a component is in every direction, found before anything of it is compiled: what it may cost is bounded by this.

use wasmparser::{Parser, Payload};

use crate::{Limits, LoadError, ManifestError};

/// What was counted so far.
#[derive(Default)]
struct Shape {
    functions: u64,
    parts: u64,
    depth: u64,
}

/// Refuses a component that has too much of something.
pub(crate) fn check(component: &[u8], limits: &Limits) -> Result<(), LoadError> {
    let mut shape = Shape::default();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| ManifestError::NotAComponent { message: error.to_string() })?;
        shape.count(&payload, limits)?;
    }
    Ok(())
}

impl Shape {
    fn count(&mut self, payload: &Payload<'_>, limits: &Limits) -> Result<(), LoadError> {
        match payload {
            Payload::CodeSectionStart { count, .. } => {
                self.functions += u64::from(*count);
                within("functions", self.functions, u64::from(limits.component_functions))
            }
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                within("bytes in one function", range.end - range.start, limits.component_function_bytes as u64)
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.parts += 1;
                self.depth += 1;
                within("modules and components inside it", self.parts, u64::from(limits.component_parts))?;
                within("levels of nesting", self.depth, u64::from(limits.component_depth))
            }
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn within(what: &'static str, found: u64, limit: u64) -> Result<(), LoadError> {
    if found > limit { Err(LoadError::TooComplex { what, found, limit }) } else { Ok(()) }
}
