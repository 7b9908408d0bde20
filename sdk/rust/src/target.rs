//! Targets: reconcile an environment toward an absolute desired state.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

pub use crate::bindings::target::exports::towpath::plugin::target::{
    Descriptor, Desired, Fencing, Observation, Pending, Progress, RequestKey, RouteMatch, SideDesired, SideObservation, Traffic,
};
use crate::{Context, Fault, settings};

/// A target.
///
/// One level-triggered verb: [`Target::reconcile`] is called again and again with the same absolute state until it reports
/// converged. It must be idempotent, refuse fences lower than the highest it has seen, and report only what it saw.
pub trait Target {
    /// How it is set up.
    type Settings: DeserializeOwned + JsonSchema;

    /// Returns what the target can do.
    fn describe(settings: &Self::Settings) -> Descriptor;

    /// Returns what really runs.
    fn observe(call: &Call<Self::Settings>) -> Result<Observation, Fault>;

    /// Moves the world toward the desired state and says how far it got.
    fn reconcile(call: &Call<Self::Settings>, desired: &Desired) -> Progress;

    /// Returns what a reconcile would change, one sentence each.
    fn preview(call: &Call<Self::Settings>, desired: &Desired) -> Result<Vec<String>, Fault>;
}

/// What a target is given for one call.
pub struct Call<S> {
    /// The call's context.
    pub context: Context,
    /// The settings.
    pub settings: S,
}

impl<S: DeserializeOwned> Call<S> {
    fn new(context: Context) -> Result<Self, Fault> {
        let settings = settings::parse(&context.settings).map_err(Fault::permanent)?;
        Ok(Self { context, settings })
    }
}

#[doc(hidden)]
pub fn describe<T: Target>(text: &str) -> Result<Descriptor, Fault> {
    crate::panics::report();
    settings::parse(text).map(|settings| T::describe(&settings)).map_err(Fault::permanent)
}

#[doc(hidden)]
pub fn observe<T: Target>(context: Context) -> Result<Observation, Fault> {
    crate::panics::report();
    T::observe(&Call::new(context)?)
}

#[doc(hidden)]
pub fn reconcile<T: Target>(context: Context, desired: &Desired) -> Progress {
    crate::panics::report();
    match Call::new(context) {
        Ok(call) => T::reconcile(&call, desired),
        Err(fault) => Progress::Failed(fault),
    }
}

#[doc(hidden)]
pub fn preview<T: Target>(context: Context, desired: &Desired) -> Result<Vec<String>, Fault> {
    crate::panics::report();
    T::preview(&Call::new(context)?, desired)
}

/// Makes a component of a [`Target`].
#[macro_export]
macro_rules! export_target {
    ($target:ty) => {
        const _: () = {
            struct Exported;

            impl $crate::bindings::target::exports::towpath::plugin::target::Guest for Exported {
                fn describe(settings: String) -> Result<$crate::target::Descriptor, $crate::Fault> {
                    $crate::target::describe::<$target>(&settings)
                }

                fn observe(context: $crate::Context) -> Result<$crate::target::Observation, $crate::Fault> {
                    $crate::target::observe::<$target>(context)
                }

                fn reconcile(context: $crate::Context, desired: $crate::target::Desired) -> $crate::target::Progress {
                    $crate::target::reconcile::<$target>(context, &desired)
                }

                fn preview(context: $crate::Context, desired: $crate::target::Desired) -> Result<Vec<String>, $crate::Fault> {
                    $crate::target::preview::<$target>(context, &desired)
                }
            }

    $crate::bindings::target::export_target_world!(Exported with_types_in $crate::bindings::target);

            /// Read by the build from the core module; it is no export of the component.
            #[cfg(target_arch = "wasm32")]
            #[unsafe(export_name = "towpath:settings-schema/target@0.3.0")]
            extern "C" fn settings_schema() -> i32 {
                $crate::exported_schema::<<$target as $crate::Target>::Settings>()
            }
        };
    };
}
