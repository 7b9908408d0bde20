//! Worlds for the tests of plugins: one for each kind, and all of them fail on demand.
//!
//! [`Documents`] and [`Runtime`] keep what targets write to them; [`Scripted`] answers what gates and health checks ask. `towpath plugin
//! test` puts components into the very same worlds.
//!
//! ```
//! use towpath_sdk::powers::http::Request;
//! use towpath_sdk::testing::in_world;
//! use towpath_sdk::testing::worlds::{Documents, Fault, Faulty};
//!
//! let world = Documents::new();
//! let put = || Request::new("PUT", format!("{}/web", Documents::URL)).header("if-none-match", "*").body("v1").send();
//! world.set_fault(Fault::LoseOneAnswer);
//! assert!(in_world(world.clone(), put).is_err());
//! // The answer was lost, the write was not: the condition does not hold any more.
//! assert!(matches!(in_world(world.clone(), put), Ok(answer) if answer.status == 412));
//! assert_eq!((world.document("web"), world.writes()), (Some(b"v1".to_vec()), 1));
//! ```

mod documents;
mod runtime;
mod scripted;

use super::World;
use crate::Context;

pub use documents::Documents;
pub use runtime::Runtime;
pub use scripted::{Scripted, Series};

/// What a world does to those who ask it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It never answers.
    Silent,
    /// It does what it is told, once, and the answer is lost.
    LoseOneAnswer,
    /// It does this many writes more, and then fails.
    FailAfter(u32),
    /// It does this many writes more and holds the next one back, unanswered; [`Faulty::deliver`] does it then.
    HoldAfter(u32),
}

/// A world that fails on demand. A clone is the same world.
pub trait Faulty: World + Clone + 'static {
    /// Has this fault happen from now on.
    fn set_fault(&self, fault: Fault);

    /// Returns the fault that is still to happen.
    fn fault(&self) -> Fault;

    /// Returns how often something was written.
    fn writes(&self) -> u64;

    /// Forgets what was written, as if somebody had removed what ran.
    fn forget(&self);

    /// Is told of each call before it begins: some powers know service and fence from the host, not from the plugin.
    fn call_begins(&self, _context: &Context) {}

    /// Does the write that was held back, as a network does that delivers late. What it is answered nobody hears.
    fn deliver(&self);

    /// Returns whether the last fault is over: an answer was lost, a write is held back, or all writes were used up.
    fn fault_happened(&self) -> bool {
        matches!(self.fault(), Fault::None | Fault::FailAfter(0))
    }
}
