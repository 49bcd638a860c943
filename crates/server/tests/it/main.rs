//! The HTTP side as a client on the wire sees it: a server on a free port, a fake service behind it.

mod backup_restore;
mod binary;
mod client;
mod connections;
mod doors;
mod protocol;
mod service;
mod shutdown;
mod signatures;
