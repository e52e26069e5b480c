//! Starts the command that the arguments name.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Both PostgreSQL's and Redis' TLS ask for the process's provider; a second call would find it installed
    _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ExitCode::from(party_gallery::cli::run())
}
