//! The store from outside: every backend by one suite, faults, damage, goldens.

mod backends;
mod backpressure;
mod backup;
mod damage;
mod faults;
mod file_size;
mod goldens;
mod log_damage;
mod on_disk;
mod page_damage;
mod restore;
mod samples;
mod stepped;
mod updates;
mod upgrade;
