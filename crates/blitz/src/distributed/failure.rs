//! Errors of c10d, as they are told where processes work together.

use std::time::Duration;

use super::environment::Environment;
use crate::error::Error;
use crate::error::peer_text::{self, Peer};

/// What an error of c10d means for whoever started the processes.
pub(super) fn failed(
    environment: &Environment,
    timeout: Duration,
    operation: &'static str,
    error: Error,
) -> Error {
    let Error::Torch { message, .. } = error else { return error };
    let message = peer_text::c10ds_own(&message).to_owned();
    let Environment { rank, world_size, address, port, .. } = environment.clone();
    let place = format!("{address}:{port}");
    let has = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    let (reason, remedy) = if has(&["EADDRINUSE", "ddress already in use", "failed to listen"]) {
        let remedy = "Another training may run: choose another port (MASTER_PORT), or let torchrun \
                      --standalone choose one.";
        (format!("the port {port} is in use"), remedy)
    } else if operation == "init" && has(&["timed out", "Timed out", "timeout", "refused"]) {
        let remedy = "Start rank 0 first or at the same time, and check that this machine reaches \
                      its address and port.";
        (format!("nobody answered at {place} within {timeout:?}"), remedy)
    } else if peer_text::of_peer(&message) == Some(Peer::Ended) {
        let remedy = "Look at that process's own message; the others only noticed that it is gone.";
        let elsewhere = match operation {
            "init" => format!(", or what listens at {place} is no training"),
            _ => String::new(),
        };
        (format!("{}{elsewhere} ({message})", peer_text::HAS_ENDED), remedy)
    } else if has(&["imed out", "imeout"]) {
        let remedy = "Each rank makes the same calls in the same order: look for one that does \
                      more or fewer, is much slower, or has stopped.";
        (format!("the other ranks did not come to this call within {timeout:?}"), remedy)
    } else if operation == "init" {
        let remedy = "Check the meeting place (MASTER_ADDR, MASTER_PORT) and, where it is set, the \
                      network interface (GLOO_SOCKET_IFNAME).";
        (format!("{message} (meeting at {place})"), remedy)
    } else {
        (message, "All ranks must call with tensors of one shape and kind.")
    };
    Error::Process { operation, rank, world_size, reason, remedy: remedy.to_owned() }
}
