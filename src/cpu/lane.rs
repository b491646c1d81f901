//! Numbers that formulas are written in: one, or four side by side.
//!
//! Compilers turn loops over single numbers into vector instructions on native processors. On wasm they give up here and
//! there, which costs more than the formula; so there a vector is a number too.

use super::processor::multiply_add;

/// Numbers that are worked on together: a whole number of vector registers everywhere.
pub(super) const LANES: usize = 16;

/// 1.5 · 2^23: adding it leaves an integer in the low bits.
const ROUND: f32 = 12_582_912.0;

/// A number of f32, or several.
pub(super) trait Lane: Copy {
    /// The same in every place.
    fn of(value: f32) -> Self;
    /// What is known when compiling, for use in a loop that follows.
    ///
    /// V8 makes a constant vector anew where it is used, with three instructions each time; so on wasm they come from
    /// memory that the compiler is not told of.
    fn constants<const N: usize>(values: &'static [f32; N]) -> [Self; N];
    /// `self + other`
    fn plus(self, other: Self) -> Self;
    /// `self - other`
    fn minus(self, other: Self) -> Self;
    /// `self · other`
    fn times(self, other: Self) -> Self;
    /// `self / other`
    fn over(self, other: Self) -> Self;
    /// `self · factor + term`, in one rounding where that is an instruction.
    fn times_plus<const FMA: bool>(self, factor: Self, term: Self) -> Self;
    /// `self`, or `least` where that is more.
    fn at_least(self, least: Self) -> Self;
    /// `self`, or `most` where that is less.
    fn at_most(self, most: Self) -> Self;
    /// The low bits of `self` as an exponent: 2 to the power of that integer less 127.
    fn power_of_two(self) -> Self;

    /// `c[0] + c[1] x + c[2] x² + …` (Horner).
    #[inline(always)]
    fn polynomial<const FMA: bool, const N: usize>(self, coefficients: &[Self; N]) -> Self {
        let mut value = coefficients[N - 1];
        for &coefficient in coefficients[..N - 1].iter().rev() {
            value = value.times_plus::<FMA>(self, coefficient);
        }
        value
    }
}

impl Lane for f32 {
    #[inline(always)]
    fn of(value: f32) -> Self {
        value
    }
    #[inline(always)]
    fn constants<const N: usize>(values: &'static [f32; N]) -> [Self; N] {
        *values
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self - other
    }
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self * other
    }
    #[inline(always)]
    fn over(self, other: Self) -> Self {
        self / other
    }
    #[inline(always)]
    fn times_plus<const FMA: bool>(self, factor: Self, term: Self) -> Self {
        multiply_add::<FMA>(self, factor, term)
    }
    #[inline(always)]
    fn at_least(self, least: Self) -> Self {
        // Not `f32::max`, which is a function call on wasm; and what is no number stays none.
        if self < least { least } else { self }
    }
    #[inline(always)]
    fn at_most(self, most: Self) -> Self {
        if most < self { most } else { self }
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        f32::from_bits(self.to_bits() << 23)
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use simd128::F32x4;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128 {
    use core::arch::wasm32::*;
    use std::hint::black_box;

    use super::Lane;

    /// Four numbers in a register.
    #[derive(Clone, Copy)]
    pub struct F32x4(pub v128);

    impl F32x4 {
        /// The numbers of an array.
        #[inline(always)]
        pub fn load(from: &[f32; 4]) -> Self {
            // SAFETY: there are 16 bytes, and loads may be unaligned.
            Self(unsafe { v128_load(from.as_ptr().cast()) })
        }

        /// The numbers that integers are.
        #[inline(always)]
        pub fn of_integers(integers: &[i32; 4]) -> Self {
            // SAFETY: as above.
            Self(f32x4_convert_i32x4(unsafe { v128_load(integers.as_ptr().cast()) }))
        }

        /// Writes the numbers to an array.
        #[inline(always)]
        pub fn store(self, to: &mut [f32; 4]) {
            // SAFETY: as above.
            unsafe { v128_store(to.as_mut_ptr().cast(), self.0) }
        }
    }

    impl Lane for F32x4 {
        #[inline(always)]
        fn of(value: f32) -> Self {
            Self(f32x4_splat(value))
        }
        #[inline(always)]
        fn constants<const N: usize>(values: &'static [f32; N]) -> [Self; N] {
            // SAFETY: each is a number in memory.
            black_box(values)
                .each_ref()
                .map(|value| Self(unsafe { v128_load32_splat(std::ptr::from_ref(value).cast()) }))
        }
        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            Self(f32x4_add(self.0, other.0))
        }
        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            Self(f32x4_sub(self.0, other.0))
        }
        #[inline(always)]
        fn times(self, other: Self) -> Self {
            Self(f32x4_mul(self.0, other.0))
        }
        #[inline(always)]
        fn over(self, other: Self) -> Self {
            Self(f32x4_div(self.0, other.0))
        }
        #[inline(always)]
        fn times_plus<const FMA: bool>(self, factor: Self, term: Self) -> Self {
            self.times(factor).plus(term)
        }
        #[inline(always)]
        fn at_least(self, least: Self) -> Self {
            Self(f32x4_pmax(self.0, least.0))
        }
        #[inline(always)]
        fn at_most(self, most: Self) -> Self {
            Self(f32x4_pmin(self.0, most.0))
        }
        #[inline(always)]
        fn power_of_two(self) -> Self {
            Self(i32x4_shl(self.0, 23))
        }
    }
}

