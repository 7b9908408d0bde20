//! Compiling what strangers wrote: few at once, each on a thread of its own, with a time limit.
//!
//! A compiler cannot be stopped in the middle. One that takes too long is left alone with its thread, keeps its place among the
//! few until it ends, and its result is thrown away; [`crate::shape`] bounds how much there is to do at all.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::LoadError;

/// Components that are compiled at once: one that takes long leaves a place to the next.
const AT_ONCE: u32 = 2;

/// Stack of the thread that compiles: validation and translation of what is nested deeply take more than a thread's usual stack.
const STACK_BYTES: usize = 16 << 20;

/// The places for compilers.
#[derive(Clone, Default)]
pub(crate) struct Compilers(Arc<(Mutex<u32>, Condvar)>);

/// A compiler's place; free again when dropped.
struct Place(Compilers);

impl Compilers {
    /// Compiles a component, or says why not, after `patience` at the latest.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8], patience: Duration) -> Result<Component, LoadError> {
        let (engine, bytes) = (engine.clone(), bytes.to_vec());
        self.run(patience, move || Component::from_binary(&engine, &bytes).map_err(LoadError::Compile))
    }

    fn run<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
    ) -> Result<T, LoadError> {
        let milliseconds = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let place = self.take(patience).ok_or(LoadError::CompilersBusy { milliseconds })?;
        let (done, result) = mpsc::sync_channel(1);
        let compiler = move || {
            let _place = place;
            // Nobody may wait any more; then the result is of no use.
            drop(done.try_send(work()));
        };
        let started = thread::Builder::new().name("plugin-compile".to_owned()).stack_size(STACK_BYTES).spawn(compiler);
        started.map_err(|error| LoadError::Compile(error.into()))?;
        result.recv_timeout(patience).unwrap_or_else(|ended| match ended {
            RecvTimeoutError::Timeout => Err(LoadError::CompileDeadline { milliseconds }),
            RecvTimeoutError::Disconnected => Err(LoadError::CompilerCrashed),
        })
    }

    fn take(&self, patience: Duration) -> Option<Place> {
        let (compiling, freed) = &*self.0;
        let full = |compiling: &mut u32| *compiling >= AT_ONCE;
        let (mut compiling, waited) =
            freed.wait_timeout_while(lock(compiling), patience, full).unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() && *compiling >= AT_ONCE {
            return None;
        }
        *compiling += 1;
        Some(Place(self.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (compiling, freed) = &*self.0.0;
        *lock(compiling) -= 1;
        freed.notify_one();
    }
}

fn lock(compiling: &Mutex<u32>) -> MutexGuard<'_, u32> {
    compiling.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn one_that_takes_too_long_is_left_and_keeps_its_place_until_it_ends() {
        let compilers = Compilers::default();
        let ends: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let (end, ended) = mpsc::channel::<()>();
                let stuck = compilers.run(Duration::from_millis(10), move || Ok(ended.recv().is_ok()));
                assert!(matches!(stuck, Err(LoadError::CompileDeadline { milliseconds: 10 })), "{stuck:?}");
                end
            })
            .collect();
        let crowded = compilers.run(Duration::from_millis(10), || Ok(()));
        assert!(matches!(crowded, Err(LoadError::CompilersBusy { milliseconds: 10 })), "{crowded:?}");
        drop(ends);
        compilers.run(PATIENCE, || Ok(())).expect("a place is free again");
    }

    #[test]
    fn a_crash_of_the_compiler_is_an_error_of_that_component() {
        let compilers = Compilers::default();
        for _ in 0..2 * AT_ONCE {
            let crashed = compilers.run::<()>(PATIENCE, || panic!("as a compiler might"));
            assert!(matches!(crashed, Err(LoadError::CompilerCrashed)), "{crashed:?}");
        }
    }
}
