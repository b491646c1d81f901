//! The innermost loops: a few rows of activations times one panel of columns. All unsafe code of the kernels is here.
//!
//! A panel holds [`Instructions::panel_columns`] columns of the weights, one `k` (of f32) or one pair of `k` (of
//! integers) after another. `int16` multiplies integers in pairs: the vector instruction multiplies eight 16-bit
//! numbers by eight others and adds neighbouring products, four sums of 32 bits.

use super::processor::{Instructions, multiply_add};

/// Pairs of `k` whose products are added as integers. 64 products of a 13-bit weight (at most 4,095) and a 14-bit
/// activation (at most 8,191) stay below 2^31.
pub const PAIRS_AT_ONCE: usize = 32;

/// The largest integers, see [`PAIRS_AT_ONCE`].
pub const WEIGHT_LIMIT: i16 = 4095;
/// As above.
pub const ACTIVATION_LIMIT: i16 = 8191;
const _: () = assert!(WEIGHT_LIMIT as i64 * ACTIVATION_LIMIT as i64 * 2 * PAIRS_AT_ONCE as i64 <= i32::MAX as i64);

/// Adds to `sums` ([ROWS][panel columns]) the products of `ROWS` rows with a panel, over `pairs` pairs of `k`.
///
/// `rows` begins with the first row, the next one is `stride` integers further on; `panel` holds, for each pair, two
/// integers of each column.
///
/// # Panics
/// If a slice is shorter than that.
#[inline]
pub fn int16<const ROWS: usize>(
    instructions: Instructions,
    rows: &[i16],
    stride: usize,
    panel: &[i16],
    pairs: usize,
    sums: &mut [f32],
) {
    let columns = instructions.panel_columns();
    assert!(rows.len() >= (ROWS - 1) * stride + 2 * pairs);
    assert!(panel.len() >= 2 * pairs * columns);
    assert!(sums.len() >= ROWS * columns);
    let mut done = 0;
    while done < pairs {
        let now = PAIRS_AT_ONCE.min(pairs - done);
        // SAFETY: the slices hold as many numbers as the kernels read and write, by the checks above; and a set of
        // instructions is only ever named after it was detected.
        unsafe {
            let row = rows.as_ptr().add(2 * done);
            let panel = panel.as_ptr().add(2 * done * columns);
            match instructions {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => x86::avx2::<ROWS>(row, stride, panel, now, sums.as_mut_ptr()),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => x86::avx512::<ROWS>(row, stride, panel, now, sums.as_mut_ptr()),
                #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
                _ => wasm::simd128::<ROWS>(row, stride, panel, now, sums.as_mut_ptr()),
                #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
                _ => int16_scalar(ROWS, row, stride, panel, now, columns, sums.as_mut_ptr()),
            }
        }
        done += now;
    }
}

