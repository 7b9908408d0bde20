//! Whose telemetry a resource is: the service, the environment, the release, and the process that writes.

use std::sync::Arc;

use model::{EnvironmentName, Scope, ServiceName};
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use sha2::{Digest, Sha256};

use super::{Directory, NotNow, text};
use crate::limits::RELEASE_BYTES_MAX;
use crate::point::{Writer, quoted};

/// The attributes of a resource that say whose it is; an environment has had two names.
const SERVICE: &str = "service.name";
const ENVIRONMENTS: [&str; 2] = ["deployment.environment.name", "deployment.environment"];
const RELEASE: &str = "service.version";

/// Whose telemetry a resource is.
pub(super) struct Owner {
    pub(super) scope: Scope,
    pub(super) release: Arc<str>,
    /// Everything that the resource says of itself: it tells instances apart.
    hash: Sha256,
}

/// Returns whose telemetry a resource is, or why it is turned away.
pub(super) fn of_resource(resource: Option<&Resource>, directory: &dyn Directory) -> Result<Result<Owner, String>, NotNow> {
    let attributes = resource.map_or(&[][..], |resource| &resource.attributes);
    let (service, environment, release) = match named(attributes) {
        Ok(names) => names,
        Err(why) => return Ok(Err(why)),
    };
    let scope = ServiceName::new(&service).ok().zip(EnvironmentName::new(&environment).ok());
    if let Some((service, environment)) = scope {
        let scope = Scope { service, environment };
        if directory.knows(&scope)? {
            let mut hash = Sha256::new();
            feed_pairs(&mut hash, attributes);
            return Ok(Ok(Owner { scope, release: release.into(), hash }));
        }
    }
    Ok(Err(format!("there is no service {} with an environment {} here", quoted(&service), quoted(&environment))))
}

/// Returns the service, the environment and the release that a resource names.
fn named(attributes: &[KeyValue]) -> Result<(String, String, String), String> {
    let find = |name: &str| attributes.iter().find(|pair| pair.key == name).map(|pair| text::of(pair.value.as_ref()));
    let service = find(SERVICE).ok_or_else(|| format!("a resource does not name its service: set {SERVICE}"))?;
    let of_service = format!("the resource of service {}", quoted(&service));
    let environment = ENVIRONMENTS.iter().find_map(|name| find(name));
    let environment =
        environment.ok_or_else(|| format!("{of_service} does not name its environment: set {}", ENVIRONMENTS[0]))?;
    let release = find(RELEASE).filter(|release| !release.is_empty());
    let release = release.ok_or_else(|| format!("{of_service} does not name its release: set {RELEASE}"))?;
    if release.len() > RELEASE_BYTES_MAX {
        let found = release.len();
        return Err(format!("{of_service} has a {RELEASE} of {found} bytes, at most {RELEASE_BYTES_MAX} are kept"));
    }
    Ok((service, environment, release))
}

impl Owner {
    /// Returns who writes the metrics of a library in this resource.
    pub(super) fn writer(&self, scope: Option<&InstrumentationScope>) -> Writer {
        let mut hash = self.hash.clone();
        if let Some(InstrumentationScope { name, version, attributes, .. }) = scope {
            feed(&mut hash, name);
            feed(&mut hash, version);
            feed_pairs(&mut hash, attributes);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Writer(u128::from_be_bytes(first))
    }
}

/// Adds attributes in the order of their names: libraries do not promise one.
fn feed_pairs(hash: &mut Sha256, attributes: &[KeyValue]) {
    let mut pairs: Vec<(&str, String)> =
        attributes.iter().map(|pair| (pair.key.as_str(), text::of(pair.value.as_ref()))).collect();
    pairs.sort();
    hash.update((pairs.len() as u64).to_be_bytes());
    for (name, value) in pairs {
        feed(hash, name);
        feed(hash, &value);
    }
}

/// Adds a text with its length, so that no two lists of texts are alike.
fn feed(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}
