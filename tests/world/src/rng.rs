//! Numbers that look random and come again from the same seed (xorshift64*, Vigna 2016).

/// A row of numbers.
#[derive(Debug)]
pub struct Rng(u64);

impl Rng {
    /// Returns the row of a seed.
    pub fn new(seed: u64) -> Self {
        // Small seeds differ in few bits, and zero would stay zero: spread them first.
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from((self.next() >> 16) % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// Returns true in `percent` of cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Returns one of some.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
