//! The host of one command.

use std::path::Path;

use plugin_host::{HostError, Options, PluginHost};

/// Returns a host that keeps what it compiled in a folder. Where that folder cannot be trusted or written it keeps nothing: a command that
/// compiles takes longer, and is none the worse for it.
pub(crate) fn start(cache_dir: Option<&Path>) -> Result<PluginHost, HostError> {
    let options = |cache_dir: Option<&Path>| Options { cache_dir: cache_dir.map(Path::to_owned), ..Options::default() };
    match PluginHost::new(options(cache_dir)) {
        Err(HostError::Cache { .. } | HostError::CacheOwner { .. }) => PluginHost::new(options(None)),
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
