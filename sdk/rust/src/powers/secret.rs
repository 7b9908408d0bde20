//! Secrets that the plugin itself must see. What the host can add by itself (http credentials, ssh keys) needs none of this.

pub use crate::bindings::powers::towpath::plugin::secret::Error;

/// Returns the secret that the operator gave this name in the grant. Never log it: the host cannot know it in other clothes.
pub fn reveal(name: &str) -> Result<String, Error> {
    ask!(secret::reveal => reveal(name))
}

impl Error {
    /// Returns the error as a sentence fragment.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => format!("not allowed: {why}"),
            Self::Unavailable(why) => format!("the secret cannot be had: {why}"),
        }
    }
}
