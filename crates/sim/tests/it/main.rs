//! The simulation at work: seeds of the world, and the store's file on the modelled disk alone.

mod seeds;
mod store_file;
