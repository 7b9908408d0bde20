//! Gates: a yes/no/wait question, asked once before a step.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

pub use crate::bindings::gate::exports::towpath::plugin::gate::{Answer, Evidence, Verdict};
use crate::{Context, Measurement, settings};

/// A gate. It fails closed: no evidence is no pass.
pub trait Gate {
    /// How it is set up.
    type Settings: DeserializeOwned + JsonSchema;

    /// Answers the question.
    fn evaluate(question: &Question<Self::Settings>) -> Answer;
}

/// What a gate is given.
pub struct Question<S> {
    /// The call's context.
    pub context: Context,
    /// The settings.
    pub settings: S,
    /// What CI attached to the artifact.
    pub evidence: Vec<Evidence>,
}

impl Answer {
    fn new(verdict: Verdict, sentence: impl Into<String>) -> Self {
        Self { verdict, measurements: Vec::new(), sentence: sentence.into() }
    }

    /// The step may go on.
    pub fn pass(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, sentence)
    }

    /// It may not.
    pub fn fail(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, sentence)
    }

    /// Nobody knows yet; ask again after so many milliseconds.
    pub fn wait(milliseconds: u32, sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Wait(milliseconds), sentence)
    }

    /// The gate could not find out.
    pub fn error(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Error, sentence)
    }

    /// Returns the answer with the numbers it rests on.
    #[must_use]
    pub fn measured(mut self, measurements: impl IntoIterator<Item = Measurement>) -> Self {
        self.measurements.extend(measurements);
        self
    }
}

#[doc(hidden)]
pub fn evaluate<G: Gate>(context: Context, evidence: Vec<Evidence>) -> Answer {
    crate::panics::report();
    match settings::parse(&context.settings) {
        Ok(settings) => G::evaluate(&Question { context, settings, evidence }),
        Err(sentence) => Answer::error(sentence),
    }
}

/// Makes a component of a [`Gate`].
#[macro_export]
macro_rules! export_gate {
    ($gate:ty) => {
        const _: () = {
            struct Exported;

            impl $crate::bindings::gate::exports::towpath::plugin::gate::Guest for Exported {
                fn evaluate(context: $crate::Context, evidence: Vec<$crate::gate::Evidence>) -> $crate::gate::Answer {
                    $crate::gate::evaluate::<$gate>(context, evidence)
                }
            }

    $crate::bindings::gate::export_gate_world!(Exported with_types_in $crate::bindings::gate);

            /// Read by the build from the core module; it is no export of the component.
            #[cfg(target_arch = "wasm32")]
            #[unsafe(export_name = "towpath:settings-schema/gate@0.3.0")]
            extern "C" fn settings_schema() -> i32 {
                $crate::exported_schema::<<$gate as $crate::Gate>::Settings>()
            }
        };
    };
}
