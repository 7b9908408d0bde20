//! What plugins may do.
//!
//! The first-party plugins are part of this program: whoever runs it grants them what their manifests ask for, in every environment,
//! and no more. Any other digest is granted nothing that reaches outside.

use std::collections::HashMap;

use api::PluginInfo;
use async_trait::async_trait;
use driver::GrantSource;
use model::{Digest, EnvironmentName};
use plugin_host::{Grants, HttpGrant};

/// The grants of our own plugins, by digest.
pub(crate) struct OwnPlugins {
    grants: HashMap<Digest, Grants>,
}

impl OwnPlugins {
    /// Grants each plugin what it asks for.
    pub(crate) fn new(infos: &[PluginInfo]) -> Self {
        Self { grants: infos.iter().map(|info| (info.digest, asked_for(info))).collect() }
    }
}

fn asked_for(info: &PluginInfo) -> Grants {
    let asks = |power: &str| info.powers.iter().any(|(name, _)| name == power);
    Grants {
        // Health checks may ask the instances that they are to judge, and nobody else.
        http: asks("http").then(|| HttpGrant { subjects: true, ..HttpGrant::default() }),
        runtime: asks("runtime"),
        ..Grants::default()
    }
}

#[async_trait]
impl GrantSource for OwnPlugins {
    async fn grants(&self, _plugin: &str, digest: Digest, _environment: &EnvironmentName) -> Grants {
        self.grants.get(&digest).cloned().unwrap_or_default()
    }
}
