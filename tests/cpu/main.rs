//! The processor's own kernels, against plain loops.

mod gradients;
mod int8_products;
mod products;
mod rows;
