//! Joins the rooms: what one defines as a port, another does.

mod artifacts;
mod components;
mod evidence;
mod grants;
mod local;
mod plugins;
mod records;
mod sources;
mod telemetry;

use std::sync::Arc;

use api::Plugins as _;
use driver::{PluginDriver, Registry};
use engine::Clock;
use journal::Store;
use plugin_host::PluginHost;
use runtime::Options;
use runtime::client::Client;

use crate::args::ServerArgs;
use crate::data::DataDir;
use crate::failure::Failure;
use crate::settings;

pub(crate) use telemetry::Measuring;

/// What stands behind the server's ports.
pub(crate) struct Wired {
    pub(crate) driver: Arc<PluginDriver>,
    pub(crate) plugins: Arc<plugins::Catalog>,
    pub(crate) artifacts: Arc<artifacts::LocalArtifacts>,
    /// What services measure, where the operator wants that.
    pub(crate) measuring: Option<telemetry::Measuring>,
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
        let runtime = Client::new(Options::default_control_socket(&data.runtime()));
        let measuring = telemetry::Measuring::start(data, &args.telemetry, Arc::clone(&store), runtime.clone()).await?;
        let host = PluginHost::new(plugin_host::Options {
            cache_dir: Some(data.cache()),
            runtime: Some(Arc::new(local::LocalRuntime(runtime))),
            telemetry: measuring.as_ref().map(telemetry::Measuring::backend),
            artifacts: Some(Arc::clone(&artifacts) as Arc<dyn plugin_host::ArtifactBackend>),
            environment: settings::whole_environment(),
            ca_file: args.ca_file.clone(),
            ..plugin_host::Options::default()
        });
        let host = host.map_err(|error| Failure::of("TP0605", &error))?;
        if let Some(days) = args.forget_plugin_records_after_days {
            tokio::spawn(records::forget(Arc::clone(&store), Arc::clone(&clock), days));
        }
        let registry = Registry::default();
        // Compiling a plugin at the very first start keeps a core busy for a while.
        let (loading, loader) = (registry.clone(), host.clone());
        let own = tokio::task::spawn_blocking(move || plugins::load_bundled(&loader, &loading)).await;
        let own = own.map_err(|error| Failure::of("TP0605", &error))??;
        let floor = grants::OwnPlugins::new(&own, args.grants.as_deref())?;
        let grants = grants::GrantTable::new(floor, Arc::clone(&clock));
        let evidence = Arc::new(evidence::Attached { store: Arc::clone(&store) });
        let driver = Arc::new(PluginDriver::new(registry.clone(), Arc::new(grants.clone()), evidence, Arc::clone(&clock)));
        let components = components::Components::open(host, data.plugins(), sources::Sources::read(args)?, Arc::clone(&store))?;
        let installed = plugins::Installed::default();
        let catalog =
            plugins::Catalog { own, driver: Arc::clone(&driver), clock, grants, registry, components, store, installed };
        let plugins = Arc::new(catalog);
        plugins.refresh().await.map_err(|error| Failure::new("TP0405", format!("the plugins cannot be read: {error}")))?;
        tokio::spawn(plugins::poll_catalog(Arc::downgrade(&plugins)));
        Ok(Self { driver, plugins, artifacts, measuring })
    }
}
