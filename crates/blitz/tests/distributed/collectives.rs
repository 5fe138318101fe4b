//! all_reduce, broadcast, all_gather, barrier.

use std::time::Duration;

use blitz::prelude::*;
use blitz::tch::{Kind, Tensor};

use crate::common::world::World;

/// The group of this test's processes.
pub fn group() -> ProcessGroup {
    let options = InitOptions { timeout: Duration::from_secs(120), ..InitOptions::default() };
    distributed::init(&options).unwrap()
}

#[test]
fn all_ranks_get_what_all_have_together() {
    for size in [2, 4] {
        World::of(size).succeeds(module_path!(), "exchanges");
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn exchanges() {
    let group = group();
    let (rank, size) = (group.rank() as i64, group.world_size() as i64);
    let kinds = [Kind::Float, Kind::Double, Kind::Int64, Kind::Int, Kind::Uint8, Kind::BFloat16];
    for kind in kinds.into_iter().chain([Kind::Half, Kind::Int8]) {
        // Rank r has 1 + r, 2 + r, … in three rows.
        let own =
            |rank: i64| (Tensor::arange(6, (Kind::Int64, Device::Cpu)) + 1 + rank).to_kind(kind);
        let own = |rank: i64| own(rank).view([3, 2]);
        let all: Vec<Tensor> = (0..size).map(own).collect();
        let reduced = |op| {
            let mut tensor = own(rank);
            group.all_reduce(&mut tensor, op).unwrap();
            tensor
        };
        let stacked = Tensor::stack(&all, 0).to_kind(Kind::Double);
        let same = |got: Tensor, expected: Tensor, what: &str| {
            assert_eq!((got.kind(), got.size()), (kind, vec![3, 2]), "{what}");
            assert!(got.to_kind(Kind::Double).equal(&expected), "{what} of {kind:?}: {got}");
        };
        same(reduced(ReduceOp::Sum), stacked.sum_dim_intlist(0, false, Kind::Double), "sum");
        same(reduced(ReduceOp::Min), stacked.amin(0, false), "min");
        same(reduced(ReduceOp::Max), stacked.amax(0, false), "max");
        let mut mean = own(rank);
        let result = group.all_reduce(&mut mean, ReduceOp::Mean);
        let is_float = mean.is_floating_point();
        assert_eq!(result.is_ok(), is_float, "{kind:?}");
        if is_float {
            same(mean, stacked.mean_dim(0, false, Kind::Double), "mean");
        }
        for root in 0..size {
            let mut tensor = own(rank);
            group.broadcast(&mut tensor, root as usize).unwrap();
            same(tensor, all[root as usize].to_kind(Kind::Double), "broadcast");
        }
        for (gathered, expected) in group.all_gather(&own(rank)).unwrap().iter().zip(&all) {
            assert!(gathered.equal(expected) && gathered.kind() == kind);
        }
        group.barrier().unwrap();
    }
    odd_tensors(&group);
}

/// Views, no dimensions, no elements, booleans, tensors that require gradients.
fn odd_tensors(group: &ProcessGroup) {
    let (rank, size) = (group.rank() as i64, group.world_size() as i64);
    let float = (Kind::Float, Device::Cpu);
    let whole = Tensor::arange(12, float).view([3, 4]) * (rank + 1);
    let mut column = whole.tr().narrow(0, 1, 2); // [2, 3], with strides
    group.all_reduce(&mut column, ReduceOp::Sum).unwrap();
    let sum = size * (size + 1) / 2;
    let expected = (Tensor::arange(12, float).view([3, 4]) * sum).tr().narrow(0, 1, 2);
    assert!(column.equal(&expected));
    assert!(whole.tr().narrow(0, 1, 2).equal(&expected), "a view changes what it is of");
    let left = Tensor::arange(12, float).view([3, 4]) * (rank + 1);
    assert!(whole.narrow(1, 0, 1).equal(&left.narrow(1, 0, 1)), "and nothing else");

    let mut scalar = Tensor::from(rank as f64);
    group.all_reduce(&mut scalar, ReduceOp::Max).unwrap();
    assert_eq!((scalar.size(), scalar.double_value(&[])), (vec![], size as f64 - 1.0));
    let mut nothing = Tensor::zeros([0, 3], float);
    group.all_reduce(&mut nothing, ReduceOp::Sum).unwrap();
    assert_eq!(group.all_gather(&nothing).unwrap().len(), size as usize);

    let mut flags = Tensor::from_slice(&[rank == 0, rank == size - 1, false, true]);
    let gathered = group.all_gather(&flags).unwrap();
    assert!(gathered[0].equal(&Tensor::from_slice(&[true, size == 1, false, true])));
    group.all_reduce(&mut flags, ReduceOp::Max).unwrap();
    assert!(flags.equal(&Tensor::from_slice(&[true, true, false, true])));

    let mut weight = (Tensor::ones([2], float) * rank).set_requires_grad(true);
    group.broadcast(&mut weight, 1).unwrap();
    assert!(weight.requires_grad() && weight.is_leaf());
    assert_eq!(Vec::<f32>::try_from(weight.detach()).unwrap(), [1.0, 1.0]);
}

#[test]
fn a_world_of_one_changes_nothing() {
    let group = ProcessGroup::alone(Device::Cpu);
    let mut tensor = Tensor::from_slice(&[1.0, 2.0]);
    group.all_reduce(&mut tensor, ReduceOp::Mean).unwrap();
    group.broadcast(&mut tensor, 0).unwrap();
    group.barrier().unwrap();
    let gathered = group.all_gather(&tensor).unwrap();
    assert_eq!((gathered.len(), &gathered[0]), (1, &tensor));
    let error = group.broadcast(&mut tensor, 1).unwrap_err().to_string();
    assert_eq!(error, "option root must be a rank below 1, got 1");
}

#[test]
fn ranks_that_do_not_do_the_same_are_told_so() {
    for (rank, ended) in World::of(2).succeeds(module_path!(), "disagrees").iter().enumerate() {
        let place = format!("failed on rank {rank} of 2: the ranks make different calls");
        for (key, expected) in [
            (
                "shape",
                "rank 0 all_reduce(Sum) with Float [2]; rank 1 all_reduce(Sum) with Float [3]",
            ),
            (
                "kind",
                "rank 0 all_reduce(Sum) with Float [2]; rank 1 all_reduce(Sum) with Double [2]",
            ),
            ("op", "rank 0 all_reduce(Min) with Float [2]; rank 1 all_reduce(Max) with Float [2]"),
            ("call", "rank 0 broadcast(root 1) with Float [2]; rank 1 barrier"),
        ] {
            let message = ended.value(key);
            assert!(message.contains(&place) && message.contains(expected), "{message}");
        }
        assert_eq!(ended.value("after"), "3");
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn disagrees() {
    let group = group();
    let is_first = group.is_main();
    let zeros = |size, kind| Tensor::zeros([size], (kind, Device::Cpu));
    let tell = |key: &str, result: blitz::Result<()>| println!("\n{key}={}", result.unwrap_err());
    let mut tensor = zeros(if is_first { 2 } else { 3 }, Kind::Float);
    tell("shape", group.all_reduce(&mut tensor, ReduceOp::Sum));
    let mut tensor = zeros(2, if is_first { Kind::Float } else { Kind::Double });
    tell("kind", group.all_reduce(&mut tensor, ReduceOp::Sum));
    let mut tensor = zeros(2, Kind::Float);
    let op = if is_first { ReduceOp::Min } else { ReduceOp::Max };
    tell("op", group.all_reduce(&mut tensor, op));
    tell("call", if is_first { group.broadcast(&mut tensor, 1) } else { group.barrier() });
    // They go on together afterwards.
    let mut tensor = Tensor::from_slice(&[1 + group.rank() as i64]);
    group.all_reduce(&mut tensor, ReduceOp::Sum).unwrap();
    println!("after={}", tensor.int64_value(&[0]));
}
