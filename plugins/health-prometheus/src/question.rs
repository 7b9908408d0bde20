//! What is asked: the PromQL of a metric, filled for each party whose number a condition speaks of, and the time that it is about.

use towpath_sdk::health::Subject;
use towpath_sdk::helpers::placeholders::{Placeholders, quoted};
use towpath_sdk::prelude::*;

use crate::settings::{Metric, Settings};

/// The longest query after its placeholders were filled, in bytes.
const FILLED_BYTES_MAX: usize = 16 * 1_024;

/// Whose number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Candidate,
    Stable,
    /// The stable side before the watch.
    Baseline,
}

impl Party {
    /// In the order of a condition's names.
    pub(crate) const ALL: [Self; 3] = [Self::Candidate, Self::Stable, Self::Baseline];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "the candidate",
            Self::Stable => "stable",
            Self::Baseline => "the baseline",
        }
    }
}

/// What is asked for one metric.
pub(crate) struct Questions<'a> {
    pub(crate) metric: &'a Metric,
    /// In the order of [`Party::ALL`]; nothing where no condition speaks of the number, and why where it cannot be asked for.
    pub(crate) parties: [Option<Result<Asked, String>>; 3],
}

/// What is asked about one party.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) party: Party,
    pub(crate) value: String,
    pub(crate) samples: Option<String>,
    /// A selector of series that must be fresh; none for the past.
    pub(crate) series: Option<String>,
    /// How long ago the time that is looked at ends; `None` for now.
    pub(crate) back_ms: Option<u64>,
    /// How long the range is.
    pub(crate) over_ms: u64,
}

impl<'a> Questions<'a> {
    /// Fills the queries of a metric. The error is a sentence: a placeholder that is not known, or one query for both sides.
    pub(crate) fn of(metric: &'a Metric, look: &Look<Settings>, elapsed_ms: u64) -> Result<Self, String> {
        let [success, failure] = [&metric.success, &metric.failure].map(|condition| condition.as_ref().map(|c| c.uses()));
        let uses = |place: usize| [success, failure].iter().flatten().any(|uses| uses[place]);
        let of = |why: String| format!("metric {:?}: {why}", metric.name);
        let mut parties = [None, None, None];
        for (place, party) in Party::ALL.into_iter().enumerate().filter(|(place, _)| uses(*place)) {
            let subject = match party {
                Party::Candidate => look.subjects.candidate.as_ref(),
                Party::Stable | Party::Baseline => look.subjects.stable.as_ref(),
            };
            parties[place] = Some(match subject {
                Some(subject) => Ok(Asked::of(party, metric, look, subject, elapsed_ms).map_err(of)?),
                None => Err("there is no stable side".to_owned()),
            });
        }
        if let [Some(Ok(candidate)), Some(Ok(stable)), _] = &parties
            && candidate.value == stable.value
        {
            return Err(of(
                "the query asks the same about candidate and stable; have it say $release, $label or $side".to_owned()
            ));
        }
        Ok(Self { metric, parties })
    }
}

impl Asked {
    fn of(party: Party, metric: &Metric, look: &Look<Settings>, subject: &Subject, elapsed_ms: u64) -> Result<Self, String> {
        let side = if party == Party::Candidate { Side::Candidate } else { Side::Stable };
        // Whole seconds: as people read them, and never longer than the watch.
        let window_ms = metric.look_back.ms.min(elapsed_ms / 1_000 * 1_000);
        let window = crate::Span { ms: window_ms }.to_string();
        let known = Placeholders::of(&look.context).on(side, subject).and("window", window);
        let fill = |text: &str| {
            let filled = known.fill(text, quoted)?;
            match filled.len() {
                ..=FILLED_BYTES_MAX => Ok(filled),
                length => Err(format!("the filled query has {length} bytes, at most {FILLED_BYTES_MAX} are asked")),
            }
        };
        let query = match party {
            Party::Candidate => &metric.query,
            Party::Stable => metric.stable_query.as_ref().unwrap_or(&metric.query),
            Party::Baseline => metric.baseline_query.as_ref().unwrap_or(&metric.query),
        };
        let is_past = party == Party::Baseline;
        let series = metric.fresh.as_ref().filter(|_| !is_past).map(|fresh| fill(&fresh.series.0)).transpose()?;
        let samples = metric.samples.as_ref().map(|samples| fill(&samples.query)).transpose()?;
        let before = metric.baseline_offset.map_or(elapsed_ms, |offset| offset.ms);
        // No value of a range may look back to before the watch: not the first one either.
        let reach_ms = if query.contains("$window") { window_ms } else { 0 };
        let over_ms = metric.range.map_or(0, |range| range.over.ms.min(elapsed_ms - reach_ms));
        Ok(Self { party, value: fill(query)?, samples, series, back_ms: is_past.then_some(before), over_ms })
    }
}
