//! 200 steps on several processes: the bits of Python's DistributedDataParallel, and very nearly the
//! numbers of one process with the whole batch.

use std::time::Duration;

use blitz::prelude::*;
use blitz::tch::nn::ModuleT;

use super::{compare_steps, sgd, two_hundred};
use crate::common::{expected, seeded, world::World};

#[test]
fn two_hundred_steps_on_2_ranks_lose_what_pythons_lose_and_what_one_process_loses() {
    World::of(2).with("APART", "1e-6").succeeds(module_path!(), "trains");
}

#[test]
fn two_hundred_steps_on_4_ranks_lose_what_pythons_lose_and_what_one_process_loses() {
    World::of(4).with("APART", "1e-5").succeeds(module_path!(), "trains");
}

/// The losses of all steps, of `net` on its part of each batch.
fn losses(net: &impl ModuleT, vs: &nn::VarStore, rank: usize, world_size: usize) -> Vec<f64> {
    let mut optimizer = sgd(vs);
    let own = |whole: &Tensor| whole.slice(0, Some(rank as i64), None, world_size as i64);
    let (losses, _) = two_hundred(|batch| {
        optimizer.zero_grad();
        let logits = net.forward_t(&own(&batch.images), true);
        let loss = logits.cross_entropy_for_logits(&own(&batch.labels));
        loss.backward();
        optimizer.step().unwrap();
        loss
    });
    losses
}

#[test]
#[ignore = "started by other tests, once for each rank"]
fn trains() {
    let options = InitOptions { timeout: Duration::from_secs(180), ..InitOptions::default() };
    let group = distributed::init(&options).unwrap();
    let (rank, world_size) = (group.rank(), group.world_size());
    let (expected, is_fresh) = expected("distributed");
    let expected = &expected[format!("{world_size} ranks")];
    let turn = seeded(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let ddp = DistributedDataParallel::new(net, &vs, &group, DdpOptions::default()).unwrap();
    let own = losses(&ddp, &vs, rank, world_size);
    compare_steps(&own, &expected["losses"][rank], &vs, &expected["parameters"], is_fresh);
    drop(turn);
    near_one_process(&own, &vs, &group);
}

/// The mean of the ranks' losses and the parameters, beside those of a process with whole batches.
fn near_one_process(own: &[f64], vs: &nn::VarStore, group: &ProcessGroup) {
    let limit: f64 = std::env::var("APART").unwrap().parse().unwrap();
    let _turn = seeded(0);
    let alone_vs = nn::VarStore::new(Device::Cpu);
    let alone = losses(&cifar10_net(&alone_vs.root()), &alone_vs, 0, 1);
    let mut mean = Tensor::from_slice(own);
    group.all_reduce(&mut mean, ReduceOp::Mean).unwrap();
    let mut pairs = vec![("losses".to_owned(), mean, Tensor::from_slice(&alone))];
    for ((name, ours), (_, whole)) in
        nn::named_parameters(vs).into_iter().zip(nn::named_parameters(&alone_vs))
    {
        pairs.push((name, ours, whole));
    }
    for (name, ours, whole) in pairs {
        let apart = (ours - whole).abs().max().double_value(&[]);
        println!("{name}: {apart:e} apart");
        assert!(apart <= limit, "{name}: {apart:e} from one process, more than {limit:e}");
    }
}
