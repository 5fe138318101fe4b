//! Processes that do not find each other, or that end.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use blitz::distributed::Environment;
use blitz::prelude::*;

use super::collectives::group;
use crate::common::formula_split;
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
fn a_meeting_place_that_is_no_store_is_named() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let ports = [&silent, &closing].map(|listener| listener.local_addr().unwrap().port());
    thread::spawn(move || closing.incoming().for_each(drop));
    for port in ports {
        let ended = World::of(2).without(0).at(port).succeeds(module_path!(), "waits");
        let message = ended[0].value("message");
        let place = format!("at 127.0.0.1:{port}");
        assert!(message.starts_with("init failed on rank 1 of 2: "), "{message}");
        assert!(message.contains(&place), "{message}");
    }
}

#[test]
fn an_address_that_leads_nowhere_is_named() {
    let world = World::of(2).without(0).with("MASTER_ADDR", "no-such-host.invalid");
    let message = &world.succeeds(module_path!(), "waits")[0];
    let message = message.value("message");
    assert!(message.starts_with("init failed on rank 1 of 2: "), "{message}");
    assert!(message.contains("no-such-host.invalid"), "{message}");
}

#[test]
fn a_network_interface_that_is_not_there_is_named() {
    let world = World::of(2).with("GLOO_SOCKET_IFNAME", "lo,nosuch0");
    for ended in world.succeeds(module_path!(), "waits") {
        let message = ended.value("message");
        let expected =
            "option GLOO_SOCKET_IFNAME must be names of network interfaces of this machine";
        assert!(message.starts_with(expected) && message.ends_with("got \"nosuch0\""), "{message}");
    }
}

#[test]
fn a_network_interface_can_be_named() {
    if cfg!(target_os = "linux") {
        World::of(2).with("GLOO_SOCKET_IFNAME", "lo").succeeds(module_path!(), "meets");
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn meets() {
    let group = group();
    let mut tensor = Tensor::ones([3], (Kind::Float, Device::Cpu));
    group.all_reduce(&mut tensor, ReduceOp::Sum).unwrap();
    assert_eq!(Vec::<f32>::try_from(tensor).unwrap(), [2.0; 3]);
}

#[test]
#[ignore = "started by other tests, once for each rank"]
fn waits() {
    println!("\nmessage={}", init_within(5).unwrap_err());
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
fn a_meeting_place_that_ends_is_noticed_by_those_who_wait() {
    let ended = World::of(3).without(2).succeeds(module_path!(), "waits_longer_than_rank_0");
    assert!(ended[0].value("message").contains("these ranks have not come: 2"));
    let message = ended[1].value("message");
    assert!(
        message.starts_with("init failed on rank 1 of 3: another process has ended"),
        "{message}"
    );
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn waits_longer_than_rank_0() {
    let is_first = std::env::var("RANK").is_ok_and(|rank| rank == "0");
    println!("\nmessage={}", init_within(if is_first { 10 } else { 220 }).unwrap_err());
}

#[test]
fn a_rank_that_ends_in_the_middle_of_a_training_is_noticed_by_the_others() {
    // Rank 0 is also where they met.
    for lost in [0, 2] {
        let world = World::of(3).with("LOST", &lost.to_string());
        for (rank, ended) in
            world.run(module_path!(), "trains_until_a_rank_ends").iter().enumerate()
        {
            if rank == lost {
                assert!(!ended.status.success(), "{}", ended.text);
                continue;
            }
            assert!(ended.status.success(), "{}", ended.text);
            assert_eq!(ended.value("steps"), "3", "{}", ended.text);
            let message = ended.value("message");
            assert!(message.contains("another process has ended"), "{message}");
        }
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn trains_until_a_rank_ends() {
    let group = group();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let net = DistributedDataParallel::new(net, &vs, &group, DdpOptions::default()).unwrap();
    let mut optimizer = Sgd::new(&vs, SgdOptions { lr: 0.001, ..Default::default() }).unwrap();
    let loader = DataLoader::new(&formula_split(40), LoaderOptions::default());
    let is_lost = std::env::var("LOST").is_ok_and(|lost| lost == group.rank().to_string());
    for (step, batch) in loader.unwrap().iter().enumerate() {
        if is_lost && step == 3 {
            // SAFETY: a plain system call.
            unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        }
        if let Err(error) = train_step(&net, &mut optimizer, &batch) {
            println!("\nsteps={step}\nmessage={error}");
            return;
        }
    }
    panic!("all steps were made");
}

#[test]
fn a_rank_that_makes_fewer_steps_is_told_of_within_the_timeout() {
    let ended = World::of(2).succeeds(module_path!(), "makes_other_steps");
    let message = ended[0].value("message");
    assert!(message.contains("did not come"), "{message}");
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn makes_other_steps() {
    let group = init_within(20).unwrap();
    let mut tensor = Tensor::ones([3], (Kind::Float, Device::Cpu));
    group.all_reduce(&mut tensor, ReduceOp::Sum).unwrap();
    if group.rank() == 1 {
        // It goes on with something else, for longer than the others wait.
        return thread::sleep(Duration::from_secs(27));
    }
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
