//! Health checks: asked repeatedly while the candidate takes traffic.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::bindings::health::exports::towpath::plugin::health::{Assessment, Subject, Subjects, Verdict, Window};
pub use crate::judged::Judged;
use crate::powers::clock;
use crate::{Context, Measurement, settings};

/// A health check.
///
/// It fails closed: no data is [`Assessment::inconclusive`], never healthy; a trap counts as an error.
pub trait HealthCheck {
    /// How it is set up.
    type Settings: DeserializeOwned + JsonSchema;

    /// Takes a look and judges. Short: what needs time is spread over several looks, with a state carried between them.
    fn assess(look: &Look<Self::Settings>) -> Assessment;
}

/// What a check is given for one look.
pub struct Look<S> {
    /// The call's context.
    pub context: Context,
    /// The settings.
    pub settings: S,
    /// What is judged.
    pub subjects: Subjects,
    /// The time that is judged.
    pub window: Window,
}

impl<S> Look<S> {
    /// Returns where the candidate alone is reached, if it is.
    pub fn candidate_endpoint(&self) -> Option<&str> {
        self.subjects.candidate.as_ref()?.endpoint.as_deref()
    }

    /// Returns how long the call may still take, in milliseconds; 0 when its time is over.
    pub fn left_ms(&self) -> u32 {
        let left_ms = self.context.deadline_ms.saturating_sub(clock::now_ms()).max(0);
        u32::try_from(left_ms).unwrap_or(u32::MAX)
    }

    /// Returns what the last look left, or the default.
    pub fn state<T: DeserializeOwned + Default>(&self) -> T {
        settings::parse_state(self.context.state.as_deref())
    }
}

impl Subject {
    /// Returns a side as a test has it: one ready unit that takes no traffic yet, labelled as its release.
    pub fn new(release: impl Into<String>) -> Self {
        let release = release.into();
        let artifact_digest = format!("sha256:{}", "0".repeat(64));
        Self { label: release.clone(), release, artifact_digest, endpoint: None, ready: 1, wanted: 1, basis_points: 0 }
    }
}

impl Assessment {
    fn new(verdict: Verdict, sentence: impl Into<String>) -> Self {
        Self { verdict, measurements: Vec::new(), sentence: sentence.into(), state: None, next_look_ms: None }
    }

    /// The candidate is well.
    pub fn healthy(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Healthy, sentence)
    }

    /// It is not.
    pub fn unhealthy(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Unhealthy, sentence)
    }

    /// There is not enough to tell.
    pub fn inconclusive(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Inconclusive, sentence)
    }

    /// The check itself failed.
    pub fn error(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Error, sentence)
    }

    /// Returns the assessment with the numbers it rests on.
    #[must_use]
    pub fn measured(mut self, measurements: impl IntoIterator<Item = Measurement>) -> Self {
        self.measurements.extend(measurements);
        self
    }

    /// Returns the assessment with what the next look is to be given.
    #[must_use]
    pub fn remembering(mut self, state: &impl Serialize) -> Self {
        self.state = serde_json::to_vec(state).ok();
        self
    }
}

#[doc(hidden)]
pub fn assess<C: HealthCheck>(context: Context, subjects: Subjects, window: Window) -> Assessment {
    crate::panics::report();
    match settings::parse(&context.settings) {
        Ok(settings) => C::assess(&Look { context, settings, subjects, window }),
        Err(sentence) => Assessment::error(sentence),
    }
}

/// Makes a component of a [`HealthCheck`].
#[macro_export]
macro_rules! export_health_check {
    ($check:ty) => {
        const _: () = {
            struct Exported;

            impl $crate::bindings::health::exports::towpath::plugin::health::Guest for Exported {
                fn assess(
                    context: $crate::Context,
                    subjects: $crate::health::Subjects,
                    window: $crate::health::Window,
                ) -> $crate::health::Assessment {
                    $crate::health::assess::<$check>(context, subjects, window)
                }
            }

    $crate::bindings::health::export_health_world!(Exported with_types_in $crate::bindings::health);

            /// Read by the build from the core module; it is no export of the component.
            #[cfg(target_arch = "wasm32")]
            #[unsafe(export_name = "towpath:settings-schema/health@0.3.0")]
            extern "C" fn settings_schema() -> i32 {
                $crate::exported_schema::<<$check as $crate::HealthCheck>::Settings>()
            }
        };
    };
}