/// What the vector kernels compute, one product after another: their reference, and the way where there is none.
///
/// # Safety
/// As many numbers as `int16` checks for have to be there.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
unsafe fn int16_scalar(
    rows: usize,
    row: *const i16,
    stride: usize,
    panel: *const i16,
    pairs: usize,
    columns: usize,
    sums: *mut f32,
) {
    for r in 0..rows {
        for column in 0..columns {
            let mut sum = 0i32;
            for k in 0..2 * pairs {
                // SAFETY: the caller's promise.
                let (a, b) = unsafe {
                    (
                        *row.add(r * stride + k),
                        *panel.add((k / 2) * 2 * columns + 2 * column + k % 2),
                    )
                };
                sum += i32::from(a) * i32::from(b);
            }
            // SAFETY: the caller's promise.
            unsafe { *sums.add(r * columns + column) += sum as f32 };
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use core::arch::wasm32::*;

    const PAIRS_A_TURN: usize = 1;

    /// # Safety
    /// Every row has to hold the pair, and the panel its columns.
    #[inline(always)]
    unsafe fn add_pair<const ROWS: usize>(
        rows: &[*const i16; ROWS],
        panel: *const i16,
        pair: usize,
        totals: &mut [[v128; 2]; ROWS],
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let first = v128_load(panel.add(pair * 16).cast());
            let second = v128_load(panel.add(pair * 16 + 8).cast());
            for (row, total) in rows.iter().zip(totals) {
                let both = v128_load32_splat(row.add(2 * pair).cast());
                total[0] = i32x4_add(total[0], i32x4_dot_i16x8(both, first));
                total[1] = i32x4_add(total[1], i32x4_dot_i16x8(both, second));
            }
        }
    }

    /// # Safety
    /// As `int16_scalar`, with 8 columns.
    #[inline]
    pub unsafe fn simd128<const ROWS: usize>(
        row: *const i16,
        stride: usize,
        panel: *const i16,
        pairs: usize,
        sums: *mut f32,
    ) {
        let mut totals = [[i32x4_splat(0); 2]; ROWS];
        // SAFETY: the caller's promise.
        unsafe {
            let mut rows: [*const i16; ROWS] = core::array::from_fn(|r| row.add(r * stride));
            let mut panel = panel;
            // Several pairs a turn: their addresses are constants beside the pointers, which saves half of the work
            // that is not arithmetic.
            for _ in 0..pairs / PAIRS_A_TURN {
                for pair in 0..PAIRS_A_TURN {
                    add_pair(&rows, panel, pair, &mut totals);
                }
                rows = rows.map(|row| row.add(2 * PAIRS_A_TURN));
                panel = panel.add(16 * PAIRS_A_TURN);
            }
            for pair in 0..pairs % PAIRS_A_TURN {
                add_pair(&rows, panel, pair, &mut totals);
            }
        }
        for (r, total) in totals.iter().enumerate() {
            for (half, total) in total.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe {
                    let sum: *mut v128 = sums.add(r * 8 + half * 4).cast();
                    v128_store(sum, f32x4_add(v128_load(sum), f32x4_convert_i32x4(*total)));
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::*;

    /// # Safety
    /// As `int16_scalar`, with 16 columns, and AVX2.
    #[target_feature(enable = "avx2")]
    pub unsafe fn avx2<const ROWS: usize>(
        row: *const i16,
        stride: usize,
        panel: *const i16,
        pairs: usize,
        sums: *mut f32,
    ) {
        let mut totals = [[_mm256_setzero_si256(); 2]; ROWS];
        for pair in 0..pairs {
            // SAFETY: the caller's promise.
            unsafe {
                let first = _mm256_loadu_si256(panel.add(pair * 32).cast());
                let second = _mm256_loadu_si256(panel.add(pair * 32 + 16).cast());
                for (r, total) in totals.iter_mut().enumerate() {
                    let both = _mm256_set1_epi32(row.add(r * stride + 2 * pair).cast::<i32>().read_unaligned());
                    total[0] = _mm256_add_epi32(total[0], _mm256_madd_epi16(both, first));
                    total[1] = _mm256_add_epi32(total[1], _mm256_madd_epi16(both, second));
                }
            }
        }
        for (r, total) in totals.iter().enumerate() {
            for (half, total) in total.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe {
                    let sum = sums.add(r * 16 + half * 8);
                    _mm256_storeu_ps(sum, _mm256_add_ps(_mm256_loadu_ps(sum), _mm256_cvtepi32_ps(*total)));
                }
            }
        }
    }

    /// # Safety
    /// As `int16_scalar`, with 32 columns, and AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub unsafe fn avx512<const ROWS: usize>(
        row: *const i16,
        stride: usize,
        panel: *const i16,
        pairs: usize,
        sums: *mut f32,
    ) {
        let mut totals = [[_mm512_setzero_si512(); 2]; ROWS];
        for pair in 0..pairs {
            // SAFETY: the caller's promise.
            unsafe {
                let first = _mm512_loadu_si512(panel.add(pair * 64).cast());
                let second = _mm512_loadu_si512(panel.add(pair * 64 + 32).cast());
                for (r, total) in totals.iter_mut().enumerate() {
                    let both = _mm512_set1_epi32(row.add(r * stride + 2 * pair).cast::<i32>().read_unaligned());
                    total[0] = _mm512_add_epi32(total[0], _mm512_madd_epi16(both, first));
                    total[1] = _mm512_add_epi32(total[1], _mm512_madd_epi16(both, second));
                }
            }
        }
        for (r, total) in totals.iter().enumerate() {
            for (half, total) in total.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe {
                    let sum = sums.add(r * 32 + half * 16);
                    _mm512_storeu_ps(sum, _mm512_add_ps(_mm512_loadu_ps(sum), _mm512_cvtepi32_ps(*total)));
                }
            }
        }
    }
}

/// Adds to `sums` ([ROWS][COLUMNS]) the products of rows of f32 with a panel, over `depth` values of `k`.
#[inline(always)]
fn fp32_body<const FMA: bool, const ROWS: usize, const COLUMNS: usize>(
    rows: &[f32],
    stride: usize,
    panel: &[f32],
    depth: usize,
    sums: &mut [f32],
) {
    let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &rows[r * stride..][..depth]);
    let panel = &panel[..depth * COLUMNS].as_chunks::<COLUMNS>().0[..depth];
    let sums = &mut sums.as_chunks_mut::<COLUMNS>().0[..ROWS];
    let mut totals: [[f32; COLUMNS]; ROWS] = std::array::from_fn(|r| sums[r]);
    for k in 0..depth {
        let weights = &panel[k];
        for (total, row) in totals.iter_mut().zip(&rows) {
            let value = row[k];
            for (total, weight) in total.iter_mut().zip(weights) {
                *total = multiply_add::<FMA>(value, *weight, *total);
            }
        }
    }
    sums.copy_from_slice(&totals);
}

