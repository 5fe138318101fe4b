//! Processes that exchange what their GPUs have, by NCCL: two where there are two GPUs, else one.

use blitz::distributed::Backend;
use blitz::prelude::*;
use blitz::tch::nn::ModuleT;

use crate::common::world::World;
use crate::{assert_near, device, formula};

/// How many processes can have a GPU each. On the CPU, which tries the test, gloo joins two.
fn world_size() -> usize {
    match device() {
        Device::Cuda(_) => usize::try_from(tch::Cuda::device_count()).unwrap().clamp(1, 2),
        _ => 2,
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn gpus_exchange_tensors_and_average_gradients() {
    World::of(world_size()).succeeds(module_path!(), "averages");
}

/// Also a test of its own: a world of one, without a launcher.
#[test]
#[ignore = "needs a CUDA device"]
fn averages() {
    let is_launched = std::env::var_os("RANK").is_some();
    let mut options = InitOptions::default();
    match device() {
        Device::Cuda(_) if is_launched => options.backend = Backend::Nccl,
        device => options.device = Some(device),
    }
    let group = distributed::init(&options).unwrap();
    let (rank, size) = (group.rank(), group.world_size());
    assert_eq!(matches!(group.device(), Device::Cuda(_)), matches!(device(), Device::Cuda(_)));

    let own = |rank: usize| formula(&[3, 4], group.device()) * (rank as f64 + 1.0);
    let mut sum = own(rank);
    group.all_reduce(&mut sum, ReduceOp::Sum).unwrap();
    assert_near(&sum, &(own(0) * (size * (size + 1) / 2) as f64), 1e-6, 1e-6);
    let mut last = own(rank);
    group.broadcast(&mut last, size - 1).unwrap();
    assert_near(&last, &own(size - 1), 0.0, 0.0);
    for (rank, gathered) in group.all_gather(&own(rank)).unwrap().iter().enumerate() {
        assert_near(gathered, &own(rank), 0.0, 0.0);
    }
    group.barrier().unwrap();

    // The mean of the ranks' gradients is that of the whole batch.
    tch::manual_seed(rank as i64);
    let (vs, alone_vs) = (nn::VarStore::new(group.device()), nn::VarStore::new(group.device()));
    let fc = linear(vs.root() / "fc", 4, 2);
    let ddp = DistributedDataParallel::new(fc, &vs, &group, DdpOptions::default()).unwrap();
    let mut alone = linear(alone_vs.root() / "fc", 4, 2);
    tch::no_grad(|| alone.weight.copy_(&ddp.net().weight));
    tch::no_grad(|| alone.bias.as_mut().unwrap().copy_(ddp.net().bias.as_ref().unwrap()));
    for _ in 0..3 {
        nn::zero_grad(&vs);
        ddp.forward_t(&own(rank), true).square().mean(Kind::Float).backward();
    }
    let whole = Tensor::cat(&(0..size).map(own).collect::<Vec<_>>(), 0);
    alone.forward(&whole).square().mean(Kind::Float).backward();
    assert_near(&ddp.net().weight.grad(), &alone.weight.grad(), 1e-2, 1e-3); // TF32
}

/// Two processes on a machine with one GPU.
#[test]
#[ignore = "needs a CUDA device"]
fn more_processes_than_gpus_are_refused_with_both_numbers() {
    let count = usize::try_from(tch::Cuda::device_count()).unwrap();
    for ended in World::of(count + 1).succeeds(module_path!(), "is_one_too_many") {
        if count > 0 {
            let message = ended.value("message");
            let expected = format!(
                "{} processes were started on this machine, which has {count} GPU",
                count + 1
            );
            assert!(message.contains(&expected), "{message}");
        }
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn is_one_too_many() {
    if std::env::var_os("RANK").is_some() {
        let result = distributed::init(&InitOptions::default());
        println!(
            "\nmessage={}",
            result.map_or_else(|error| error.to_string(), |group| format!("{group:?}"))
        );
    }
}
