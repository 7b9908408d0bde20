//! `towpath plugin run`: one call from a file, with everything that it did.

use std::path::{Path, PathBuf};

use plugin_host::Plugin;
use serde_json::json;

use crate::ToolError;
use crate::call::answer::{self, or_fault};
use crate::call::{CallForm, Question, Said};

/// What is run, and how.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The component.
    pub component: Vec<u8>,
    /// The call, as its file says it.
    pub call: Vec<u8>,
    /// The folder of the call's file: those that it names are looked for there.
    pub folder: PathBuf,
    /// Where compiled components are kept; `None` compiles it anew.
    pub cache_dir: Option<PathBuf>,
}

/// Runs one call. A call without an answer is no error here: what stopped it is in what is returned. `now_ms` tells the time in Unix
/// milliseconds; the call's time begins when the component is loaded, which may take long where it is compiled.
pub async fn run(options: &RunOptions, now_ms: fn() -> i64) -> Result<Said, ToolError> {
    let call = CallForm::read(&options.call)?;
    let host = crate::host::start(options.cache_dir.as_deref())?;
    let plugin = host.load(&options.component)?;
    ask(&plugin, &call, &options.folder, now_ms()).await
}

/// Asks a plugin what a call says.
pub(crate) async fn ask(plugin: &Plugin, call: &CallForm, folder: &Path, now_ms: i64) -> Result<Said, ToolError> {
    let (context, grants) = (call.context(folder, now_ms)?, &call.grants);
    Ok(match call.call {
        Question::Describe => Said::of(plugin.describe(&context, grants).await, |said| or_fault(said, answer::descriptor)),
        Question::Observe => Said::of(plugin.observe(&context, grants).await, |said| or_fault(said, answer::observation)),
        Question::Reconcile => Said::of(plugin.reconcile(&context, &call.desired(), grants).await, answer::progress),
        Question::Preview => {
            Said::of(plugin.preview(&context, &call.desired(), grants).await, |said| or_fault(said, |changes| json!(changes)))
        }
        Question::Evaluate => Said::of(plugin.evaluate(&context, &call.evidence(folder)?, grants).await, answer::gate),
        Question::Assess => Said::of(plugin.assess(&context, &call.subjects(), &call.window(), grants).await, answer::health),
    })
}
