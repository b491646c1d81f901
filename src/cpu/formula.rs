//! Formulas of one number: the error function, GELU, exponentials.
//!
//! A formula is made before a loop and used in it, so that its constants are in registers by then. There are two of
//! some: one to the exactness of f32, and a coarse one, which is as exact as numbers are that 16 bits are made of.

use super::lane::Lane;

/// Adding it rounds to an integer and leaves that integer plus 127, which is what exponents are biased by, in the low
/// bits: 1.5 · 2^23 + 127.
const ROUND_TO_EXPONENT: f32 = 12_583_039.0;

/// `erf(x / √2)`
///
/// `erf(z)` as `z P(z²) / Q(z²)`, which is odd as erf is; beyond 3.9 erf is 1 in f32. Fitted by iterated weighted least
/// squares to the least largest error (4e-8) on that interval; evaluated in f32 the largest error is 3.2e-7.
/// `tests/cpu/rows.rs` holds it against the series.
pub(super) struct Erf<L> {
    scale: L,
    least: L,
    most: L,
    numerator: [L; 7],
    denominator: [L; 5],
}

impl<L: Lane> Erf<L> {
    #[inline(always)]
    pub fn new() -> Self {
        const LIMIT: f32 = 3.9;
        let [scale, least, most] = L::constants(&[std::f32::consts::FRAC_1_SQRT_2, -LIMIT, LIMIT]);
        Self {
            scale,
            least,
            most,
            numerator: L::constants(&[
                1.128_378_7,
                0.204_227_03,
                0.051_149_2,
                0.003_896_379_6,
                0.000_147_477_91,
                -1.996_948_4e-6,
                2.011_882_6e-8,
            ]),
            denominator: L::constants(&[1.0, 0.514_320_5, 0.116_786_41, 0.014_730_685, 0.001_006_629_5]),
        }
    }

    #[inline(always)]
    pub fn of<const FMA: bool>(&self, x: L) -> L {
        let z = x.times(self.scale).at_least(self.least).at_most(self.most);
        let t = z.times(z);
        z.times(t.polynomial::<FMA, 7>(&self.numerator))
            .over(t.polynomial::<FMA, 5>(&self.denominator))
    }
}

/// `x Φ(x)`
pub(super) struct Gelu<L> {
    erf: Erf<L>,
    half: L,
}

impl<L: Lane> Gelu<L> {
    #[inline(always)]
    pub fn new() -> Self {
        let [half] = L::constants(&[0.5]);
        Self { erf: Erf::new(), half }
    }

    #[inline(always)]
    pub fn of<const FMA: bool>(&self, x: L) -> L {
        let half = x.times(self.half);
        half.times_plus::<FMA>(self.erf.of::<FMA>(x), half)
    }
}

/// [`Gelu`] within 1.2e-5: `x (½ + x P(x² - m))`, without a division.
///
/// Fitted to the least largest error (1.1e-5) on an interval at whose ends it is 0 and `x`; `m` is half of the largest
/// square, as a polynomial is most exact in numbers around 0.
pub(super) struct CoarseGelu<L> {
    least: L,
    most: L,
    half: L,
    middle: L,
    polynomial: [L; 10],
}

impl<L: Lane> CoarseGelu<L> {
    #[inline(always)]
    pub fn new() -> Self {
        const LIMIT: f32 = 4.6;
        let [least, most, half, middle] = L::constants(&[-LIMIT, LIMIT, 0.5, -10.58]);
        Self {
            least,
            most,
            half,
            middle,
            polynomial: L::constants(&[
                0.153_543_44,
                -0.007_160_283,
                4.836_393e-4,
                -3.429_488e-5,
                2.356_647_7e-6,
                -1.434_809_7e-7,
                7.806_173e-9,
                -5.288_496e-10,
                3.579_676_6e-11,
                -1.109_195e-12,
            ]),
        }
    }

    #[inline(always)]
    pub fn of<const FMA: bool>(&self, x: L) -> L {
        let z = x.at_least(self.least).at_most(self.most);
        let polynomial = z
            .times_plus::<FMA>(z, self.middle)
            .polynomial::<FMA, 10>(&self.polynomial);
        x.times(z.times_plus::<FMA>(polynomial, self.half))
    }
}

