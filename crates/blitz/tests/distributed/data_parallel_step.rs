//! DistributedDataParallel: the mean of the gradients, buffers, accumulation, unused parameters.

use blitz::prelude::*;
use blitz::tch::nn::{ModuleT, VarStore};
use blitz::tch::{self, Kind, Tensor};

use super::collectives::group;
use crate::common::world::World;

/// `[rows, 5]`, other numbers for each rank.
fn inputs(rank: usize, rows: i64) -> Tensor {
    let start = rank as i64 * rows * 5;
    (Tensor::arange_start(start, start + rows * 5, (Kind::Float, Device::Cpu)) * 0.37)
        .sin()
        .view([rows, 5])
}

fn loss_of(output: &Tensor) -> Tensor {
    output.square().mean(Kind::Float)
}

fn gradients(vs: &VarStore) -> Vec<Tensor> {
    nn::named_parameters(vs).iter().map(|(_, tensor)| tensor.grad().copy()).collect()
}

/// Two layers, in f32.
fn net(vs: &VarStore) -> impl ModuleT + use<> {
    let (first, second) = (linear(vs.root() / "first", 5, 4), linear(vs.root() / "second", 4, 3));
    tch::nn::seq_t().add_fn_t(move |x, _| second.forward(&first.forward(x).tanh()))
}

