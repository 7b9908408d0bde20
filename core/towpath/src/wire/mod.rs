//! Joins the rooms: what one defines as a port, another does.

mod artifacts;
mod evidence;
mod grants;
mod plugins;
mod runtime;

use std::sync::Arc;

use driver::{PluginDriver, Registry};
use engine::Clock;
use journal::Store;
use plugin_host::{Options, PluginHost};

use crate::data_dir::DataDir;
use crate::fault::Fault;

/// What stands behind the server's ports.
pub(crate) struct Wired {
    pub(crate) driver: Arc<PluginDriver>,
    pub(crate) plugins: Arc<plugins::Catalog>,
    pub(crate) artifacts: Arc<artifacts::LocalArtifacts>,
}

impl Wired {
    /// Loads the plugins and opens the artifact store.
    pub(crate) async fn new(data: &DataDir, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let host = PluginHost::new(Options {
            cache_dir: Some(data.cache()),
            runtime: Some(Arc::new(runtime::LocalRuntime::new(&data.runtime()))),
            ..Options::default()
        });
        let host = host.map_err(|error| Fault::broken("the plugin host cannot start", &error))?;
        let registry = Registry::default();
        // Compiling a plugin at the very first start keeps a core busy for a while.
        let loading = registry.clone();
        let infos = tokio::task::spawn_blocking(move || plugins::load_bundled(&host, &loading)).await;
        let infos = infos.map_err(|error| Fault::broken("the plugins cannot be loaded", &error))??;
        let grants = Arc::new(grants::OwnPlugins::new(&infos));
        let evidence = Arc::new(evidence::Attached { store });
        let driver = Arc::new(PluginDriver::new(registry, grants, evidence, Arc::clone(&clock)));
        let plugins = Arc::new(plugins::Catalog { infos, driver: Arc::clone(&driver), clock });
        let artifacts = Arc::new(artifacts::LocalArtifacts::open(&data.artifacts())?);
        Ok(Self { driver, plugins, artifacts })
    }
}
