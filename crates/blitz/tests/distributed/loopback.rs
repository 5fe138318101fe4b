//! What the processes of one machine open to the network: nothing.
#![cfg(target_os = "linux")]

use std::fs;

use blitz::prelude::*;

use crate::common::world::World;

/// The addresses on which this process listens, as the system writes them: hexadecimal, with ports.
fn listening() -> Vec<String> {
    const LISTENING: &str = "0A";
    let links = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let sockets: Vec<String> = links
        .filter_map(|link| fs::read_link(link.path()).ok()?.into_os_string().into_string().ok())
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
    let tables = tables.map(|table| fs::read_to_string(table).unwrap_or_default()).concat();
    let rows = tables.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.len() > 9 && row[3] == LISTENING)
        .filter(|row| sockets.iter().any(|socket| socket == row[9]))
        .map(|row| row[1].to_owned())
        .collect()
}

#[test]
fn nobody_else_on_the_network_reaches_the_processes_of_one_machine() {
    World::of(2).succeeds(module_path!(), "listens");
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn listens() {
    let group = distributed::init(&InitOptions::default()).unwrap();
    group.barrier().unwrap();
    let addresses = listening();
    assert!(!addresses.is_empty(), "gloo listens");
    for address in addresses {
        assert!(address.starts_with("0100007F:"), "{address} is not 127.0.0.1");
    }
    group.barrier().unwrap();
}
