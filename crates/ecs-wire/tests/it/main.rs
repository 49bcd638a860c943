//! Tests of the wire crate through its public names.

mod enumerations;
mod errors;
mod goldens;
mod leniency;
mod rules;
mod table;
mod timestamps;
