//! Which side a request is meant for: matches first, then stickiness, then the weight. Pure.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::protocol::{BASIS_POINTS_ALL, Match, Side, Sticky, Traffic};

/// 2^64 divided by the golden ratio. Its multiples, taken modulo 2^64, spread more evenly than those of any other step (Knuth, The Art
/// of Computer Programming, volume 3, 6.4): after n requests a share is off by a handful at most, and it does not beat in time with
/// callers that repeat themselves every few requests, as counting up to the weight would.
const GOLDEN_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The rules in force, ready to be looked at for every request.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The same as it was asked for, for the status.
    pub(crate) traffic: Traffic,
    matches: Vec<Rule>,
    sticky: Option<Source>,
}

#[derive(Clone, Debug)]
struct Rule {
    source: Source,
    value: String,
    side: Side,
}

#[derive(Clone, Debug)]
enum Source {
    Header(HeaderName),
    Cookie(String),
}

impl Rules {
    /// Returns the rules of a state that was checked.
    pub(crate) fn new(traffic: &Traffic) -> Self {
        let sticky = traffic.sticky.as_ref().and_then(|sticky| match sticky {
            Sticky::Cookie(name) => Some(Source::Cookie(name.clone())),
            Sticky::Header(name) => name.parse().ok().map(Source::Header),
        });
        Self { matches: traffic.matches.iter().filter_map(rule).collect(), sticky, traffic: traffic.clone() }
    }

    /// Returns the side that a request is meant for. `turn` counts the requests of the service.
    pub(crate) fn side(&self, headers: &HeaderMap, turn: u64) -> Side {
        if let Some(rule) = self.matches.iter().find(|rule| rule.source.value(headers) == Some(rule.value.as_bytes())) {
            return rule.side;
        }
        let sticky = self.sticky.as_ref().and_then(|source| source.value(headers));
        let point = sticky.map_or_else(|| point_of_turn(turn), point_of_value);
        match point < self.traffic.candidate_basis_points {
            true => Side::Candidate,
            false => Side::Stable,
        }
    }

    /// Returns whether a request of the stable side is copied. `turn` counts the stable side's requests.
    pub(crate) fn mirrors(&self, turn: u64) -> bool {
        point_of_turn(turn) < self.traffic.mirror_basis_points
    }

    /// Returns whether `side` may stand in for the other one. The stable side is known good. The candidate is not: where nobody gave it
    /// a share of the traffic, it gets none by accident.
    pub(crate) fn may_stand_in(&self, side: Side) -> bool {
        match side {
            Side::Stable => true,
            Side::Candidate => self.traffic.candidate_basis_points > 0,
        }
    }
}

fn rule(rule: &Match) -> Option<Rule> {
    let source = match (&rule.header, &rule.cookie) {
        (Some(name), _) => Source::Header(name.parse().ok()?),
        (None, Some(name)) => Source::Cookie(name.clone()),
        (None, None) => return None,
    };
    Some(Rule { source, value: rule.value.clone(), side: rule.side })
}

impl Source {
    fn value<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        match self {
            Self::Header(name) => headers.get(name).map(HeaderValue::as_bytes),
            Self::Cookie(name) => headers.get_all(header::COOKIE).iter().find_map(|cookies| cookie(cookies.as_bytes(), name)),
        }
    }
}

/// Finds a cookie in a `Cookie` header (RFC 6265, 4.2.1).
fn cookie<'a>(cookies: &'a [u8], name: &str) -> Option<&'a [u8]> {
    cookies.split(|b| *b == b';').find_map(|pair| {
        let pair = pair.trim_ascii();
        let equals = pair.iter().position(|b| *b == b'=')?;
        (&pair[..equals] == name.as_bytes()).then(|| &pair[equals + 1..])
    })
}

fn point_of_turn(turn: u64) -> u16 {
    point(turn.wrapping_mul(GOLDEN_STEP))
}

/// FNV-1a with the last mixing steps of SplitMix64. Not std's hasher: a caller must stay on its side over restarts and updates.
fn point_of_value(value: &[u8]) -> u16 {
    let hash =
        value.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    point(hash ^ (hash >> 31))
}

/// Scales all of 2^64 down to 0..10 000.
fn point(hash: u64) -> u16 {
    let scaled = (u128::from(hash) * u128::from(BASIS_POINTS_ALL)) >> 64;
    u16::try_from(scaled).unwrap_or(BASIS_POINTS_ALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(candidate_basis_points: u16) -> Rules {
        let header = Match { header: Some("X-Beta".to_owned()), cookie: None, value: "1".to_owned(), side: Side::Candidate };
        let cookie = Match { header: None, cookie: Some("pin".to_owned()), value: "old".to_owned(), side: Side::Stable };
        Rules::new(&Traffic {
            candidate_basis_points,
            matches: vec![header, cookie],
            mirror_basis_points: 0,
            sticky: Some(Sticky::Cookie("user".to_owned())),
            release_header: false,
        })
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn every_weight_is_met_over_any_two_thousand_requests() {
        for weight in [0_u16, 1, 10, 500, 2500, 3333, 5000, 9999, 10_000] {
            for start in [0, 1, 77, u64::MAX - 1000] {
                let none = HeaderMap::new();
                let rules = rules(weight);
                let turns = (0..2000_u64).map(|n| start.wrapping_add(n));
                let hits = turns.filter(|turn| rules.side(&none, *turn) == Side::Candidate).count() as f64;
                let expect = 2000.0 * f64::from(weight) / 10_000.0;
                assert!((hits - expect).abs() <= 3.0, "weight {weight} from {start}: {hits} of 2000, expected {expect}");
            }
        }
    }

    #[test]
    fn callers_that_take_turns_get_the_same_share() {
        // Counting up to the weight would send all of one caller's requests to one side here.
        let none = HeaderMap::new();
        let hits = (0..2000).filter(|n| n % 2 == 0 && rules(5000).side(&none, *n) == Side::Candidate).count();
        assert!((480..=520).contains(&hits), "{hits} of 1000");
    }

    #[test]
    fn a_match_wins_over_stickiness_and_weight() {
        let check = |pairs: &[(&'static str, &str)], weight: u16, expect: Side| {
            assert_eq!(rules(weight).side(&headers(pairs), 0), expect, "{pairs:?} at {weight}");
        };
        check(&[("x-beta", "1")], 0, Side::Candidate);
        check(&[("x-beta", "2")], 0, Side::Stable);
        check(&[("cookie", "a=b; pin=old; user=1")], 10_000, Side::Stable);
        check(&[("cookie", "a=b; pin=older")], 10_000, Side::Candidate);
        check(&[("cookie", "a=b"), ("x-beta", "1"), ("cookie", "pin=old")], 0, Side::Candidate);
    }

    #[test]
    fn a_growing_weight_moves_sticky_callers_one_way() {
        let mut moved = 0;
        for user in 0..1000 {
            let headers = headers(&[("cookie", &format!("user={user}"))]);
            let sides: Vec<Side> = (0..=10_000).step_by(500).map(|weight| rules(weight).side(&headers, weight.into())).collect();
            assert!(sides.is_sorted(), "user {user} moved back: {sides:?}");
            moved += usize::from(rules(2500).side(&headers, 0) == Side::Candidate);
        }
        assert!((200..=300).contains(&moved), "{moved} of 1000 at 25 %");
    }
}
