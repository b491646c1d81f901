//! The innermost loops: a few rows times one panel of columns. All unsafe code of the kernels is here.
//!
//! A panel holds some columns of the weights, one `k` (of f32) or one pair of `k` (of integers) after another. `int16`
//! multiplies integers in pairs: the vector instruction multiplies eight 16-bit numbers by eight others and adds
//! neighbouring products, four sums of 32 bits.

use std::mem::MaybeUninit;

use super::processor::multiply_add;

/// The products of `ROWS` rows with a panel, over `pairs` pairs of `k`; of `at_once` pairs they are added as integers.
///
/// `rows` holds, for each pair of `k`, two integers of each row; `panel` two integers of each column.
///
/// # Panics
/// If a slice is shorter than that, or there is no pair.
#[inline(always)]
pub fn int16<const ROWS: usize, const COLUMNS: usize>(
    rows: &[i16],
    panel: &[i16],
    pairs: usize,
    at_once: usize,
) -> [[f32; COLUMNS]; ROWS] {
    assert!(pairs > 0 && at_once > 0);
    assert!(rows.len() >= 2 * ROWS * pairs);
    assert!(panel.len() >= 2 * COLUMNS * pairs);
    let mut sums = MaybeUninit::<[[f32; COLUMNS]; ROWS]>::uninit();
    let to: *mut f32 = sums.as_mut_ptr().cast();
    let mut done = 0;
    while done < pairs {
        let now = at_once.min(pairs - done);
        // SAFETY: the slices hold as many numbers as the kernels read, by the checks above; the sums are written in
        // the first round. A set of instructions, which has its own number of columns, is only used where it was
        // detected.
        unsafe {
            let rows = rows.as_ptr().add(2 * ROWS * done);
            let panel = panel.as_ptr().add(2 * COLUMNS * done);
            match COLUMNS {
                #[cfg(target_arch = "x86_64")]
                16 => x86::avx2::<ROWS>(rows, panel, now, done == 0, to),
                #[cfg(target_arch = "x86_64")]
                32 => x86::avx512::<ROWS>(rows, panel, now, done == 0, to),
                #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
                8 => wasm::simd128::<ROWS>(rows, panel, now, done == 0, to),
                _ => int16_scalar::<ROWS, COLUMNS>(rows, panel, now, done == 0, to),
            }
        }
        done += now;
    }
    // SAFETY: there is a first round.
    unsafe { sums.assume_init() }
}

