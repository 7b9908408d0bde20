//! Shares as whole weights.

/// The largest weight that a server of HAProxy may have.
const WEIGHT_MAX: u64 = 256;

/// All of the traffic, in basis points.
const ALL: u64 = 10_000;

/// The weight of a side's servers where the other side has no traffic: the middle of what there is, so that one server among others that
/// somebody else looks after is given its part.
const ALONE: u32 = 100;

/// How far from what was asked for a share may be, in basis points: half of what can be asked for.
const ERROR_BASIS_POINTS_MAX: u64 = 50;

/// Returns the weight of each stable server and of each candidate server, so that the candidates together get a share of all requests.
/// An error says which share is the nearest.
pub(crate) fn weights(stable: u32, candidates: u32, basis_points: u16) -> Result<(u32, u32), String> {
    let share = u64::from(basis_points).min(ALL);
    let (stable, candidates) = (u64::from(stable), u64::from(candidates));
    match share {
        0 => return if stable > 0 { Ok((ALONE, 0)) } else { Err("no stable server is there to take all requests".to_owned()) },
        ALL => return if candidates > 0 { Ok((0, ALONE)) } else { Err("no candidate is there to take all requests".to_owned()) },
        _ if stable == 0 || candidates == 0 => {
            return Err(format!("{share} basis points need servers on both sides: {stable} stable, {candidates} candidate"));
        }
        _ => {}
    }
    // Small weights first: what takes turns in short rounds is even within them.
    let fitting = (1..=WEIGHT_MAX).map(|candidate| {
        let wanted = (ALL - share) * candidates * candidate;
        let of_stable = ((2 * wanted + share * stable) / (2 * share * stable)).clamp(1, WEIGHT_MAX);
        (off(stable * of_stable, candidates * candidate, share), of_stable, candidate)
    });
    let best = fitting.min_by_key(|(off, ..)| *off).expect("BUG: there are weights");
    let (off, of_stable, candidate) = best;
    if off > ERROR_BASIS_POINTS_MAX * DETAIL {
        let nearest = basis_points_of(stable * of_stable, candidates * candidate);
        return Err(format!(
            "{candidates} candidates beside {stable} stable servers cannot get {share} basis points, the nearest is {nearest}"
        ));
    }
    let small = |weight: u64| u32::try_from(weight).unwrap_or(u32::MAX);
    Ok((small(of_stable), small(candidate)))
}

/// Returns the share of a sum of weights beside another, in basis points.
pub(crate) fn basis_points_of(stable: u64, candidates: u64) -> u16 {
    match stable + candidates {
        0 => 0,
        all => u16::try_from((2 * ALL * candidates + all) / (2 * all)).unwrap_or(u16::MAX),
    }
}

/// Parts of a basis point in which an error is measured.
const DETAIL: u64 = 1_000;

fn off(stable: u64, candidates: u64, share: u64) -> u64 {
    (DETAIL * ALL * candidates / (stable + candidates)).abs_diff(DETAIL * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_percent_can_be_given_with_usual_numbers_of_servers() {
        // One candidate beside fifty cannot have nearly all: a weight is 256 at most.
        for (stable, candidates, most) in
            [(1, 1, 99), (2, 1, 99), (12, 12, 99), (12, 5, 99), (3, 7, 99), (50, 1, 80), (60, 60, 99)]
        {
            for percent in 1..=most {
                let (one, other) = weights(stable, candidates, percent * 100).unwrap_or_else(|why| panic!("{why}"));
                assert!((1..=256).contains(&one) && (1..=256).contains(&other), "{one}:{other}");
                let share = basis_points_of(u64::from(stable * one), u64::from(candidates * other));
                let error = share.abs_diff(percent * 100);
                assert!(error <= 50, "{percent} % of {stable}:{candidates} is {share}");
                assert!(stable != candidates || error == 0, "{percent} % of {stable}:{candidates} is {share}");
            }
        }
    }

    #[test]
    fn what_cannot_be_given_is_said() {
        assert_eq!(weights(3, 3, 0), Ok((100, 0)));
        assert_eq!(weights(3, 3, 10_000), Ok((0, 100)));
        assert_eq!(weights(0, 1, 10_000), Ok((0, 100)));
        assert_eq!(weights(1, 1, 500), Ok((19, 1)));
        assert!(weights(0, 3, 500).expect_err("no").contains("0 stable"));
        assert!(weights(0, 0, 0).expect_err("no").contains("no stable server"));
        assert!(weights(1, 0, 10_000).expect_err("no").contains("no candidate"));
        let far = weights(1, 120, 100).expect_err("no");
        assert!(far.contains("120 candidates") && far.contains("nearest"), "{far}");
        assert_eq!((basis_points_of(0, 0), basis_points_of(19, 1), basis_points_of(0, 7)), (0, 500, 10_000));
    }
}
