//! Rolling: batch by batch, the old makes room as the new proves itself.

use model::{BasisPoints, Percent, Phase, Routing, WatchSpec};

use super::resolver::Resolver;
use super::steps::{Stand, Steps};
use super::watch::FirstWatch;
use crate::rules::strategy::{BatchRule, WatchRule};

/// The most batches: each is four steps, and a plan must stay readable.
const BATCHES_MAX: u32 = 25;

/// A rolling replacement whose values are known.
pub(crate) struct Rolling {
    /// The candidate's share after each batch; the last is all of it.
    shares: Vec<Percent>,
    pub(crate) watch: WatchSpec,
    /// What watches the first batch.
    first: FirstWatch,
}

/// Returns the batches, or `None` with diagnostics.
pub(crate) fn resolve(resolver: &mut Resolver<'_>, batches: &BatchRule, watch: &WatchRule) -> Option<Rolling> {
    let served = resolver.needs_weights("rolling");
    let count = count(resolver, batches)?;
    let shares: Vec<Percent> = (1..=count).map(|batch| share(batch, count, batches, resolver)).collect();
    if served {
        for weight in shares.iter().map(|share| weight_of(*share)) {
            match batches {
                BatchRule::Count(setting) => resolver.needs_weight(setting, weight),
                BatchRule::Share(setting) => resolver.needs_weight(setting, weight),
            }
        }
    }
    let usual = resolver.watch(watch, resolver.input.path.rules.on_failure)?;
    let first = resolver.first_watch(watch, &usual)?;
    Some(Rolling { shares, watch: usual, first })
}

fn count(resolver: &mut Resolver<'_>, batches: &BatchRule) -> Option<u32> {
    let count = match batches {
        BatchRule::Count(setting) => resolver.value(setting)?,
        BatchRule::Share(setting) => {
            let share = u32::from(resolver.value(setting)?.get());
            u32::from(Percent::FULL.get()).div_ceil(share.max(1))
        }
    };
    if (1..=BATCHES_MAX).contains(&count) {
        return Some(count);
    }
    let (message, label) = ("this many batches are not possible", format!("expected 1 to {BATCHES_MAX} batches, found {count}"));
    match batches {
        BatchRule::Count(setting) => resolver.refuse_setting(setting, message, label),
        BatchRule::Share(setting) => resolver.refuse_setting(setting, message, label),
    }
    None
}

/// Returns the candidate's share after a batch: whole batches of the given share, or the whole cut into equal parts.
fn share(batch: u32, count: u32, batches: &BatchRule, resolver: &mut Resolver<'_>) -> Percent {
    let full = u32::from(Percent::FULL.get());
    let percent = match batches {
        BatchRule::Share(setting) => u32::from(resolver.value(setting).unwrap_or(Percent::FULL).get()) * batch,
        BatchRule::Count(_) => (full * batch).div_ceil(count),
    };
    u8::try_from(percent.min(full)).ok().and_then(Percent::new).unwrap_or(Percent::FULL)
}

fn weight_of(share: Percent) -> BasisPoints {
    BasisPoints::new(u16::from(share.get()) * 100).unwrap_or(BasisPoints::ALL)
}

impl Rolling {
    /// Writes down the steps up to the promotion. Each batch: capacity up, weight over, watch, old capacity down.
    pub(crate) fn write(&self, steps: &mut Steps) {
        let (mut stable, mut weight) = (Percent::FULL, BasisPoints::NONE);
        let batches = self.shares.len();
        for (batch, share) in self.shares.iter().enumerate().map(|(index, share)| (index + 1, *share)) {
            let phase = if batch == 1 { Phase::Provisioning } else { Phase::Shifting };
            let stand = |stable, weight| Stand { stable, candidate: share, routing: Routing::weights(weight) };
            let reason = format!("batch {batch} of {batches} comes up before the old makes room");
            steps.reconcile(&format!("surge-{batch}"), phase, stand(stable, weight), reason);
            weight = weight_of(share);
            let reason = format!("{share} of the capacity takes {weight} of the traffic");
            steps.reconcile(&format!("shift-{batch}"), Phase::Shifting, stand(stable, weight), reason);
            let reason = format!("batch {batch} must prove itself before the next");
            let (watch, reason) = match batch {
                1 => (&self.first.spec, self.first.reason(reason)),
                _ => (&self.watch, reason),
            };
            steps.watch(&format!("watch-{batch}"), Phase::Shifting, watch.clone(), reason);
            if share < Percent::FULL {
                stable = Percent::new(Percent::FULL.get() - share.get()).unwrap_or(Percent::NONE);
                let reason = "the old makes room for what the candidate serves";
                steps.reconcile(&format!("shrink-{batch}"), Phase::Shifting, stand(stable, weight), reason);
            }
        }
    }

    /// Returns whether the old release still stands by at full capacity behind the last batch.
    pub(crate) fn old_stands_by(&self) -> bool {
        self.shares.len() == 1
    }
}
