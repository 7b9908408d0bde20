//! The release: what the target is told to run, and the name that follows from it.

use model::{Digest, ReleaseId, ReleaseSpec};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::input::CompileInput;
use super::resolver::Resolver;
use super::scope;
use crate::plan::hash::{Field, canonical};
use crate::template;
use crate::text::diagnostic::{Diagnostic, in_order};

/// How many hexadecimal digits of its hash name a release: short enough to say, long enough never to meet twice in one
/// service.
const ID_DIGITS: usize = 12;

/// Returns the release as the target gets it, without compiling a whole plan.
///
/// # Errors
///
/// Returns what stands in the way, as [`compile`](super::compile) does for the same part.
pub fn release_of(input: &CompileInput<'_>) -> Result<ReleaseSpec, Vec<Diagnostic>> {
    let scope = scope::resolve(input).map_err(in_order)?;
    let mut resolver = Resolver { input: *input, scope: &scope, found: Vec::new() };
    spec(&mut resolver, &scope.parameters).ok_or_else(|| in_order(resolver.found))
}

/// Returns the release, or `None` with diagnostics.
pub(crate) fn spec(resolver: &mut Resolver<'_>, parameters: &Value) -> Option<ReleaseSpec> {
    let (path, release) = (resolver.input.path, resolver.input.release);
    let configuration = match template::evaluate(&path.rules.run, &path.source, &resolver.scope.variables) {
        Ok(configuration) => canonical(&configuration),
        Err(found) => {
            resolver.found.extend(found);
            return None;
        }
    };
    let id = release.id.clone().unwrap_or_else(|| named(resolver, &configuration, parameters));
    Some(ReleaseSpec { id, label: release.label.clone(), artifact: release.artifact.clone(), configuration })
}

/// Returns the name that follows from everything the release is made of.
fn named(resolver: &Resolver<'_>, configuration: &str, parameters: &Value) -> ReleaseId {
    let input = resolver.input;
    let mut hasher = Sha256::new();
    hasher.field(b"towpath release v1");
    hasher.field(&input.release.artifact.digest.0);
    hasher.field(configuration.as_bytes());
    hasher.field(&input.path.digest.0);
    for name in input.path.plugins() {
        hasher.field(name.as_bytes());
        hasher.field(&input.plugins.find(name).map_or([0; 32], |facts| facts.digest.0));
    }
    hasher.field(canonical(parameters).as_bytes());
    let digest = Digest(hasher.finalize().into()).to_string();
    let digits: String = digest.trim_start_matches("sha256:").chars().take(ID_DIGITS).collect();
    ReleaseId::new(&format!("r-{digits}")).unwrap_or_else(|invalid| panic!("BUG: {invalid}"))
}