/// The largest absolute value; not a number if there is one that is not.
#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    // Of numbers without their sign the order is that of their bits, and what is no number is above infinity.
    let bits = |value: &f32| value.to_bits() & 0x7fff_ffff;
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let (lanes, rest) = {
        use core::arch::wasm32::{u32x4_extract_lane, u32x4_max, u32x4_splat, v128_and};
        let (vectors, rest) = values.as_chunks::<4>();
        let mut most = u32x4_splat(0);
        const WITHOUT_SIGN: [f32; 1] = [f32::from_bits(0x7fff_ffff)];
        let [without_sign] = F32x4::constants(&WITHOUT_SIGN);
        for vector in vectors {
            most = u32x4_max(most, v128_and(F32x4::load(vector).0, without_sign.0));
        }
        let lanes = [
            u32x4_extract_lane::<0>(most),
            u32x4_extract_lane::<1>(most),
            u32x4_extract_lane::<2>(most),
            u32x4_extract_lane::<3>(most),
        ];
        (lanes, rest)
    };
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let (lanes, rest) = {
        let (groups, rest) = values.as_chunks::<LANES>();
        let mut lanes = [0u32; LANES];
        for group in groups {
            for (lane, value) in lanes.iter_mut().zip(group) {
                *lane = (*lane).max(bits(value));
            }
        }
        (lanes, rest)
    };
    f32::from_bits(lanes.into_iter().chain(rest.iter().map(bits)).fold(0, u32::max))
}

/// `values · factor`, rounded to the nearest integers (of two the even one), which have to fit into 16 bits.
#[inline(always)]
pub(super) fn round_products(values: &[f32], factor: f32, integers: &mut [i16]) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let (values, integers) = {
        use core::arch::wasm32::{i16x8_narrow_i32x4, i32x4_sub, v128_store};
        let (values, rest) = values.as_chunks::<8>();
        let (integers, others) = integers.as_chunks_mut::<8>();
        let [bias] = F32x4::constants(&[ROUND]);
        let round = |half: &[f32; 4]| {
            let sum = F32x4::load(half).times(F32x4::of(factor)).plus(bias);
            i32x4_sub(sum.0, bias.0)
        };
        for (values, integers) in values.iter().zip(integers) {
            let [low, high] = values.as_chunks::<4>().0 else {
                continue;
            };
            let rounded = i16x8_narrow_i32x4(round(low), round(high));
            // SAFETY: there is room for eight, and stores may be unaligned.
            unsafe { v128_store(integers.as_mut_ptr().cast(), rounded) };
        }
        (rest, others)
    };
    for (integer, value) in integers.iter_mut().zip(values) {
        *integer = (*value * factor + ROUND).to_bits() as i16;
    }
}

