//! How the processes of a training find each other.

use std::net::{IpAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, thread};

use tch::Device;

use super::engine::{Engine, Listen};
use super::environment::Environment;
use super::failure::failed;
use super::process_group::Backend;
use crate::error::{Error, Result};

/// How long rank 0 goes on serving the meeting place after it has given up waiting.
const GRACE: Duration = Duration::from_secs(3);

/// The variable that names network interfaces, as for Python.
const INTERFACES: &str = "GLOO_SOCKET_IFNAME";

/// Joins the other processes.
///
/// # Errors
///
/// As for [`init`](super::init).
pub(super) fn connect(
    environment: &Environment,
    device: Device,
    backend: Backend,
    timeout: Duration,
) -> Result<Engine> {
    const OPERATION: &str = "init";
    let named = |error| failed(environment, timeout, OPERATION, error);
    let listen = listen(environment)?;
    let engine = join(environment, timeout).map_err(named)?;
    meet(&engine, environment, timeout)?;
    match backend {
        Backend::Nccl => engine.use_nccl(device).map_err(named)?,
        Backend::Auto | Backend::Gloo => engine.use_gloo(&listen).map_err(named)?,
    }
    Ok(engine)
}

/// Reaches the meeting place. c10d waits without an end for one that accepts and says nothing, as
/// another program's port does: it is left waiting, in a thread that ends with the process.
fn join(environment: &Environment, timeout: Duration) -> Result<Engine> {
    let (sender, receiver) = mpsc::channel();
    let (place, listening) = (environment.clone(), serve_alone(environment)?);
    thread::spawn(move || {
        // Nobody receives what comes too late.
        let _ = sender.send(Engine::join(&place, listening, timeout));
    });
    receiver.recv_timeout(timeout + GRACE).unwrap_or_else(|_| {
        let message = "timed out waiting for the first answer".to_owned();
        Err(Error::Torch { operation: "joining the other processes", message })
    })
}

/// Where this process serves a meeting place of this machine's processes alone: a socket that nobody
/// else on the network reaches. c10d's own listens on all interfaces and asks nobody for a password.
fn serve_alone(environment: &Environment) -> Result<Option<TcpListener>> {
    let Environment { rank, local_world_size, world_size, .. } = *environment;
    let place = (environment.address.as_str(), environment.port);
    let is_local =
        || place.to_socket_addrs().is_ok_and(|mut all| all.all(|it| it.ip().is_loopback()));
    if rank != 0 || environment.has_agent_store || local_world_size < world_size || !is_local() {
        return Ok(None);
    }
    let listening = TcpListener::bind(place);
    let message = |error: std::io::Error| error.to_string();
    let operation = "serving the meeting place";
    listening.map(Some).map_err(|error| Error::Torch { operation, message: message(error) })
}

/// Waits until every rank is there, so that the one that is not can be named.
fn meet(engine: &Engine, environment: &Environment, timeout: Duration) -> Result<()> {
    const OPERATION: &str = "init";
    let key = |rank: usize| format!("rank/{rank}");
    let named = |error| failed(environment, timeout, OPERATION, error);
    engine.store_set(&key(environment.rank), env!("CARGO_PKG_VERSION")).map_err(named)?;
    let deadline = Instant::now() + timeout;
    for rank in 0..environment.world_size {
        let left = deadline.saturating_duration_since(Instant::now());
        let Err(error) = engine.store_get(&key(rank), left.max(Duration::from_millis(1))) else {
            continue;
        };
        let missing = |rank: &usize| matches!(engine.store_has(&key(*rank)), Ok(false));
        let missing: Vec<String> =
            (0..environment.world_size).filter(missing).map(|rank| rank.to_string()).collect();
        if missing.is_empty() {
            return Err(named(error));
        }
        if environment.rank == 0 && !environment.has_agent_store {
            // The others, which began to wait a little later, ask this process who is missing.
            thread::sleep(GRACE.min(timeout));
        }
        return Err(Error::Process {
            operation: OPERATION,
            rank: environment.rank,
            world_size: environment.world_size,
            reason: format!(
                "after {timeout:?} these ranks have not come: {} (meeting at {}:{})",
                missing.join(", "),
                environment.address,
                environment.port
            ),
            remedy: "Start them with the same address and port, and look at their own messages."
                .to_owned(),
        });
    }
    Ok(())
}

/// Where this process listens for the others.
fn listen(environment: &Environment) -> Result<Listen> {
    if let Some(names) = env::var(INTERFACES).ok().filter(|names| !names.is_empty()) {
        return match names.split(',').find(|name| !is_interface(name)) {
            Some(name) => {
                let expected = "names of network interfaces of this machine, with commas between";
                Err(Error::option(INTERFACES, expected, format!("{name:?}")))
            }
            None => Ok(Listen::Interfaces(names)),
        };
    }
    if environment.local_world_size == environment.world_size {
        return Ok(Listen::Host("127.0.0.1".to_owned()));
    }
    // The address that leads to the meeting place; connecting a UDP socket sends nothing.
    let leads = |any: &str| -> std::io::Result<IpAddr> {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((environment.address.as_str(), environment.port))?;
        Ok(socket.local_addr()?.ip())
    };
    let address = leads("0.0.0.0").or_else(|_| leads("::"));
    Ok(Listen::Host(address.map_or_else(|_| environment.address.clone(), |ip| ip.to_string())))
}

#[cfg(unix)]
fn is_interface(name: &str) -> bool {
    let Ok(name) = std::ffi::CString::new(name) else { return false };
    // SAFETY: the text lives until the call returns.
    unsafe { libc::if_nametoindex(name.as_ptr()) != 0 }
}

#[cfg(not(unix))]
fn is_interface(_name: &str) -> bool {
    true // gloo finds out
}
