//! Figures of rankings: metrics, intervals, tests, tables.

mod metrics;
mod significance;
mod table;
mod traffic;
