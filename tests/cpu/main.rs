//! The processor's own kernels, against plain loops.

mod gradients;
mod products;
mod rows;
