//! The host of one command.

use std::path::Path;
use std::sync::Arc;

use plugin_host::{HostError, Options, PluginHost, RuntimeBackend, TelemetryBackend};

/// Returns a host that keeps what it compiled in a folder. Where that folder cannot be trusted or written it keeps nothing: a command that
/// compiles takes longer, and is none the worse for it.
pub(crate) fn start(cache_dir: Option<&Path>) -> Result<PluginHost, HostError> {
    start_with(cache_dir, &Options::default())
}

/// The same, in a world that answers for the local runtime and for what services measure.
pub(crate) fn start_in<W>(cache_dir: Option<&Path>, world: &Arc<W>) -> Result<PluginHost, HostError>
where
    W: RuntimeBackend + TelemetryBackend,
{
    let (runtime, telemetry) = (Arc::clone(world) as Arc<dyn RuntimeBackend>, Arc::clone(world) as Arc<dyn TelemetryBackend>);
    start_with(cache_dir, &Options { runtime: Some(runtime), telemetry: Some(telemetry), ..Options::default() })
}

fn start_with(cache_dir: Option<&Path>, options: &Options) -> Result<PluginHost, HostError> {
    let kept_in = |cache_dir: Option<&Path>| Options { cache_dir: cache_dir.map(Path::to_owned), ..options.clone() };
    match PluginHost::new(kept_in(cache_dir)) {
        Err(HostError::Cache { .. } | HostError::CacheOwner { .. }) => PluginHost::new(kept_in(None)),
        started => started,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_used_is_done_without() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert!(PluginHost::new(Options { cache_dir: Some(file.path().to_owned()), ..Options::default() }).is_err());
        assert!(start(Some(file.path())).is_ok());
    }
}
