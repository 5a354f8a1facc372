//! The store on a real server, which the tests start. Where no server can be had they say so and pass; with
//! `SCROLLBACK_POSTGRES=required` they fail.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "what tests lean on lies beside them"
)]

mod answers_lost;
mod blocked;
mod cluster;
mod contracts;
mod disk;
mod folders;
mod full;
mod histories;
mod killed;
#[path = "../../../tests/it/linearizable/mod.rs"]
mod linearizable;
mod load;
mod measured;
mod plans;
mod schema;
mod standby;
mod tls;
