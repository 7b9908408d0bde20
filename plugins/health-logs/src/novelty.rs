//! Forms of lines that the candidate writes and stable never wrote: in the watch, and before it as far as one looks back.

use serde::{Deserialize, Serialize};
use towpath_sdk::helpers::text::clean;
use towpath_sdk::prelude::*;

use crate::finding::{Finding, counted};
use crate::forms::{Form, join};
use crate::mask::mask;
use crate::pattern::Patterns;
use crate::settings::NewPatterns;
use crate::source::Line;

/// Forms of stable that are remembered: a large service has some hundred. They are most of what the check may keep.
const KNOWN_MAX: usize = 400;

/// Forms of the candidate that stable never wrote and that are remembered, the most frequent ones.
const FRESH_MAX: usize = 50;

/// The longest example of a form that is kept, in characters.
const EXAMPLE_MAX: usize = 140;

/// New forms that a sentence shows; of the others it tells the number.
const SHOWN_MAX: usize = 2;

/// What was seen of forms in a watch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Forms {
    /// Stable's.
    known: Vec<Form>,
    /// Whether stable has more than are remembered.
    overflowed: bool,
    /// Lines of stable that they are known from.
    known_from: u64,
    /// The candidate's that are none of stable's.
    fresh: Vec<Fresh>,
    /// Lines of the candidate that were looked at.
    looked_at: u64,
}

/// A form that stable never wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Fresh {
    form: Form,
    lines: u32,
    /// A line of it, with all that varies masked.
    example: String,
}

impl Forms {
    /// Takes lines of stable: what they look like is usual.
    pub(crate) fn learn(&mut self, rule: &NewPatterns, lines: &[Line]) {
        for line in wanted(rule, lines) {
            self.known_from = self.known_from.saturating_add(1);
            let form = Form::of(&mask(&line.text));
            if join(&mut self.known, &form, |known| known).is_some() {
                continue;
            }
            if self.known.len() < KNOWN_MAX {
                self.known.push(form);
            } else {
                self.overflowed = true;
            }
        }
        let known = &self.known;
        self.fresh.retain(|fresh| !known.iter().any(|known| known.covers(&fresh.form)));
    }

    /// Takes lines of the candidate.
    pub(crate) fn take(&mut self, rule: &NewPatterns, lines: &[Line]) {
        for line in wanted(rule, lines) {
            self.looked_at = self.looked_at.saturating_add(1);
            let masked = mask(&line.text);
            let form = Form::of(&masked);
            if self.known.iter().any(|known| known.covers(&form)) {
                continue;
            }
            match join(&mut self.fresh, &form, |fresh| &mut fresh.form) {
                Some(fresh) => fresh.lines = fresh.lines.saturating_add(1),
                None => self.remember(Fresh { form, lines: 1, example: clean(&masked, EXAMPLE_MAX) }),
            }
        }
    }

    /// Says what is known now. `lines_min` is how many lines of stable must be known.
    pub(crate) fn judge(&self, rule: &NewPatterns, lines_min: u64) -> Finding {
        let mut new: Vec<&Fresh> = self.fresh.iter().filter(|fresh| fresh.lines >= rule.lines_min).collect();
        new.sort_by_key(|fresh| std::cmp::Reverse(fresh.lines));
        let (found, max) = (u32::try_from(new.len()).unwrap_or(u32::MAX), rule.max);
        let (verdict, sentence) = if self.known_from < lines_min {
            let known = counted(self.known_from, "line");
            (Verdict::Inconclusive, format!("{known} of stable are known, {lines_min} are needed to tell which patterns are new"))
        } else if self.overflowed {
            let why = format!(
                "stable writes more than {KNOWN_MAX} patterns, so that it is not known which are new; narrow newPatterns.matches"
            );
            (Verdict::Inconclusive, why)
        } else if found > max {
            (Verdict::Unhealthy, format!("{}, at most {max} may be: {}", counted(found.into(), "new pattern"), shown(&new)))
        } else {
            let known = counted(self.known.len() as u64, "pattern");
            (Verdict::Healthy, format!("{} beside {known} of stable, {max} may be", counted(found.into(), "new pattern")))
        };
        let measured = |name: &str, value: f64| Measurement::new(name, value, "1");
        let new =
            measured("new-patterns", f64::from(found)).on(Side::Candidate).against(f64::from(max)).of_samples(self.looked_at);
        let known = measured("patterns-known", self.known.len() as f64).on(Side::Stable).of_samples(self.known_from);
        Finding { verdict, sentence, measurements: vec![new, known] }
    }

    /// Remembers a form; where there is no room, in the place of the rarest.
    fn remember(&mut self, fresh: Fresh) {
        if self.fresh.len() < FRESH_MAX {
            self.fresh.push(fresh);
        } else if let Some(rarest) = self.fresh.iter_mut().min_by_key(|fresh| fresh.lines) {
            *rarest = fresh;
        }
    }
}

fn wanted<'a>(rule: &'a NewPatterns, lines: &'a [Line]) -> impl Iterator<Item = &'a Line> {
    lines.iter().filter(|line| rule.matches.is_empty() || rule.matches.fit(&line.text))
}

fn shown(new: &[&Fresh]) -> String {
    let mut shown: Vec<_> = new
        .iter()
        .take(SHOWN_MAX)
        .map(|fresh| format!("{:?} ({})", fresh.example, counted(fresh.lines.into(), "line")))
        .collect();
    if new.len() > SHOWN_MAX {
        shown.push(format!("and {} more", new.len() - SHOWN_MAX));
    }
    shown.join(", ")
}
