//! Processes that do not find each other, or that end.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use blitz::distributed::Environment;
use blitz::prelude::*;

use super::collectives::group;
use crate::common::world::{World, free_port};

fn init_within(seconds: u64) -> blitz::Result<ProcessGroup> {
    let timeout = Duration::from_secs(seconds);
    distributed::init(&InitOptions { timeout, ..InitOptions::default() })
}

#[test]
fn without_a_launcher_it_is_a_world_of_one() {
    if Environment::read().unwrap().is_none() {
        let group = distributed::init(&InitOptions::default()).unwrap();
        assert_eq!((group.rank(), group.world_size(), group.is_main()), (0, 1, true));
    }
}

#[test]
fn a_rank_that_never_comes_is_named() {
    let ended = World::of(3).without(1).succeeds(module_path!(), "waits");
    for ended in &ended {
        let message = ended.value("message");
        assert!(
            message.contains("these ranks have not come: 1 (meeting at 127.0.0.1:"),
            "{message}"
        );
    }
    assert!(ended[1].value("message").starts_with("init failed on rank 2 of 3: after 5s"));
}

#[test]
fn a_meeting_place_where_nobody_is_is_named() {
    let ended = World::of(2).without(0).succeeds(module_path!(), "waits");
    let message = ended[0].value("message");
    assert!(
        message.contains("init failed on rank 1 of 2: nobody answered at 127.0.0.1:"),
        "{message}"
    );
}

#[test]
#[ignore = "started by other tests, once for each rank"]
fn waits() {
    let begun = Instant::now();
    println!("\nmessage={}", init_within(5).unwrap_err());
    assert!(begun.elapsed() < Duration::from_secs(120), "it waited much longer than it was told");
}

#[test]
fn a_port_in_use_is_named() {
    let port = free_port();
    let _taken = TcpListener::bind(("0.0.0.0", port)).unwrap();
    let ended = World::of(2).without(1).at(port).succeeds(module_path!(), "waits");
    let message = ended[0].value("message");
    let expected = format!("init failed on rank 0 of 2: the port {port} is in use");
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn a_rank_that_ends_is_noticed_by_the_others() {
    for how in ["exit", "kill"] {
        let ended = World::of(2).with("HOW", how).run(module_path!(), "loses_a_rank");
        assert!(!ended[1].status.success(), "{}", ended[1].text);
        let message = ended[0].value("message");
        let expected = "all_reduce failed on rank 0 of 2: another process has ended (";
        assert!(message.starts_with(expected), "{how}: {message}");
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn loses_a_rank() {
    let group = group();
    group.barrier().unwrap();
    if group.rank() == 1 {
        match std::env::var("HOW").as_deref() {
            Ok("exit") => std::process::exit(3),
            // SAFETY: a plain system call.
            _ => unsafe { libc::kill(libc::getpid(), libc::SIGKILL) },
        };
    }
    let mut tensor = Tensor::ones([3], (Kind::Float, Device::Cpu));
    println!("\nmessage={}", group.all_reduce(&mut tensor, ReduceOp::Sum).unwrap_err());
}

#[test]
fn more_processes_than_gpus_are_refused() {
    if blitz::tch::Cuda::device_count() == 0 {
        let ended = World::of(2).without(1).succeeds(module_path!(), "asks_for_a_gpu");
        let message = ended[0].value("message");
        assert!(message.starts_with("cannot use device \"cuda:0\""), "{message}");
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn asks_for_a_gpu() {
    let options = InitOptions { device: Some(Device::Cuda(0)), ..InitOptions::default() };
    println!("\nmessage={}", distributed::init(&options).unwrap_err());
    let options = InitOptions { backend: distributed::Backend::Nccl, ..InitOptions::default() };
    let message = distributed::init(&options).unwrap_err().to_string();
    assert!(message.contains("Nccl for cpu"), "{message}");
}
