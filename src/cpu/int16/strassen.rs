//! Products of integers by seven products of their quarters instead of eight (Strassen 1969, *Gaussian elimination is
//! not optimal*).
//!
//! The left matrix has two tiles of rows (1 above 2) and the right one two panels of columns (1 beside 2); both have two
//! halves of `k`. Of f32 such sums would be less exact; those of integers are the very same, even where one on the way
//! leaves the range: it comes back, as all of it is modulo 2^32. What it costs is a bit: sums of two integers have to
//! fit into 16 bits, which is why none may be larger than [`LIMIT`]. The right operands are made once, when weights are
//! packed; the left ones are a few additions.

use crate::cpu::tile;

/// The largest integer that may be multiplied.
pub const LIMIT: i16 = i16::MAX / 2;

/// How many operands there are of either matrix, each as large as one of its quarters.
pub const OPERANDS: usize = 7;

/// Writes the left operands, one after the other.
///
/// `quarters` are tiles of rows by halves of `k`: (1, 1), (1, 2), (2, 1), (2, 2), each in the order of a tile's rows.
pub fn left_operands([a11, a12, a21, a22]: [&[i16]; 4], operands: &mut [i16]) {
    let [m1, m2, m3, m4, m5, m6, m7] = parts(operands);
    add(a11, a22, m1);
    add(a21, a22, m2);
    m3.copy_from_slice(a11);
    m4.copy_from_slice(a22);
    add(a11, a12, m5);
    subtract(a21, a11, m6);
    subtract(a12, a22, m7);
}

/// Writes the right operands, one after the other.
///
/// `quarters` are halves of `k` by panels of columns: (1, 1), (1, 2), (2, 1), (2, 2), each in the order of a panel.
pub fn right_operands([b11, b12, b21, b22]: [&[i16]; 4], operands: &mut [i16]) {
    let [m1, m2, m3, m4, m5, m6, m7] = parts(operands);
    add(b11, b22, m1);
    m2.copy_from_slice(b11);
    subtract(b12, b22, m3);
    subtract(b21, b11, m4);
    m5.copy_from_slice(b22);
    add(b11, b12, m6);
    add(b21, b22, m7);
}

fn parts(operands: &mut [i16]) -> [&mut [i16]; OPERANDS] {
    let length = operands.len() / OPERANDS;
    let mut parts = operands.chunks_exact_mut(length);
    std::array::from_fn(|_| parts.next().expect("seven of them"))
}

fn add(a: &[i16], b: &[i16], sums: &mut [i16]) {
    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
        *sum = a.wrapping_add(*b);
    }
}

fn subtract(a: &[i16], b: &[i16], differences: &mut [i16]) {
    for ((difference, a), b) in differences.iter_mut().zip(a).zip(b) {
        *difference = a.wrapping_sub(*b);
    }
}

