//! Counts over runs, and the tables.

use std::fmt::Write;

use crate::policy::{LEVEL, Said};
use crate::world::{Kind, SECONDS, World};

/// What one policy said over all runs of one world.
#[derive(Default, Clone)]
pub(crate) struct Line {
    runs: u64,
    /// The seconds after which each alarm came.
    bad: Vec<u64>,
    /// The seconds after which each pass came.
    good: Vec<u64>,
}

impl Line {
    pub(crate) fn add(&mut self, said: Said) {
        self.runs += 1;
        match said {
            Said::Bad(at) => self.bad.push(at),
            Said::Good(at) => self.good.push(at),
            Said::Nothing => {}
        }
    }

    pub(crate) fn alarms(&self) -> f64 {
        self.bad.len() as f64 / self.runs as f64
    }

    /// The mean time to an alarm, a run without one counting as the whole time.
    pub(crate) fn seconds_or_all(&self) -> f64 {
        let missed = self.runs - self.bad.len() as u64;
        (self.bad.iter().sum::<u64>() + missed * SECONDS) as f64 / self.runs as f64
    }

    fn passes(&self) -> f64 {
        self.good.len() as f64 / self.runs as f64
    }
}

/// All lines of one world, in the order of the policies.
pub(crate) struct Measured<'a> {
    pub(crate) world: &'a World,
    pub(crate) lines: Vec<Line>,
    pub(crate) until_decided: Line,
    /// The mean time to an alarm of the best fixed interval for this world alone.
    pub(crate) alone: Option<f64>,
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn median(values: &[u64]) -> Option<u64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Returns the table of false alarms: one row for each world in which nothing is wrong.
pub(crate) fn false_alarms(policies: &[&str], all: &[Measured<'_>]) -> String {
    let mut text = format!("| World | {} |\n|---|{}\n", policies.join(" | "), "---|".repeat(policies.len()));
    for measured in all.iter().filter(|measured| !measured.world.bad) {
        let cells: Vec<String> = measured.lines.iter().map(|line| percent(line.alarms())).collect();
        writeln!(text, "| {} | {} |", measured.world.name, cells.join(" | ")).expect("a text takes text");
    }
    text
}

/// Returns the table of detection: for each world in which the candidate is bad, misses, the median time and the requests to an alarm.
pub(crate) fn detection(policies: &[&str], all: &[Measured<'_>], requests_per_second: f64) -> String {
    let mut text = format!("| World | {} |\n|---|{}\n", policies.join(" | "), "---|".repeat(policies.len()));
    for measured in all.iter().filter(|measured| measured.world.bad) {
        let cells: Vec<String> = measured
            .lines
            .iter()
            .map(|line| {
                let found = median(&line.bad).map_or_else(|| "–".to_owned(), |at| format!("{at} s"));
                format!("{} missed, {found}, {:.0}", percent(1.0 - line.alarms()), line.seconds_or_all() * requests_per_second)
            })
            .collect();
        writeln!(text, "| {} | {} |", measured.world.name, cells.join(" | ")).expect("a text takes text");
    }
    text
}

/// Returns the table of our policy where a proof that the candidate is good ends the watch.
pub(crate) fn until_decided(all: &[Measured<'_>]) -> String {
    let mut text =
        "| World | proven worse | proven good | neither | median time to \"good\" |\n|---|---|---|---|---|\n".to_owned();
    for measured in all {
        let line = &measured.until_decided;
        let (worse, good) = (line.alarms(), line.passes());
        let time = median(&line.good).map_or_else(|| "–".to_owned(), |at| format!("{at} s"));
        writeln!(
            text,
            "| {} | {} | {} | {} | {time} |",
            measured.world.name,
            percent(worse),
            percent(good),
            percent((1.0 - worse - good).max(0.0))
        )
        .expect("a text takes text");
    }
    text
}

/// Returns the table of the goal: requests to an alarm of ours, and of policies with a fixed interval whose false alarms are comparable.
pub(crate) fn goal(policies: &[&str], all: &[Measured<'_>], requests_per_second: f64) -> String {
    let mut text = "| World | ours | best of the peers' policies | ratio | one setting for all, in hindsight | ratio | a setting for this world alone, in hindsight | ratio |\n"
        .to_owned();
    text.push_str(&format!("{}\n", "|---".repeat(8) + "|"));
    let mut ratios: [Vec<f64>; 3] = Default::default();
    for measured in all.iter().filter(|measured| measured.world.bad) {
        let cost = |place: usize| measured.lines[place].seconds_or_all() * requests_per_second;
        let (ours, tuned) = (cost(0), cost(policies.len() - 1));
        let alone = measured.alone.map_or(f64::NAN, |seconds| seconds * requests_per_second);
        let peer = (1..policies.len() - 1)
            .filter(|place| comparable(*place, measured.world.kind, all))
            .min_by(|a, b| cost(*a).total_cmp(&cost(*b)));
        let (name, ratio) = peer.map_or_else(
            || ("none keeps to the level".to_owned(), "–".to_owned()),
            |place| (format!("{}: {:.0}", policies[place], cost(place)), format!("{:.2}", ours / cost(place))),
        );
        let (of_all, of_this) = (ours / tuned, ours / alone);
        ratios[0].extend(peer.map(|place| ours / cost(place)));
        ratios[1].push(of_all);
        ratios[2].push(of_this);
        writeln!(
            text,
            "| {} | {ours:.0} | {name} | {ratio} | {tuned:.0} | {of_all:.2} | {alone:.0} | {of_this:.2} |",
            measured.world.name
        )
        .expect("a text takes text");
    }
    let reached = ratios.map(|ratios| format!("{} of {}", ratios.iter().filter(|ratio| **ratio <= 0.5).count(), ratios.len()));
    let [peers, of_all, of_this] = reached;
    writeln!(
        text,
        "\nHalf or less: against the best of the peers' policies in {peers} worlds; against one setting in hindsight in {of_all}; against a setting\n\
         for each world alone in {of_this}."
    )
    .expect("a text takes text");
    text
}

/// Whether a policy keeps to twice the level in every world of the kind where nothing is wrong, our own hardest one (noise of each side its own) left out.
fn comparable(place: usize, kind: Kind, all: &[Measured<'_>]) -> bool {
    all.iter()
        .filter(|measured| !measured.world.bad && measured.world.kind == kind && !breaks_the_promise(measured.world))
        .all(|measured| measured.lines[place].alarms() <= 2.0 * LEVEL)
}

/// Whether requests of one side depend on each other, beyond what both sides share: no test of requests can keep its level there.
pub(crate) fn breaks_the_promise(world: &World) -> bool {
    world.name.ends_with("each side its own")
}
