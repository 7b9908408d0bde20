//! Broken components: cut off anywhere, or with bits turned over. Never a panic, never the end of the host, always within its time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use hostile::Forge;
use plugin_host::{Grants, PluginHost};

use crate::fixture::{assess_as, host, neighbour_is_well};

/// What the mutations begin from unless somebody asks for another: another number is another two thousand components.
const SEED: u64 = 0x70a7_7001;

/// Names the number to begin from: `SEED=7 cargo test -p hostile mutations`.
const SEED_VARIABLE: &str = "SEED";

fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for other mutations, or for those of a failure")]
    let Ok(asked) = std::env::var(SEED_VARIABLE) else { return SEED };
    let digits = asked.strip_prefix("0x");
    let number = digits.map_or_else(|| asked.parse(), |digits| u64::from_str_radix(digits, 16));
    number.unwrap_or_else(|_| panic!("{SEED_VARIABLE} is {asked:?}; wanted is a number like 7 or 0x70a77001"))
}

/// Mutated components of the small one that are loaded, and called where they load.
const MUTATIONS: u64 = 2_000;

/// Mutated components of one that ships: each takes a hundred times as long to compile.
const MUTATIONS_LARGE: u64 = 30;

/// How long a mutated component may be called.
const CALL: Duration = Duration::from_millis(50);

/// How long one component may take altogether.
const EACH_MAX: Duration = Duration::from_secs(20);

/// A sequence of numbers that is the same at every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("it is below a usize")
    }
}

/// Returns the component with one to eight bits turned, bytes replaced or pieces moved.
fn mutated(component: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut mutated = component.to_vec();
    for _ in 0..=numbers.below(8) {
        let at = numbers.below(mutated.len());
        match numbers.below(4) {
            0 | 1 => mutated[at] ^= 1 << numbers.below(8),
            2 => mutated[at] = [0, 1, 0x7f, 0x80, 0xff][numbers.below(5)],
            _ => {
                let from = numbers.below(mutated.len());
                let length = numbers.below(16).min(mutated.len() - from.max(at));
                mutated.copy_within(from..from + length, at);
            }
        }
    }
    mutated
}

/// A component that does a little of everything.
fn small() -> Vec<u8> {
    let body = "(local $left i32) (local.set $left (i32.const 10))
        (loop $next (call $line (i32.const 1) (i32.const 16) (i32.const 2)) (drop (call $now))
          (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (drop (call $take (i32.const 100000))) (call $write) (i32.const 256)";
    let forge = Forge::new(body).power("log", "line", "(func $line (param i32 i32 i32))");
    let forge = forge.power("clock", "now-ms", "(func $now (result i64))");
    let write = "(table $all 4 funcref) (elem (i32.const 0) $write) (func $write (i32.store (i32.const 272) (i32.const 2)) (i32.store (i32.const 268) (i32.const 16)))";
    forge.fields(write).component()
}

/// Loads a component and calls it if it loads; returns whether it did.
#[expect(clippy::disallowed_methods, reason = "it measures that the time is bounded")]
async fn survive(host: &PluginHost, component: &[u8], seed: u64, number: u64) -> bool {
    let begun = Instant::now();
    let loaded = catch_unwind(AssertUnwindSafe(|| host.load(component)));
    let loaded = loaded.unwrap_or_else(|_| panic!("{SEED_VARIABLE}={seed:#x}: mutation {number} made the host panic"));
    if let Err(plugin_host::LoadError::CompilerCrashed) = loaded {
        panic!("{SEED_VARIABLE}={seed:#x}: mutation {number} made the compiler panic");
    }
    let loads = loaded.is_ok();
    if let Ok(plugin) = loaded {
        // Whatever it answers: it did so in its own call.
        drop(assess_as(&plugin, "mutated", &Grants::default(), CALL).await);
    }
    assert!(begun.elapsed() < EACH_MAX, "{SEED_VARIABLE}={seed:#x}: mutation {number} took {:?}", begun.elapsed());
    loads
}

#[tokio::test]
async fn two_thousand_mutations_end_well() {
    let (component, seed) = (small(), seed());
    let mut numbers = Numbers(seed);
    let mut loaded = 0;
    for number in 0..MUTATIONS {
        let mutation = mutated(&component, &mut numbers);
        loaded += u64::from(survive(host(), &mutation, seed, number).await);
        if number % 100 == 0 {
            neighbour_is_well().await;
        }
    }
    neighbour_is_well().await;
    assert!(loaded > 0 && loaded < MUTATIONS, "{SEED_VARIABLE}={seed:#x}: {loaded} of {MUTATIONS} were loaded: they show both");
}

#[tokio::test]
async fn mutations_of_a_plugin_that_ships_end_well() {
    let component = bundled_plugins::all()[0].component;
    let seed = seed().wrapping_add(1);
    let mut numbers = Numbers(seed);
    for number in 0..MUTATIONS_LARGE {
        survive(host(), &mutated(component, &mut numbers), seed.wrapping_sub(1), number).await;
    }
    neighbour_is_well().await;
}

#[tokio::test]
async fn a_component_that_is_cut_off_anywhere_is_refused() {
    let component = small();
    for length in 0..component.len() {
        let cut = &component[..length];
        assert!(host().load(cut).is_err(), "{length} of {} bytes were taken for a plugin", component.len());
    }
    neighbour_is_well().await;
}
