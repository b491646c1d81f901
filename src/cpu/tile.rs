//! The innermost loops: a few rows times one panel of columns. All unsafe code of the kernels is here, but for those of
//! 8-bit products (`int8/kernel`).
//!
//! A panel holds some columns of the weights, one `k` (of f32) or one pair of `k` (of integers) after another. `int16`
//! multiplies integers in pairs: the vector instruction multiplies eight 16-bit numbers by eight others and adds
//! neighbouring products, four sums of 32 bits.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use std::mem::MaybeUninit;

use super::processor::multiply_add;

/// What becomes of a product's sums in a place where others may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Nothing: what is there stays.
    Leave,
    /// They take its place.
    Set,
    /// They are added to it.
    Add,
    /// They are subtracted from it.
    Subtract,
}

/// The products of `ROWS` rows with a panel, added over `pairs` pairs of `k` modulo 2^32, used in some places.
///
/// `rows` holds, for each pair of `k`, two integers of each row; `panel` two integers of each column; a place of `sums`
/// `COLUMNS` sums of each row. The sums are in memory, as four places have more of them than there are registers.
///
/// # Panics
/// If a slice is shorter than that.
#[inline(always)]
pub fn int16<const ROWS: usize, const COLUMNS: usize, const PLACES: usize>(
    rows: &[i16],
    panel: &[i16],
    pairs: usize,
    uses: [Use; PLACES],
    sums: &mut [i32],
) {
    assert!(rows.len() >= 2 * ROWS * pairs);
    assert!(panel.len() >= 2 * COLUMNS * pairs);
    assert!(sums.len() >= PLACES * ROWS * COLUMNS);
    // SAFETY: the slices hold as many numbers as the kernels read and write, by the checks above. A set of
    // instructions, which has its own number of columns, is only used where it was detected.
    unsafe {
        let (rows, panel, sums) = (rows.as_ptr(), panel.as_ptr(), sums.as_mut_ptr());
        match COLUMNS {
            #[cfg(target_arch = "x86_64")]
            16 => x86::avx2::<ROWS, PLACES>(rows, panel, pairs, uses, sums),
            #[cfg(target_arch = "x86_64")]
            32 => x86::avx512::<ROWS, PLACES>(rows, panel, pairs, uses, sums),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            8 => wasm::simd128::<ROWS, PLACES>(rows, panel, pairs, uses, sums),
            _ => int16_scalar::<ROWS, COLUMNS, PLACES>(rows, panel, pairs, uses, sums),
        }
    }
}

/// What the vector kernels compute, one product after another: their reference, and the way where there is none.
///
/// # Safety
/// As many numbers as `int16` checks for have to be there.
unsafe fn int16_scalar<const ROWS: usize, const COLUMNS: usize, const PLACES: usize>(
    rows: *const i16,
    panel: *const i16,
    pairs: usize,
    uses: [Use; PLACES],
    sums: *mut i32,
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
                sum = sum.wrapping_add(i32::from(a) * i32::from(b));
            }
            for (place, how) in uses.into_iter().enumerate() {
                // SAFETY: the caller's promise.
                let place = unsafe { &mut *sums.add((place * ROWS + r) * COLUMNS + column) };
                match how {
                    Use::Leave => {}
                    Use::Set => *place = sum,
                    Use::Add => *place = place.wrapping_add(sum),
                    Use::Subtract => *place = place.wrapping_sub(sum),
                }
            }
        }
    }
}

