//! Asking a target what it can do, for planning and for fencing.

use model::{Millis, Timestamp};
use plugin_host::{CallContext, CallError, Descriptor, Grants};

use crate::{PluginDriver, limits, said};

/// Why a target could not say what it can do.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// No plugin has this name.
    #[error("no plugin is called {name:?}; known: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The call failed.
    #[error("plugin {name} could not say what it can do")]
    Call {
        /// The plugin.
        name: String,
        /// Why.
        #[source]
        source: CallError,
    },
    /// The plugin refused the settings.
    #[error("plugin {name} does not take these settings: {message}")]
    Settings {
        /// The plugin.
        name: String,
        /// Its words.
        message: String,
    },
}

impl PluginDriver {
    /// Returns what a target can do with these settings. Nothing that reaches outside is granted for it.
    pub async fn describe(&self, name: &str, settings: &str, now: Timestamp) -> Result<Descriptor, DescribeError> {
        let Some((_, plugin)) = self.registry.by_name(name) else {
            let known: Vec<String> = self.registry.names().into_iter().map(|(name, _)| name).collect();
            return Err(DescribeError::Unknown { name: name.to_owned(), known: known.join(", ") });
        };
        let context =
            CallContext { settings: settings.to_owned(), deadline_ms: until(now, limits::RECONCILE), ..CallContext::default() };
        let called = plugin.describe(&context, &Grants::default()).await;
        tracing::info_span!("call", plugin = name).in_scope(|| said::log(&called));
        let called = called.map_err(|source| DescribeError::Call { name: name.to_owned(), source })?;
        called.answer.map_err(|fault| DescribeError::Settings { name: name.to_owned(), message: fault.message })
    }
}

fn until(now: Timestamp, limit: Millis) -> i64 {
    (now + limit).0
}
