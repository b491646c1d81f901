//! Which instructions the processor has, and functions compiled once for each set of them.

use std::sync::OnceLock;

/// A set of instructions that kernels exist for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instructions {
    /// What every processor of the target has: on wasm32 the 128-bit SIMD, if the build has it.
    Base,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 (F, BW, VL, DQ).
    Avx512,
}

impl Instructions {
    /// The best set that this processor has; looked up once.
    pub fn detect() -> Self {
        static DETECTED: OnceLock<Instructions> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            #[cfg(target_arch = "x86_64")]
            {
                let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
                let avx512 = is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq");
                match (avx2, avx512) {
                    (true, true) => return Self::Avx512,
                    (true, false) => return Self::Avx2,
                    _ => {}
                }
            }
            Self::Base
        })
    }

    /// Columns of a panel: two vector registers of 32-bit numbers.
    pub fn panel_columns(self) -> usize {
        match self {
            Self::Base => 8,
            Self::Avx2 => 16,
            Self::Avx512 => 32,
        }
    }

    /// What columns of a part of a product have to begin with a multiple of: two panels.
    pub fn part_columns(self) -> usize {
        2 * self.panel_columns()
    }
}

/// Defines a function whose body is compiled for every set of instructions, and which calls the best at hand.
///
/// The body may use two constants: `FMA`, whether `f32::mul_add` is an instruction and not a slow function, and
/// `COLUMNS`, which is [`Instructions::panel_columns`].
macro_rules! for_each_processor {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::extra_unused_type_parameters, reason = "not every body asks for both")]
            fn body<const FMA: bool, const COLUMNS: usize>($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($argument: $type),*) $(-> $result)? {
                    body::<true, 16>($($argument),*)
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
                fn avx512($($argument: $type),*) $(-> $result)? {
                    body::<true, 32>($($argument),*)
                }
                match $crate::cpu::processor::Instructions::detect() {
                    $crate::cpu::processor::Instructions::Base => {}
                    // SAFETY: `detect` has found the instructions.
                    $crate::cpu::processor::Instructions::Avx2 => return unsafe { avx2($($argument),*) },
                    // SAFETY: as above.
                    $crate::cpu::processor::Instructions::Avx512 => return unsafe { avx512($($argument),*) },
                }
            }
            // NEON has it always; wasm never.
            body::<{ cfg!(target_arch = "aarch64") }, 8>($($argument),*)
        }
    };
}
pub(crate) use for_each_processor;

/// `a · b + c`, in one rounding where that is an instruction.
#[inline(always)]
pub(crate) fn multiply_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}
