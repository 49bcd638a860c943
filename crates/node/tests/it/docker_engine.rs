//! The contract, kept by the engine `docker`.

use crate::engine_contract::contract;
use crate::rig::Rig;

contract! { Rig::docker();
    engine_contract::{
        a_container_goes_through_its_life,
        exit_codes_are_the_processes_own,
        what_ignores_sigterm_is_killed,
        memory_beyond_the_limit_is_told,
        what_cannot_start_says_why,
        a_name_is_given_once,
        an_exited_container_starts_again,
        a_running_container_is_removed_by_force,
        only_ones_own_are_listed,
        unknown_containers_are_not_found,
        a_container_without_an_image_is_not_created,
    },
    engine_contract_network::{
        a_fixed_port_is_held_by_one,
        dynamic_ports_differ,
        a_bridge_gives_each_container_an_address,
        a_network_is_made_once_however_many_ask,
        networks_go_once_unused,
        a_missing_network_is_named,
        host_and_none_have_no_address_of_their_own,
    },
    engine_contract_images::{
        an_imported_image_runs_and_has_no_registry_digest,
        a_failed_pull_says_why,
        a_probe_proves_that_containers_start_and_leaves_none,
    },
    engine_contract_events::{
        every_change_of_ones_own_containers_is_told,
        an_end_is_told_without_a_question,
    },
}
