//! The stable codes of the errors that a client can meet; each has a page under `core/errors/`.

pub(crate) const FILE_INVALID: &str = "TP0101";
pub(crate) const REQUEST_INVALID: &str = "TP0110";
pub(crate) const NOT_KNOWN: &str = "TP0111";
pub(crate) const VERSION_TAKEN: &str = "TP0112";
pub(crate) const REVISION_MOVED: &str = "TP0113";
pub(crate) const MUTABLE_TAG: &str = "TP0106";
pub(crate) const ARTIFACT_CHANGED: &str = "TP0201";
pub(crate) const ARTIFACT_NOT_FOUND: &str = "TP0202";
pub(crate) const ARTIFACT_UNUSABLE: &str = "TP0203";
pub(crate) const UNAUTHENTICATED: &str = "TP0303";
pub(crate) const BUSY: &str = "TP0305";
pub(crate) const STOPPING: &str = "TP0306";
pub(crate) const STORE_FULL: &str = "TP0401";
pub(crate) const STORE_DAMAGED: &str = "TP0402";
pub(crate) const STORE_NEWER: &str = "TP0403";
pub(crate) const STORE_READ_ONLY: &str = "TP0404";
pub(crate) const STORE_FAILED: &str = "TP0405";
pub(crate) const REFUSED: &str = "TP0501";
pub(crate) const DEPLOYMENT_MOVED: &str = "TP0502";
pub(crate) const REQUEST_REUSED: &str = "TP0503";
pub(crate) const SAME_RELEASE: &str = "TP0504";
pub(crate) const NOTHING_TO_RESTORE: &str = "TP0505";
pub(crate) const PLAN_MOVED: &str = "TP0506";
pub(crate) const PLUGIN_MOVED: &str = "TP0607";
pub(crate) const PLUGIN_FAILED: &str = "TP0602";
