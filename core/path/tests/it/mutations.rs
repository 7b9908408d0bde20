//! Damaged files are refused or taken, and never more than that: no panic, no endless work.

use crate::support::{BLUE_GREEN, CANARY, HELLO, LOCAL, ROLLING, SCRUTINISED, World, scrutinised};

/// Enough to meet every construct of the examples several times and to be over in seconds.
const MUTATIONS: u64 = 1_000;

/// What people and tools break files with.
const PIECES: [&str; 24] = [
    "${",
    "}",
    "{",
    "[",
    "]",
    ":",
    "- ",
    "\"",
    "'",
    "\n",
    "  ",
    "&a ",
    "*a",
    "!!str ",
    "<<: ",
    "%",
    "5%",
    "-1",
    "99999999999999999999",
    "null",
    "\u{0}",
    "\u{1b}",
    "é",
    "${parameters.port}",
];

/// A small generator of our own: the same numbers everywhere (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap_or(0)
    }

    /// Returns the text with one piece cut out, put in, doubled or replaced.
    fn mutated(&mut self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let from = self.below(chars.len());
        let to = (from + self.below(12)).min(chars.len());
        let (head, cut, tail) = (&chars[..from], &chars[from..to], &chars[to..]);
        let piece: Vec<char> = match self.below(4) {
            0 => Vec::new(),
            1 => PIECES[self.below(PIECES.len())].chars().collect(),
            2 => [cut, cut].concat(),
            _ => PIECES[self.below(PIECES.len())].chars().chain(cut.iter().copied()).collect(),
        };
        [head, &piece, tail].concat().into_iter().collect()
    }
}

#[test]
fn a_damaged_file_never_panics() {
    let mut random = Random(0x5eed);
    let (mut taken, mut refused) = (0, 0);
    let watched = scrutinised(SCRUTINISED);
    for round in 0..MUTATIONS {
        let path = [CANARY, BLUE_GREEN, ROLLING, &watched][random.below(4)];
        let mut world = if round % 2 == 0 { World::of(path) } else { World::plain(path) };
        for _ in 0..=random.below(3) {
            match random.below(4) {
                0 => world.service = random.mutated(&world.service),
                1 => world.environment = random.mutated(&world.environment),
                _ => world.path = random.mutated(&world.path),
            }
        }
        match world.compile() {
            Ok(_) => taken += 1,
            Err(found) => {
                refused += 1;
                assert!(!path::render_diagnostics(&found).is_empty());
            }
        }
    }
    assert!(taken > 0 && refused > 0, "the mutations meet both ends: {taken} taken, {refused} refused");
}

#[test]
fn whole_files_in_the_wrong_place_are_refused() {
    for text in [HELLO, LOCAL] {
        assert!(path::parse_path(text, "wrong.yaml").is_err());
    }
    assert!(path::parse_service(CANARY, "wrong.yaml").is_err());
    assert!(path::parse_environment(HELLO, "wrong.yaml").is_err());
    assert!(path::parse_path(&"x".repeat(300 * 1024), "long.yaml").is_err());
    assert!(path::parse_path(&"- a\n".repeat(30_000), "many.yaml").is_err());
}