/// Adds to `sums` ([rows][panel columns]) the products of 1 to 4 rows with a panel of f32 over `depth` values of `k`.
///
/// # Panics
/// If a slice is too short for that.
pub fn fp32(
    instructions: Instructions,
    count: usize,
    rows: &[f32],
    stride: usize,
    panel: &[f32],
    depth: usize,
    sums: &mut [f32],
) {
    #[inline(always)]
    fn of_count<const FMA: bool, const COLUMNS: usize>(
        count: usize,
        rows: &[f32],
        stride: usize,
        panel: &[f32],
        depth: usize,
        sums: &mut [f32],
    ) {
        match count {
            1 => fp32_body::<FMA, 1, COLUMNS>(rows, stride, panel, depth, sums),
            2 => fp32_body::<FMA, 2, COLUMNS>(rows, stride, panel, depth, sums),
            3 => fp32_body::<FMA, 3, COLUMNS>(rows, stride, panel, depth, sums),
            _ => fp32_body::<FMA, 4, COLUMNS>(rows, stride, panel, depth, sums),
        }
    }
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2(count: usize, rows: &[f32], stride: usize, panel: &[f32], depth: usize, sums: &mut [f32]) {
            of_count::<true, 16>(count, rows, stride, panel, depth, sums);
        }
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
        fn avx512(count: usize, rows: &[f32], stride: usize, panel: &[f32], depth: usize, sums: &mut [f32]) {
            of_count::<true, 32>(count, rows, stride, panel, depth, sums);
        }
        match instructions {
            Instructions::Base => {}
            // SAFETY: a set of instructions is only ever named after it was detected.
            Instructions::Avx2 => return unsafe { avx2(count, rows, stride, panel, depth, sums) },
            // SAFETY: as above.
            Instructions::Avx512 => return unsafe { avx512(count, rows, stride, panel, depth, sums) },
        }
    }
    let _ = instructions;
    of_count::<{ cfg!(target_arch = "aarch64") }, 8>(count, rows, stride, panel, depth, sums);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random numbers over the whole range, in slices that end where the kernels have to stop reading.
    #[test]
    fn vector_kernels_are_their_scalar_twin_bit_for_bit() {
        let instructions = Instructions::detect();
        let columns = instructions.panel_columns();
        let mut random = fastrand::Rng::with_seed(8);
        for _ in 0..500 {
            let pairs = random.usize(1..200);
            let stride = 2 * pairs + random.usize(0..3);
            let count = random.usize(1..=4);
            let mut integers =
                |length: usize, limit: i16| -> Vec<i16> { (0..length).map(|_| random.i16(-limit..=limit)).collect() };
            let rows = integers((count - 1) * stride + 2 * pairs, ACTIVATION_LIMIT);
            let panel = integers(2 * pairs * columns, WEIGHT_LIMIT);
            let mut found = vec![0.5; count * columns];
            let mut expected = found.clone();
            let of_count = match count {
                1 => int16::<1>,
                2 => int16::<2>,
                3 => int16::<3>,
                _ => int16::<4>,
            };
            of_count(instructions, &rows, stride, &panel, pairs, &mut found);
            for done in (0..pairs).step_by(PAIRS_AT_ONCE) {
                let now = PAIRS_AT_ONCE.min(pairs - done);
                // SAFETY: the slices are as long as `int16` asks for.
                unsafe {
                    let (row, panel) = (rows.as_ptr().add(2 * done), panel.as_ptr().add(2 * done * columns));
                    int16_scalar(count, row, stride, panel, now, columns, expected.as_mut_ptr());
                }
            }
            assert_eq!(found, expected, "{count} rows, {pairs} pairs");
        }
    }

    #[test]
    #[should_panic]
    fn rows_that_are_too_short_are_not_read() {
        let instructions = Instructions::detect();
        let panel = vec![0; 2 * 8 * instructions.panel_columns()];
        int16::<2>(instructions, &[0; 20], 16, &panel, 8, &mut [0.0; 128]);
    }
}
