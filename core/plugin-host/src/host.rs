//! The host: one engine, one linker, one cache for all plugins.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::cache::Cache;
use crate::call::CallState;
use crate::compile::Compilers;
use crate::engine::{self, Ticker};
use crate::pace::Pace;
use crate::powers::http::tls::Tls;
use crate::schedule::{Schedule, Turns};
use crate::{
    ArtifactBackend, HostError, HttpBackend, Limits, LoadError, Manifest, Plugin, RuntimeBackend, ServerEnvironment,
    TelemetryBackend,
};
use crate::{shape, words};

/// How a host is set up.
#[derive(Clone, Default)]
pub struct Options {
    /// The folder that keeps compiled components; it must be ours alone. `None` compiles at every load.
    pub cache_dir: Option<PathBuf>,
    /// What a call may use.
    pub limits: Limits,
    /// The local runtime, for plugins that were granted it. `None` answers them that there is none.
    pub runtime: Option<Arc<dyn RuntimeBackend>>,
    /// What services measure of themselves, for plugins that were granted it. `None` answers them that there is none.
    pub telemetry: Option<Arc<dyn TelemetryBackend>>,
    /// The store of artifacts, for plugins that were granted it. `None` answers them that there is none.
    pub artifacts: Option<Arc<dyn ArtifactBackend>>,
    /// Where requests of plugins go instead of the network, once they are checked. `None`: to the network.
    pub http: Option<Arc<dyn HttpBackend>>,
    /// The environment that the server was started with, for secrets that are kept there.
    pub environment: ServerEnvironment,
    /// A PEM file of authorities that https requests of plugins trust besides the machine's own.
    pub ca_file: Option<PathBuf>,
}

/// Loads components. Cheap to clone.
#[derive(Clone)]
pub struct PluginHost {
    shared: Arc<Shared>,
}

/// What all plugins of a host share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    pub(crate) runtime: Option<Arc<dyn RuntimeBackend>>,
    pub(crate) telemetry: Option<Arc<dyn TelemetryBackend>>,
    pub(crate) artifacts: Option<Arc<dyn ArtifactBackend>>,
    pub(crate) http: Option<Arc<dyn HttpBackend>>,
    pub(crate) commands: Semaphore,
    pub(crate) environment: ServerEnvironment,
    pub(crate) ticker: Ticker,
    pub(crate) pace: Arc<Pace>,
    /// As many calls run at once as the pool has room for.
    pub(crate) calls: Arc<Schedule>,
    pub(crate) requests: Semaphore,
    pub(crate) tls: Tls,
    linker: Linker<CallState>,
    compilers: Compilers,
    cache: Option<Cache>,
}

/// Refuses a component that is too large or has too much of something, as every host does before it compiles one. Nothing of it is
/// compiled or run.
///
/// # Errors
/// Returns what it has too much of, or that it is no component.
pub fn check_shape(component: &[u8], limits: &Limits) -> Result<(), LoadError> {
    let limit = limits.component_bytes;
    if component.len() > limit {
        return Err(LoadError::TooLarge { found: component.len(), limit });
    }
    shape::check(component, limits)
}

impl PluginHost {
    /// Makes a host.
    pub fn new(options: Options) -> Result<Self, HostError> {
        let engine = engine::new(&options.limits)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(HostError::Engine)?;
        words::link(&mut linker).map_err(HostError::Engine)?;
        let cache = options.cache_dir.as_deref().map(|folder| Cache::open(folder, &engine)).transpose()?;
        let shared = Shared {
            ticker: Ticker::start(engine.clone())?,
            pace: Arc::new(Pace::default()),
            calls: Schedule::new(Turns::of(&options.limits)),
            requests: Semaphore::new(options.limits.http_requests_at_once as usize),
            commands: Semaphore::new(options.limits.commands_at_once as usize),
            limits: options.limits,
            runtime: options.runtime,
            telemetry: options.telemetry,
            artifacts: options.artifacts,
            http: options.http,
            environment: options.environment,
            tls: Tls::new(options.ca_file),
            compilers: Compilers::default(),
            engine,
            linker,
            cache,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Loads a component: reads its manifest, checks its exports, and takes its compiled form from the cache or makes it.
    ///
    /// Blocking, at most for [`Limits::compile_ms`]: compiling takes about a tenth of a second for a small component, seconds for those of other languages.
    pub fn load(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let limits = &self.shared.limits;
        check_shape(bytes, limits)?;
        let manifest = Manifest::read_within(bytes, limits.manifest_bytes)?;
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(bytes)));
        let component = self.compiled(&digest, bytes)?;
        let not_fitting = |source| LoadError::Link { version: manifest.wit.clone(), source };
        let pre = self.shared.linker.instantiate_pre(&component).map_err(not_fitting)?;
        Plugin::new(digest, manifest.clone(), &pre, Arc::clone(&self.shared)).map_err(not_fitting)
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    fn compiled(&self, digest: &str, bytes: &[u8]) -> Result<Component, LoadError> {
        let Shared { engine, cache, compilers, limits, .. } = &*self.shared;
        if let Some(found) = cache.as_ref().and_then(|cache| cache.get(engine, digest)) {
            return Ok(found);
        }
        let component = compilers.compile(engine, bytes, Duration::from_millis(limits.compile_ms))?;
        if let Some(cache) = cache {
            cache.put(digest, &component);
        }
        Ok(component)
    }
}
