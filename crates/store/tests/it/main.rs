//! The store from outside: every backend by one suite, faults, damage, goldens.

mod backends;
mod damage;
mod faults;
mod goldens;
mod samples;
mod updates;
