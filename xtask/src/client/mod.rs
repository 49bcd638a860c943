//! What drivers need to talk to a server.

pub mod http_client;