/// The smallest and the largest value, zero being one of them; not finite if there is one that is not.
#[inline(always)]
pub(super) fn range(values: &[f32]) -> [f32; 2] {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let (low, high, rest) = {
        let (vectors, rest) = values.as_chunks::<4>();
        let zero = F32x4::of(0.0);
        // Comparing passes over what is no number; adding does not.
        let [mut least, mut most, mut unfit] = [zero; 3];
        for vector in vectors {
            let vector = F32x4::load(vector);
            least = vector.at_most(least);
            most = vector.at_least(most);
            unfit = unfit.plus(vector.times(zero));
        }
        let [mut low, mut high] = [[0.0; 4]; 2];
        least.plus(unfit).store(&mut low);
        most.plus(unfit).store(&mut high);
        (low, high, rest)
    };
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let (low, high, rest) = {
        let (groups, rest) = values.as_chunks::<LANES>();
        let [mut low, mut high] = [[0f32; LANES]; 2];
        for group in groups {
            for ((low, high), value) in low.iter_mut().zip(&mut high).zip(group) {
                *low = smaller(*low, *value);
                *high = -smaller(-*high, -*value);
            }
        }
        (low, high, rest)
    };
    let low = low.iter().chain(rest).copied().fold(0.0, smaller);
    let high = high
        .iter()
        .chain(rest)
        .copied()
        .fold(0.0, |high, value| -smaller(-high, -value));
    [low, high]
}

/// The smaller one; what is no number stays none.
#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b || a.is_nan() { a } else { b }
}

/// Adds `zero` to integers, which then have to be from 0 to 127, and writes them as bytes, two in each of `pairs`.
#[inline(always)]
pub(super) fn narrow(integers: &[i16], zero: i16, pairs: &mut [i16]) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let (integers, pairs) = {
        use core::arch::wasm32::{i8x16_narrow_i16x8, i16x8_add, i16x8_splat, v128_load, v128_store};
        let (vectors, integers) = integers.as_chunks::<16>();
        let (bytes, pairs) = pairs.split_at_mut(vectors.len() * 8);
        let zero = i16x8_splat(zero);
        for (vector, bytes) in vectors.iter().zip(bytes.as_chunks_mut::<8>().0) {
            // SAFETY: there are sixteen integers, room for as many bytes, and neither has to be aligned.
            unsafe {
                let (low, high) = (
                    v128_load(vector.as_ptr().cast()),
                    v128_load(vector[8..].as_ptr().cast()),
                );
                let narrow = i8x16_narrow_i16x8(i16x8_add(low, zero), i16x8_add(high, zero));
                v128_store(bytes.as_mut_ptr().cast(), narrow);
            }
        }
        (integers, pairs)
    };
    for (two, pair) in integers.as_chunks::<2>().0.iter().zip(pairs) {
        *pair = i16::from_ne_bytes(two.map(|integer| (integer + zero) as u8));
    }
}

/// `integers · factors`, place by place; `largest` becomes what is larger there.
#[inline(always)]
pub(super) fn scale<const N: usize>(
    integers: &[i32; N],
    factors: &[f32; N],
    products: &mut [f32; N],
    largest: &mut [f32; N],
) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    {
        let (integers, factors) = (integers.as_chunks::<4>().0, factors.as_chunks::<4>().0);
        let (products, largest) = (products.as_chunks_mut::<4>().0, largest.as_chunks_mut::<4>().0);
        for (((integers, factors), product), most) in integers.iter().zip(factors).zip(products).zip(largest) {
            let found = F32x4::of_integers(integers).times(F32x4::load(factors));
            found.store(product);
            found.at_least(F32x4::load(most)).store(most);
        }
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    for (((integer, factor), product), most) in integers.iter().zip(factors).zip(products).zip(largest) {
        *product = *integer as f32 * factor;
        *most = product.at_least(*most);
    }
}

/// Integers as numbers.
#[inline(always)]
pub(super) fn floats<const N: usize>(integers: &[i32; N], values: &mut [f32; N]) {
    for (value, integer) in values.iter_mut().zip(integers) {
        *value = *integer as f32;
    }
}

