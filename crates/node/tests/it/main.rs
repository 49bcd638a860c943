//! Tests of the node over its public interface, with real containers where the name says `docker`.

mod deadlines;
mod docker_connection;
mod docker_engine;
mod docker_fields;
mod docker_registry;
mod engine_contract;
mod engine_contract_events;
mod engine_contract_images;
mod engine_contract_network;
mod minimal_image;
mod rig;
mod runner;
mod simulated_engine;