#[test]
fn gradients_are_those_of_the_whole_batch() {
    for size in [2, 4] {
        World::of(size).succeeds(module_path!(), "averages");
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn averages() {
    let group = group();
    let (rank, size) = (group.rank(), group.world_size());
    // Each rank begins with other parameters; all get those of rank 0.
    tch::manual_seed(rank as i64);
    let vs = VarStore::new(Device::Cpu);
    let ddp = DistributedDataParallel::new(net(&vs), &vs, &group, DdpOptions::default()).unwrap();
    tch::manual_seed(0);
    let alone_vs = VarStore::new(Device::Cpu);
    let alone = net(&alone_vs);
    for ((name, own), (_, first)) in
        nn::named_parameters(&vs).iter().zip(nn::named_parameters(&alone_vs))
    {
        assert!(own.equal(&first), "{name} is rank 0's");
    }
    for step in 0..4 {
        nn::zero_grad(&vs);
        nn::zero_grad(&alone_vs);
        let parts: Vec<Tensor> = (0..size).map(|rank| inputs(rank + 10 * step, 3)).collect();
        loss_of(&ddp.forward_t(&parts[rank], true)).backward();
        loss_of(&alone.forward_t(&Tensor::cat(&parts, 0), true)).backward();
        for (ours, whole) in gradients(&vs).iter().zip(gradients(&alone_vs)) {
            assert!(ours.allclose(&whole, 1e-5, 1e-7, false), "step {step}: {ours} {whole}");
        }
    }
    // Two parts added up, the second of which averages.
    nn::zero_grad(&vs);
    nn::zero_grad(&alone_vs);
    let part = |rank: usize, part: usize| inputs(rank + 100 * part, 3);
    ddp.no_sync(|| loss_of(&ddp.forward_t(&part(rank, 1), true)).backward());
    loss_of(&ddp.forward_t(&part(rank, 2), true)).backward();
    for index in [1, 2] {
        let parts: Vec<Tensor> = (0..size).map(|rank| part(rank, index)).collect();
        loss_of(&alone.forward_t(&Tensor::cat(&parts, 0), true)).backward();
    }
    for (ours, whole) in gradients(&vs).iter().zip(gradients(&alone_vs)) {
        assert!(ours.allclose(&whole, 1e-5, 1e-7, false), "no_sync: {ours} {whole}");
    }
    // One rank may look at the net alone.
    if group.is_main() {
        let _ = tch::no_grad(|| ddp.forward_t(&inputs(0, 2), false));
    }
    group.barrier().unwrap();
}

#[test]
fn buffers_are_rank_0s() {
    World::of(2).succeeds(module_path!(), "has_buffers");
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn has_buffers() {
    let group = group();
    let vs = VarStore::new(Device::Cpu);
    let norm = tch::nn::batch_norm1d(vs.root() / "norm", 5, tch::nn::BatchNormConfig::default());
    let ddp = DistributedDataParallel::new(norm, &vs, &group, DdpOptions::default()).unwrap();
    for step in 0..3 {
        loss_of(&ddp.forward_t(&inputs(group.rank() + 10 * step, 6), true)).backward();
    }
    // A forward pass begins with rank 0's means: they differ by one step's update.
    let mean = ddp.net().running_mean.copy();
    loss_of(&ddp.forward_t(&inputs(7, 6), true)).backward();
    let means = group.all_gather(&ddp.net().running_mean).unwrap();
    assert!(means[0].equal(&means[1]), "the same input, from rank 0's means on");
    let before = group.all_gather(&mean).unwrap();
    assert!(!before[0].equal(&before[1]));
}

#[test]
fn different_nets_are_named_on_all_ranks() {
    for ended in World::of(3).succeeds(module_path!(), "differs") {
        let message = ended.value("shape");
        let expected =
            "fc.weight is Float [4, 5], trained on rank 2 and Float [3, 5], trained on rank 0";
        assert!(message.contains(expected), "{message}");
        let message = ended.value("more");
        assert!(
            message.contains("rank 1 has more.weight (Float [2, 2], trained), rank 0 has not"),
            "{message}"
        );
        let message = ended.value("frozen");
        assert!(message.contains("fc.bias is Float [3], not trained on rank 1"), "{message}");
        let message = ended.value("none");
        assert!(message.contains("rank 2 has no fc.weight, rank 0 has Float [3, 5]"), "{message}");
        let message = ended.value("order");
        assert!(message.contains("rank 2 makes b.weight where rank 0 makes a.weight"), "{message}");
        let message = ended.value("options");
        let expected = "the wrapper is DdpOptions { bucket_cap_mb: -1.0";
        assert!(message.contains(expected) && message.contains(" on rank 1 and "), "{message}");
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn differs() {
    let group = group();
    let rank = group.rank();
    let tell = |key: &str, vs: &VarStore, net: Linear| {
        let made = DistributedDataParallel::new(net, vs, &group, DdpOptions::default());
        println!("\n{key}={}", made.err().unwrap());
    };
    let vs = VarStore::new(Device::Cpu);
    tell("shape", &vs, linear(vs.root() / "fc", 5, if rank == 2 { 4 } else { 3 }));
    let vs = VarStore::new(Device::Cpu);
    if rank == 1 {
        linear(vs.root() / "more", 2, 2);
    }
    tell("more", &vs, linear(vs.root() / "fc", 5, 3));
    let mut vs = VarStore::new(Device::Cpu);
    let fc = linear(vs.root() / "fc", 5, 3);
    if rank == 1 {
        vs.freeze();
        let _ = vs.variables()["fc.weight"].set_requires_grad(true);
    }
    tell("frozen", &vs, fc);
    let (vs, other) = (VarStore::new(Device::Cpu), VarStore::new(Device::Cpu));
    let fc = linear(other.root() / "fc", 5, 3);
    tell("none", if rank == 2 { &vs } else { &other }, fc);
    let vs = VarStore::new(Device::Cpu);
    let names = if rank == 2 { ["b", "a"] } else { ["a", "b"] };
    let [one, _] = names.map(|name| linear(vs.root() / name, 5, 3));
    tell("order", &vs, one);
    let vs = VarStore::new(Device::Cpu);
    let bucket_cap_mb = if rank == 1 { -1.0 } else { 25.0 };
    let options = DdpOptions { bucket_cap_mb, ..DdpOptions::default() };
    let made = DistributedDataParallel::new(tch::nn::seq_t(), &other, &group, options);
    println!("\noptions={}", made.err().unwrap());
    let empty = DistributedDataParallel::new(tch::nn::seq_t(), &vs, &group, DdpOptions::default());
    assert!(empty.err().unwrap().to_string().starts_with("option vs must be"));
}

#[test]
fn unused_parameters_are_an_error_or_found() {
    for ended in World::of(2).succeeds(module_path!(), "leaves_one_out") {
        let message = ended.value("refused");
        let expected = "in the step before, parameters of the net got no gradient (unused.";
        assert!(message.contains(expected), "{message}");
        for expected in ["unused.weight", "unused.bias", "UnusedParameters::Find"] {
            assert!(message.contains(expected), "{message}");
        }
        assert!(!message.contains("fc."), "{message}");
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn leaves_one_out() {
    let group = group();
    let made = |unused_parameters| {
        tch::manual_seed(0);
        let vs = VarStore::new(Device::Cpu);
        let fc = linear(vs.root() / "fc", 5, 3);
        linear(vs.root() / "unused", 5, 3);
        let options = DdpOptions { unused_parameters, ..DdpOptions::default() };
        (DistributedDataParallel::new(fc, &vs, &group, options).unwrap(), vs)
    };
    let (ddp, vs) = made(distributed::UnusedParameters::Find);
    for step in 0..3 {
        nn::zero_grad(&vs);
        loss_of(&ddp.forward_t(&inputs(group.rank() + 10 * step, 3), true)).backward();
        let own = vs.variables()["fc.weight"].grad();
        let all = group.all_gather(&own).unwrap();
        assert!(all[0].equal(&all[1]), "step {step}");
    }
    let (ddp, _vs) = made(distributed::UnusedParameters::Refuse);
    let step = || loss_of(&ddp.forward_t(&inputs(group.rank(), 3), true)).backward();
    step();
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step)).unwrap_err();
    println!("\nrefused={}", payload.downcast_ref::<String>().unwrap());
}