/// `values · (factor · steps) + terms`, place by place.
#[inline(always)]
pub(super) fn scale_and_add<const N: usize>(values: &mut [f32; N], factor: f32, steps: &[f32; N], terms: &[f32; N]) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    {
        let (steps, terms) = (steps.as_chunks::<4>().0, terms.as_chunks::<4>().0);
        for ((value, step), term) in values.as_chunks_mut::<4>().0.iter_mut().zip(steps).zip(terms) {
            let step = F32x4::of(factor).times(F32x4::load(step));
            let scaled = F32x4::load(value).times(step).plus(F32x4::load(term));
            scaled.store(value);
        }
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    for ((value, step), term) in values.iter_mut().zip(steps).zip(terms) {
        *value = *value * (factor * step) + term;
    }
}

/// `(first + second) · factor + terms` into `out`, place by place.
#[inline(always)]
pub(super) fn add_scale_and_add<const FMA: bool>(
    first: &[f32],
    second: &[f32],
    factor: f32,
    terms: &[f32],
    out: &mut [f32],
) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let (first, second, terms, out) = {
        let (vectors, first) = first.as_chunks::<4>();
        let (others, second) = second.as_chunks::<4>();
        let (added, terms) = terms.as_chunks::<4>();
        let (sums, out) = out.as_chunks_mut::<4>();
        let factor = F32x4::of(factor);
        for (((a, b), term), sum) in vectors.iter().zip(others).zip(added).zip(sums) {
            let both = F32x4::load(a).plus(F32x4::load(b));
            both.times_plus::<FMA>(factor, F32x4::load(term)).store(sum);
        }
        (first, second, terms, out)
    };
    for (((a, b), term), sum) in first.iter().zip(second).zip(terms).zip(out) {
        *sum = multiply_add::<FMA>(a + b, factor, *term);
    }
}

/// Applies a formula to every number of a row: four at a time on wasm, the rest one by one.
///
/// `$lane` names the kind of number in `$result`, an expression in `$value` and a `$formula` of that name.
macro_rules! for_each_lane {
    ($row:expr, $formula:ident: $name:ident, |$value:ident: $lane:ident| $result:expr) => {{
        let row: &mut [f32] = $row;
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        let row = {
            use $crate::cpu::lane::F32x4 as $lane;
            let $formula = $name::<$lane>::new();
            let (vectors, rest) = row.as_chunks_mut::<4>();
            for vector in vectors {
                let $value = $lane::load(vector);
                $result.store(vector);
            }
            rest
        };
        #[allow(non_camel_case_types, reason = "the other kind of number has such a name")]
        type $lane = f32;
        let $formula = $name::<$lane>::new();
        for value in row {
            let $value = *value;
            *value = $result;
        }
    }};
}
pub(super) use for_each_lane;

/// [`for_each_lane`], and the sum of all numbers that come of it.
macro_rules! sum_each_lane {
    ($row:expr, $formula:ident: $name:ident, |$value:ident: $lane:ident| $result:expr) => {{
        let row: &mut [f32] = $row;
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        let (row, sum) = {
            use $crate::cpu::lane::F32x4 as $lane;
            let $formula = $name::<$lane>::new();
            let (vectors, rest) = row.as_chunks_mut::<4>();
            let mut sums = $lane::of(0.0);
            for vector in vectors {
                let $value = $lane::load(vector);
                let result = $result;
                sums = sums.plus(result);
                result.store(vector);
            }
            let mut four = [0.0; 4];
            sums.store(&mut four);
            (rest, (four[0] + four[1]) + (four[2] + four[3]))
        };
        #[allow(non_camel_case_types, reason = "the other kind of number has such a name")]
        type $lane = f32;
        let $formula = $name::<$lane>::new();
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        let (row, sum) = {
            let (groups, rest) = row.as_chunks_mut::<{ $crate::cpu::lane::LANES }>();
            let mut sums = [0f32; $crate::cpu::lane::LANES];
            for group in groups {
                for (sum, value) in sums.iter_mut().zip(group) {
                    let $value = *value;
                    *value = $result;
                    *sum += *value;
                }
            }
            (rest, sums.into_iter().sum::<f32>())
        };
        let mut sum = sum;
        for value in row {
            let $value = *value;
            *value = $result;
            sum += *value;
        }
        sum
    }};
}
pub(super) use sum_each_lane;
