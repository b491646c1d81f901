//! The processor's own kernels, against plain loops.

mod products;
mod rows;
