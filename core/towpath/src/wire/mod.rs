//! Joins the rooms: what one defines as a port, another does.

mod artifacts;
mod evidence;
mod grants;
mod local;
mod plugins;

use std::sync::Arc;

use driver::{PluginDriver, Registry};
use engine::Clock;
use journal::Store;
use plugin_host::PluginHost;
use runtime::Options;
use runtime::client::Client;

use crate::args::ServerArgs;
use crate::data::DataDir;
use crate::failure::Failure;

/// What stands behind the server's ports.
pub(crate) struct Wired {
    pub(crate) driver: Arc<PluginDriver>,
    pub(crate) plugins: Arc<plugins::Catalog>,
    pub(crate) artifacts: Arc<artifacts::LocalArtifacts>,
}

impl Wired {
    /// Loads the plugins, reads what they are granted and opens the artifact store.
    pub(crate) async fn new(
        data: &DataDir,
        args: &ServerArgs,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let artifacts = Arc::new(artifacts::LocalArtifacts::open(&data.artifacts())?);
        let host = PluginHost::new(plugin_host::Options {
            cache_dir: Some(data.cache()),
            runtime: Some(Arc::new(local::LocalRuntime(Client::new(Options::default_control_socket(&data.runtime()))))),
            artifacts: Some(Arc::clone(&artifacts) as Arc<dyn plugin_host::ArtifactBackend>),
            environment: environment(),
            ca_file: args.ca_file.clone(),
            ..plugin_host::Options::default()
        });
        let host = host.map_err(|error| Failure::of("TP0605", &error))?;
        let registry = Registry::default();
        // Compiling a plugin at the very first start keeps a core busy for a while.
        let loading = registry.clone();
        let infos = tokio::task::spawn_blocking(move || plugins::load_bundled(&host, &loading)).await;
        let infos = infos.map_err(|error| Failure::of("TP0605", &error))??;
        let grants = Arc::new(grants::OwnPlugins::new(&infos, args.grants.as_deref())?);
        let evidence = Arc::new(evidence::Attached { store });
        let driver = Arc::new(PluginDriver::new(registry, grants, evidence, Arc::clone(&clock)));
        let plugins = Arc::new(plugins::Catalog { infos, driver: Arc::clone(&driver), clock });
        Ok(Self { driver, plugins, artifacts })
    }
}

/// Returns the environment that the server was started with: grants may say that a secret is kept there.
fn environment() -> plugin_host::ServerEnvironment {
    // What is not text cannot be a secret that is sent anywhere.
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}