/// The sums of both tiles with both panels, into `sums`: (1, 1), (1, 2), (2, 1), (2, 2), each row by row.
///
/// `pairs` are those of `k` in an operand, half of all. The sums have to fit into 32 bits; nothing on the way has to.
///
/// # Panics
/// If a slice is shorter than that.
#[inline(always)]
pub fn product<const ROWS: usize, const COLUMNS: usize>(left: &[i16], right: &[i16], pairs: usize, sums: &mut [i32]) {
    use tile::Use::{Add, Leave, Set, Subtract};
    let (rows, panel) = (2 * ROWS * pairs, 2 * COLUMNS * pairs);
    // A macro and no closure: one that is not inlined is compiled without the caller's instructions.
    macro_rules! m {
        ($number:literal, $($use:expr),*) => {
            tile::int16::<ROWS, COLUMNS, 4>(
                &left[($number - 1) * rows..][..rows],
                &right[($number - 1) * panel..][..panel],
                pairs,
                [$($use),*],
                sums,
            )
        };
    }
    m!(1, Set, Leave, Leave, Set);
    m!(2, Leave, Leave, Set, Subtract);
    m!(3, Leave, Set, Leave, Add);
    m!(4, Add, Leave, Add, Leave);
    m!(5, Subtract, Add, Leave, Leave);
    m!(6, Leave, Leave, Leave, Add);
    m!(7, Add, Leave, Leave, Leave);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::processor::for_each_processor;

    /// Two tiles of as many rows, two panels, and two halves of that many pairs.
    struct Factors<const ROWS: usize, const COLUMNS: usize> {
        left: [Vec<i16>; 4],
        right: [Vec<i16>; 4],
    }

    impl<const ROWS: usize, const COLUMNS: usize> Factors<ROWS, COLUMNS> {
        fn random(pairs: usize, mut number: impl FnMut() -> i16) -> Self {
            let mut numbers = |count: usize| (0..count).map(|_| number()).collect();
            Self {
                left: std::array::from_fn(|_| numbers(2 * ROWS * pairs)),
                right: std::array::from_fn(|_| numbers(2 * COLUMNS * pairs)),
            }
        }

        /// The sums in 64 bits, quarter by quarter as they are defined: C_ij = A_i1 B_1j + A_i2 B_2j.
        fn expected(&self, quarter: usize, row: usize, column: usize) -> i64 {
            let (above, beside) = (quarter / 2, quarter % 2);
            let half = |half: usize| -> i64 {
                let (left, right) = (&self.left[2 * above + half], &self.right[2 * half + beside]);
                let number = |k: usize| -> i64 {
                    let a = left[2 * (k / 2 * ROWS + row) + k % 2];
                    let b = right[2 * (k / 2 * COLUMNS + column) + k % 2];
                    i64::from(a) * i64::from(b)
                };
                (0..left.len() / ROWS).map(number).sum()
            };
            half(0) + half(1)
        }
    }

    for_each_processor! {
        fn check(pairs: usize, numbers: &mut dyn FnMut() -> i16, single: bool) {
            fn of_rows<const ROWS: usize, const COLUMNS: usize>(pairs: usize, numbers: &mut dyn FnMut() -> i16) {
                let factors = Factors::<ROWS, COLUMNS>::random(pairs, numbers);
                let mut left = vec![0; OPERANDS * 2 * ROWS * pairs];
                let mut right = vec![0; OPERANDS * 2 * COLUMNS * pairs];
                left_operands(factors.left.each_ref().map(|quarter| &quarter[..]), &mut left);
                right_operands(factors.right.each_ref().map(|quarter| &quarter[..]), &mut right);
                let mut found = vec![7; 4 * ROWS * COLUMNS];
                product::<ROWS, COLUMNS>(&left, &right, pairs, &mut found);
                for (place, sum) in found.into_iter().enumerate() {
                    let (quarter, row, column) = (place / COLUMNS / ROWS, place / COLUMNS % ROWS, place % COLUMNS);
                    let expected = factors.expected(quarter, row, column);
                    assert_eq!(i64::from(sum), expected, "quarter {quarter}, {row}, {column}");
                }
            }
            match single {
                true => of_rows::<1, COLUMNS>(pairs, numbers),
                false => of_rows::<4, COLUMNS>(pairs, numbers),
            }
        }
    }

    #[test]
    fn seven_products_give_the_sums_of_eight() {
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..200 {
            let (pairs, single) = (random.usize(1..100), random.bool());
            check(pairs, &mut || random.i16(-2000..=2000), single);
        }
    }

    /// Two pairs of them leave the range of 32 bits on the way, and their sums do not.
    #[test]
    fn the_largest_numbers_come_out_exact_though_what_is_between_overflows() {
        let mut random = fastrand::Rng::with_seed(12);
        for _ in 0..200 {
            let single = random.bool();
            check(1, &mut || if random.bool() { LIMIT } else { -LIMIT }, single);
        }
        check(1, &mut || LIMIT, false);
        check(1, &mut || -LIMIT, true);
    }
}