/// What the vector kernels compute, one product after another: their reference, and the way where there is none.
///
/// # Safety
/// As many numbers as `int16` checks for have to be there.
unsafe fn int16_scalar<const ROWS: usize, const COLUMNS: usize>(
    rows: *const i16,
    panel: *const i16,
    pairs: usize,
    first: bool,
    sums: *mut f32,
) {
    for r in 0..ROWS {
        for column in 0..COLUMNS {
            let mut sum = 0i32;
            for k in 0..2 * pairs {
                let (pair, which) = (k / 2, k % 2);
                // SAFETY: the caller's promise.
                let (a, b) = unsafe {
                    (
                        *rows.add(2 * (pair * ROWS + r) + which),
                        *panel.add(2 * (pair * COLUMNS + column) + which),
                    )
                };
                sum += i32::from(a) * i32::from(b);
            }
            // SAFETY: the caller's promise.
            unsafe {
                let place = sums.add(r * COLUMNS + column);
                *place = if first { 0.0 } else { *place } + sum as f32;
            }
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use core::arch::wasm32::*;

    /// # Safety
    /// `depth` numbers have to be there in every row, 8 times as many in the panel, and room for 8 in each row of sums.
    #[inline(always)]
    pub unsafe fn fp32<const ROWS: usize>(
        mut rows: [*const f32; ROWS],
        mut panel: *const f32,
        depth: usize,
        sums: *mut f32,
    ) {
        let mut totals = [[f32x4_splat(0.0); 2]; ROWS];
        // SAFETY: the caller's promise.
        unsafe {
            for _ in 0..depth {
                let weights = [v128_load(panel.cast()), v128_load(panel.add(4).cast())];
                for (row, totals) in rows.iter_mut().zip(&mut totals) {
                    let value = v128_load32_splat(row.cast());
                    for (total, weights) in totals.iter_mut().zip(weights) {
                        *total = f32x4_add(*total, f32x4_mul(value, weights));
                    }
                    *row = row.add(1);
                }
                panel = panel.add(8);
            }
            for (number, total) in totals.as_flattened().iter().enumerate() {
                v128_store(sums.add(4 * number).cast(), *total);
            }
        }
    }

    /// # Safety
    /// As `int16_scalar`, with 8 columns.
    #[inline(always)]
    pub unsafe fn simd128<const ROWS: usize>(
        mut rows: *const i16,
        mut panel: *const i16,
        pairs: usize,
        first: bool,
        sums: *mut f32,
    ) {
        let mut totals = [[i32x4_splat(0); 2]; ROWS];
        // SAFETY: the caller's promise.
        unsafe {
            for _ in 0..pairs {
                let weights = [v128_load(panel.cast()), v128_load(panel.add(8).cast())];
                for (r, totals) in totals.iter_mut().enumerate() {
                    let both = v128_load32_splat(rows.add(2 * r).cast());
                    for (total, weights) in totals.iter_mut().zip(weights) {
                        *total = i32x4_add(*total, i32x4_dot_i16x8(both, weights));
                    }
                }
                rows = rows.add(2 * ROWS);
                panel = panel.add(16);
            }
            for (number, total) in totals.as_flattened().iter().enumerate() {
                let place: *mut v128 = sums.add(4 * number).cast();
                let total = f32x4_convert_i32x4(*total);
                v128_store(
                    place,
                    if first {
                        total
                    } else {
                        f32x4_add(v128_load(place), total)
                    },
                );
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::*;

    /// # Safety
    /// As `int16_scalar`, with 16 columns, and AVX2.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub unsafe fn avx2<const ROWS: usize>(
        rows: *const i16,
        panel: *const i16,
        pairs: usize,
        first: bool,
        sums: *mut f32,
    ) {
        let mut totals = [[_mm256_setzero_si256(); 2]; ROWS];
        // SAFETY: the caller's promise.
        unsafe {
            for pair in 0..pairs {
                let at = panel.add(pair * 32);
                let weights = [_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(16).cast())];
                for (r, totals) in totals.iter_mut().enumerate() {
                    let both = rows.add(2 * (pair * ROWS + r)).cast::<i32>().read_unaligned();
                    for (total, weights) in totals.iter_mut().zip(weights) {
                        *total = _mm256_add_epi32(*total, _mm256_madd_epi16(_mm256_set1_epi32(both), weights));
                    }
                }
            }
            for (number, total) in totals.as_flattened().iter().enumerate() {
                let place = sums.add(8 * number);
                let total = _mm256_cvtepi32_ps(*total);
                _mm256_storeu_ps(
                    place,
                    if first {
                        total
                    } else {
                        _mm256_add_ps(_mm256_loadu_ps(place), total)
                    },
                );
            }
        }
    }

    /// # Safety
    /// As `int16_scalar`, with 32 columns, and AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
    #[inline]
    pub unsafe fn avx512<const ROWS: usize>(
        rows: *const i16,
        panel: *const i16,
        pairs: usize,
        first: bool,
        sums: *mut f32,
    ) {
        let mut totals = [[_mm512_setzero_si512(); 2]; ROWS];
        // SAFETY: the caller's promise.
        unsafe {
            for pair in 0..pairs {
                let at = panel.add(pair * 64);
                let weights = [_mm512_loadu_si512(at.cast()), _mm512_loadu_si512(at.add(32).cast())];
                for (r, totals) in totals.iter_mut().enumerate() {
                    let both = rows.add(2 * (pair * ROWS + r)).cast::<i32>().read_unaligned();
                    for (total, weights) in totals.iter_mut().zip(weights) {
                        *total = _mm512_add_epi32(*total, _mm512_madd_epi16(_mm512_set1_epi32(both), weights));
                    }
                }
            }
            for (number, total) in totals.as_flattened().iter().enumerate() {
                let place = sums.add(16 * number);
                let total = _mm512_cvtepi32_ps(*total);
                _mm512_storeu_ps(
                    place,
                    if first {
                        total
                    } else {
                        _mm512_add_ps(_mm512_loadu_ps(place), total)
                    },
                );
            }
        }
    }
}

/// The products of `ROWS` rows of f32 with a panel, over `depth` values of `k`.
///
/// The first row is where `rows` begins, the next one `stride` numbers further on.
///
/// # Panics
/// If a slice is too short for that.
#[inline(always)]
pub fn fp32<const FMA: bool, const ROWS: usize, const COLUMNS: usize>(
    rows: &[f32],
    stride: usize,
    panel: &[f32],
    depth: usize,
) -> [[f32; COLUMNS]; ROWS] {
    let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &rows[r * stride..][..depth]);
    let panel = &panel.as_chunks::<COLUMNS>().0[..depth];
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    if COLUMNS == 8 {
        let mut sums = MaybeUninit::<[[f32; COLUMNS]; ROWS]>::uninit();
        // SAFETY: the rows and the panel are as long as `depth` asks for, and all sums are written.
        return unsafe {
            let rows = rows.map(|row| row.as_ptr());
            wasm::fp32(rows, panel.as_ptr().cast(), depth, sums.as_mut_ptr().cast());
            sums.assume_init()
        };
    }
    let mut totals = [[0f32; COLUMNS]; ROWS];
    for (k, weights) in panel.iter().enumerate() {
        for (total, row) in totals.iter_mut().zip(&rows) {
            let value = row[k];
            for (total, weight) in total.iter_mut().zip(weights) {
                *total = multiply_add::<FMA>(value, *weight, *total);
            }
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::processor::for_each_processor;

    fn integers(length: usize, limit: i16, random: &mut fastrand::Rng) -> Vec<i16> {
        (0..length).map(|_| random.i16(-limit..=limit)).collect()
    }

    for_each_processor! {
        /// The kernel's numbers and its scalar twin's.
        fn both(rows: &[i16], panel: &[i16], pairs: usize, at_once: usize, single: bool) -> [Vec<f32>; 2] {
            #[inline(always)]
            fn of_rows<const ROWS: usize, const COLUMNS: usize>(
                rows: &[i16],
                panel: &[i16],
                pairs: usize,
                at_once: usize,
            ) -> [Vec<f32>; 2] {
                let found = int16::<ROWS, COLUMNS>(rows, &panel[..2 * COLUMNS * pairs], pairs, at_once);
                let mut expected = [[0.0; COLUMNS]; ROWS];
                for done in (0..pairs).step_by(at_once) {
                    let now = at_once.min(pairs - done);
                    // SAFETY: `int16` has checked the slices.
                    unsafe {
                        let (rows, panel) = (rows.as_ptr().add(2 * ROWS * done), panel.as_ptr().add(2 * COLUMNS * done));
                        int16_scalar::<ROWS, COLUMNS>(rows, panel, now, done == 0, expected.as_mut_ptr().cast());
                    }
                }
                [found.as_flattened().to_vec(), expected.as_flattened().to_vec()]
            }
            match single {
                true => of_rows::<1, COLUMNS>(rows, panel, pairs, at_once),
                false => of_rows::<4, COLUMNS>(rows, panel, pairs, at_once),
            }
        }
    }

    /// Random numbers over the whole range, in slices that end where the kernels have to stop reading.
    #[test]
    fn vector_kernels_are_their_scalar_twin_bit_for_bit() {
        let mut random = fastrand::Rng::with_seed(8);
        for _ in 0..500 {
            let pairs = random.usize(1..200);
            let at_once = random.usize(1..=32);
            let single = random.bool();
            let rows = integers(2 * pairs * if single { 1 } else { 4 }, 8191, &mut random);
            let panel = integers(2 * pairs * 32, 4095, &mut random);
            let [found, expected] = both(&rows, &panel, pairs, at_once, single);
            assert_eq!(found, expected, "{pairs} pairs, {at_once} at once, single: {single}");
        }
    }

    #[test]
    #[should_panic]
    fn rows_that_are_too_short_are_not_read() {
        both(&[0; 60], &[0; 2 * 8 * 32], 8, 8, false);
    }
}
