//! What the engine itself wants of a deployment. Saying it never waits and what is wanted never piles up: a later wish takes the
//! place of an earlier one, so that a deployment on hold holds up nobody else.

use std::sync::{Mutex, MutexGuard, PoisonError};

use model::plan::Supersede;
use model::{DeploymentId, Fence, ReleaseSpec};
use tokio::sync::Notify;

/// One wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It may be its turn; what its scope was like when that was found.
    Activate { stable: Option<ReleaseSpec>, fence: Fence },
    /// A newer deployment wants its place, as far as the newer one's path says.
    GiveWay { by: DeploymentId, policy: Supersede },
}

/// The wishes that a worker has yet to hear.
#[derive(Default)]
pub(crate) struct Nudge {
    wishes: Mutex<Wishes>,
    news: Notify,
}

#[derive(Default)]
struct Wishes {
    give_way: Option<Wish>,
    activate: Option<Wish>,
}

impl Nudge {
    /// Leaves a wish, in place of an earlier one of its kind.
    pub(crate) fn say(&self, wish: Wish) {
        let mut wishes = self.wishes();
        match wish {
            Wish::Activate { .. } => wishes.activate = Some(wish),
            Wish::GiveWay { .. } => wishes.give_way = Some(wish),
        }
        self.news.notify_one();
    }

    /// Waits for a wish and takes it. Giving way comes first: who does need not begin.
    pub(crate) async fn heard(&self) -> Wish {
        loop {
            let wish = {
                let mut wishes = self.wishes();
                wishes.give_way.take().or_else(|| wishes.activate.take())
            };
            match wish {
                Some(wish) => return wish,
                None => self.news.notified().await,
            }
        }
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