/// Puts the pairs of four rows side by side, into `WIDTH` rows of a tile or columns of a panel, from the `first` on.
///
/// # Panics
/// If the rows are not as long as each other, or there is no room for as many pairs.
#[inline(always)]
pub fn interleave<const WIDTH: usize>(rows: [&[[i16; 2]]; 4], target: &mut [[[i16; 2]; WIDTH]], first: usize) {
    let pairs = rows[0].len();
    assert!(rows.iter().all(|row| row.len() == pairs) && target.len() >= pairs && first + 4 <= WIDTH);
    #[allow(unused_mut, reason = "elsewhere nothing is done before")]
    let mut done = 0;
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    while done + 4 <= pairs {
        // SAFETY: there are four pairs more in each row, and room for them.
        unsafe {
            wasm::interleave(
                rows.map(|row| row.as_ptr().add(done)),
                target.as_mut_ptr().add(done),
                first,
            )
        };
        done += 4;
    }
    for pair in done..pairs {
        for (target, row) in target[pair][first..].iter_mut().zip(&rows) {
            *target = row[pair];
        }
    }
}

/// Four rows of as many pairs each, which stand one after the other.
#[inline(always)]
pub fn four_rows(rows: &[[i16; 2]]) -> [&[[i16; 2]]; 4] {
    let pairs = rows.len() / 4;
    std::array::from_fn(|row| &rows[row * pairs..][..pairs])
}

/// Lays `count` rows of pairs, which stand one after the other, as `int16` takes them: four side by side, one as it is.
#[inline(always)]
pub fn lay(rows: &[[i16; 2]], count: usize, tile: &mut [[i16; 2]]) {
    match count {
        4 => interleave(four_rows(rows), tile.as_chunks_mut::<4>().0, 0),
        1 => tile[..rows.len()].copy_from_slice(rows),
        _ => unreachable!("tiles have four rows or one"),
    }
}

