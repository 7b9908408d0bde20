//! What the target cannot serve is refused here, with exactly what is missing; it is never ignored.

use model::{BasisPoints, MatchOn, Sticky};

use super::resolver::Resolver;
use crate::text::reader::Setting;
use crate::text::source::Span;

impl Resolver<'_> {
    fn missing(&mut self, span: Span, message: &str, missing: &str) {
        let target = self.input.environment.target.clone();
        self.refuse(span, message, format!("the target {target:?} {missing}"));
    }

    /// Asks for traffic by weight at all. Returns whether it can be had.
    pub(crate) fn needs_weights(&mut self, strategy: &str) -> bool {
        if !self.input.target.weights {
            let span = self.input.path.rules.strategy_span;
            let message = format!("the strategy {strategy} is not possible here");
            self.missing(span, &message, "cannot split traffic by weight");
        }
        self.input.target.weights
    }

    /// Asks for one weight.
    pub(crate) fn needs_weight<T>(&mut self, setting: &Setting<T>, weight: BasisPoints) {
        let unit = self.input.target.weight_granularity;
        if unit > BasisPoints::NONE && !weight.get().is_multiple_of(unit.get()) {
            let target = &self.input.environment.target;
            let missing = format!("the target {target:?} moves traffic in steps of {unit}, found {weight}");
            self.refuse_setting(setting, "this weight is not possible here", missing);
        }
    }

    pub(crate) fn needs_switch(&mut self) {
        if !self.input.target.instant_switch {
            let span = self.input.path.rules.strategy_span;
            self.missing(span, "the strategy blue-green is not possible here", "cannot move all traffic at once");
        }
    }

    pub(crate) fn needs_sticky(&mut self, span: Span, sticky: &Sticky) {
        let by = match sticky {
            Sticky::Header(name) => format!("header {name:?}"),
            Sticky::Cookie(name) => format!("cookie {name:?}"),
        };
        if !self.input.target.sticky {
            self.missing(span, "callers cannot be kept on one side here", &format!("has no stickiness, wanted by {by}"));
        }
    }

    pub(crate) fn needs_match(&mut self, span: Span, on: &MatchOn) {
        let (can, missing) = match on {
            MatchOn::Header(name) => (self.input.target.header_match, format!("cannot look at the header {name:?}")),
            MatchOn::Cookie(name) => (self.input.target.cookie_match, format!("cannot look at the cookie {name:?}")),
        };
        if !can {
            self.missing(span, "this match is not possible here", &missing);
        }
    }

    pub(crate) fn needs_mirror(&mut self, span: Span) {
        if !self.input.target.mirror {
            self.missing(span, "requests cannot be mirrored here", "cannot copy requests");
        }
    }
}