/// `e^x`: 2^n by the exponent's bits, the rest by a polynomial (Cody and Waite's reduction, Cephes' coefficients).
///
/// For `x` from -87 to 88 within 2 units in the last place; below, 2^-126 or so instead of a smaller number.
pub(super) struct Exponential<L> {
    least: L,
    most: L,
    log2_e: L,
    round: L,
    back: L,
    ln_2: [L; 2],
    one: L,
    polynomial: [L; 6],
}

impl<L: Lane> Exponential<L> {
    #[inline(always)]
    pub fn new() -> Self {
        let [least, most, log2_e, one] = L::constants(&[-87.0, 88.0, std::f32::consts::LOG2_E, 1.0]);
        let [round, back] = L::constants(&[ROUND_TO_EXPONENT, -ROUND_TO_EXPONENT]);
        Self {
            least,
            most,
            log2_e,
            round,
            back,
            ln_2: L::constants(&[-0.693_359_4, 2.121_944_4e-4]),
            one,
            polynomial: L::constants(&[
                0.5,
                1.666_666_5e-1,
                4.166_579_6e-2,
                8.333_452e-3,
                1.398_199_9e-3,
                1.987_569_1e-4,
            ]),
        }
    }

    #[inline(always)]
    pub fn of<const FMA: bool>(&self, x: L) -> L {
        let x = x.at_least(self.least).at_most(self.most);
        let shifted = x.times_plus::<FMA>(self.log2_e, self.round);
        let n = shifted.plus(self.back);
        let rest = n.times_plus::<FMA>(self.ln_2[0], x);
        let rest = n.times_plus::<FMA>(self.ln_2[1], rest);
        let tail = rest.polynomial::<FMA, 6>(&self.polynomial);
        let mantissa = tail.times_plus::<FMA>(rest.times(rest), rest.plus(self.one));
        mantissa.times(shifted.power_of_two())
    }
}

/// `2^x` of numbers up to 0 or little more, within 3e-6 of it. Below 2^-126 it is that.
pub(super) struct CoarsePower<L> {
    least: L,
    round: L,
    back: L,
    polynomial: [L; 5],
}

impl<L: Lane> CoarsePower<L> {
    #[inline(always)]
    pub fn new() -> Self {
        let [least, round, back] = L::constants(&[-126.0, ROUND_TO_EXPONENT, -ROUND_TO_EXPONENT]);
        Self {
            least,
            round,
            back,
            // Fitted to the least largest relative error on [-0.5, 0.5], by iterated weighted least squares.
            polynomial: L::constants(&[0.999_999_3, 0.693_121_8, 0.240_247_44, 0.055_917_863, 0.009_570_102]),
        }
    }

    #[inline(always)]
    pub fn of<const FMA: bool>(&self, x: L) -> L {
        let x = x.at_least(self.least);
        let shifted = x.plus(self.round);
        let rest = x.minus(shifted.plus(self.back));
        rest.polynomial::<FMA, 5>(&self.polynomial)
            .times(shifted.power_of_two())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from -12 to 12.
    fn numbers() -> impl Iterator<Item = f32> {
        (-120_000..=120_000).map(|number| number as f32 / 10_000.0)
    }

    #[test]
    fn the_coarse_gelu_is_gelu_within_1_2e_5() {
        let (exact, coarse) = (Gelu::<f32>::new(), CoarseGelu::<f32>::new());
        for x in numbers() {
            let (expected, found) = (exact.of::<false>(x), coarse.of::<false>(x));
            assert!(
                (found - expected).abs() <= 1.2e-5,
                "gelu({x}) is {found}, not {expected}"
            );
        }
        assert!(coarse.of::<false>(f32::NAN).is_nan());
    }

    #[test]
    fn the_coarse_power_is_within_3e_6_of_it_and_never_less_than_the_smallest_number() {
        let power = CoarsePower::<f32>::new();
        for x in numbers().map(|x| 10.5 * x).filter(|x| (-126.0..=0.5).contains(x)) {
            let (expected, found) = (f64::from(x).exp2(), f64::from(power.of::<false>(x)));
            assert!(
                (found / expected - 1.0).abs() <= 3e-6,
                "2^{x} is {found:e}, not {expected:e}"
            );
        }
        for x in [-127.0, -1e10, f32::NEG_INFINITY] {
            assert!((power.of::<false>(x) / f32::MIN_POSITIVE - 1.0).abs() <= 3e-6, "2^{x}");
        }
    }
}