/// Defines how a kernel's vectors of sums are used: in every place the same number of them.
macro_rules! use_sums {
    ($totals:expr, $uses:expr, $sums:expr, $vector:ty, $load:path, $store:path, $add:path, $subtract:path) => {
        let totals = $totals.as_flattened();
        for (number, how) in $uses.into_iter().enumerate() {
            let place: *mut $vector = $sums.cast::<$vector>().add(number * totals.len());
            for (number, total) in totals.iter().enumerate() {
                let place = place.add(number);
                match how {
                    Use::Leave => {}
                    Use::Set => $store(place.cast(), *total),
                    Use::Add => $store(place.cast(), $add($load(place.cast()), *total)),
                    Use::Subtract => $store(place.cast(), $subtract($load(place.cast()), *total)),
                }
            }
        }
    };
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use core::arch::wasm32::*;

    use super::Use;

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
    /// Every row has to have four pairs, and four rows of the target room for four from each of them.
    #[inline(always)]
    pub unsafe fn interleave<const WIDTH: usize>(
        rows: [*const [i16; 2]; 4],
        target: *mut [[i16; 2]; WIDTH],
        first: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b, c, d] = [
                v128_load(rows[0].cast()),
                v128_load(rows[1].cast()),
                v128_load(rows[2].cast()),
                v128_load(rows[3].cast()),
            ];
            let to = target.cast::<[i16; 2]>().add(first);
            let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d));
            v128_store(to.cast(), i64x2_shuffle::<0, 2>(ab, cd));
            v128_store(to.add(WIDTH).cast(), i64x2_shuffle::<1, 3>(ab, cd));
            let (ab, cd) = (i32x4_shuffle::<2, 6, 3, 7>(a, b), i32x4_shuffle::<2, 6, 3, 7>(c, d));
            v128_store(to.add(2 * WIDTH).cast(), i64x2_shuffle::<0, 2>(ab, cd));
            v128_store(to.add(3 * WIDTH).cast(), i64x2_shuffle::<1, 3>(ab, cd));
        }
    }

    /// # Safety
    /// As `int16_scalar`, with 8 columns.
    #[inline(always)]
    pub unsafe fn simd128<const ROWS: usize, const PLACES: usize>(
        mut rows: *const i16,
        mut panel: *const i16,
        pairs: usize,
        uses: [Use; PLACES],
        sums: *mut i32,
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
            use_sums!(totals, uses, sums, v128, v128_load, v128_store, i32x4_add, i32x4_sub);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::*;

    use super::Use;

    /// # Safety
    /// As `int16_scalar`, with 16 columns, and AVX2.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub unsafe fn avx2<const ROWS: usize, const PLACES: usize>(
        rows: *const i16,
        panel: *const i16,
        pairs: usize,
        uses: [Use; PLACES],
        sums: *mut i32,
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
            use_sums!(
                totals,
                uses,
                sums,
                __m256i,
                _mm256_loadu_si256,
                _mm256_storeu_si256,
                _mm256_add_epi32,
                _mm256_sub_epi32
            );
        }
    }

    /// # Safety
    /// As `int16_scalar`, with 32 columns, and AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
    #[inline]
    pub unsafe fn avx512<const ROWS: usize, const PLACES: usize>(
        rows: *const i16,
        panel: *const i16,
        pairs: usize,
        uses: [Use; PLACES],
        sums: *mut i32,
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
            use_sums!(
                totals,
                uses,
                sums,
                __m512i,
                _mm512_loadu_si512,
                _mm512_storeu_si512,
                _mm512_add_epi32,
                _mm512_sub_epi32
            );
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
        /// What the kernel leaves in `sums` and what its scalar twin does.
        fn both(rows: &[i16], panel: &[i16], pairs: usize, single: bool, sums: &[i32]) -> [Vec<i32>; 2] {
            const USES: [[Use; 4]; 2] = [
                [Use::Set, Use::Add, Use::Leave, Use::Subtract],
                [Use::Subtract, Use::Leave, Use::Set, Use::Add],
            ];
            #[inline(always)]
            fn of_rows<const ROWS: usize, const COLUMNS: usize>(
                rows: &[i16],
                panel: &[i16],
                pairs: usize,
                sums: &[i32],
            ) -> [Vec<i32>; 2] {
                let panel = &panel[..2 * COLUMNS * pairs];
                let sums = &sums[..4 * ROWS * COLUMNS];
                let mut both = [sums.to_vec(), sums.to_vec()];
                for uses in USES {
                    int16::<ROWS, COLUMNS, 4>(rows, panel, pairs, uses, &mut both[0]);
                    // SAFETY: `int16` has checked the slices.
                    unsafe {
                        let sums = both[1].as_mut_ptr();
                        int16_scalar::<ROWS, COLUMNS, 4>(rows.as_ptr(), panel.as_ptr(), pairs, uses, sums);
                    }
                }
                both
            }
            match single {
                true => of_rows::<1, COLUMNS>(rows, panel, pairs, sums),
                false => of_rows::<4, COLUMNS>(rows, panel, pairs, sums),
            }
        }
    }

    /// Random numbers over the whole range, in slices that end where the kernels have to stop reading; the sums of many
    /// of them leave the range of 32 bits.
    #[test]
    fn vector_kernels_are_their_scalar_twin_bit_for_bit() {
        let mut random = fastrand::Rng::with_seed(8);
        let sums: Vec<i32> = (0..4 * 4 * 32).map(|_| random.i32(..)).collect();
        for _ in 0..500 {
            let pairs = random.usize(1..200);
            let single = random.bool();
            let rows = integers(2 * pairs * if single { 1 } else { 4 }, i16::MAX, &mut random);
            let panel = integers(2 * pairs * 32, i16::MAX, &mut random);
            let [found, expected] = both(&rows, &panel, pairs, single, &sums);
            assert_eq!(found, expected, "{pairs} pairs, single: {single}");
        }
    }

    #[test]
    #[should_panic]
    fn rows_that_are_too_short_are_not_read() {
        both(&[0; 60], &[0; 2 * 8 * 32], 8, false, &[0; 4 * 4 * 32]);
    }

    #[test]
    #[should_panic]
    fn sums_that_have_no_room_are_not_written() {
        int16::<4, 8, 4>(&[0; 64], &[0; 128], 8, [Use::Leave; 4], &mut [0; 127]);
    }
}
