//! Random numbers that are the same on every machine for the same seed.
//!
//! A draw of a `usize` takes another number from the generator where a `usize` has 32 bits, as in wasm: folds, batches and
//! intervals of a page would be others than those of the same run natively. So all draws are of 64 bits.

/// A generator.
pub struct Random(fastrand::Rng);

impl Random {
    /// One that starts from a seed.
    pub fn with_seed(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A number from 0 to below `count`, which is at least 1.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.u64(..count as u64) as usize
    }

    /// A number from 0 to below 1.
    pub fn share(&mut self) -> f64 {
        self.0.f64()
    }

    /// A number from -1 to below 1.
    pub fn around_zero(&mut self) -> f32 {
        2.0 * self.0.f32() - 1.0
    }

    /// Brings items into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in 1..items.len() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_gives_the_draws_that_results_were_measured_with() {
        let mut random = Random::with_seed(7);
        let mut items: Vec<usize> = (0..8).collect();
        random.shuffle(&mut items);
        assert_eq!(items, [5, 6, 4, 0, 3, 2, 7, 1]);
        assert_eq!(random.below(1 << 20), 97046);
    }
}
