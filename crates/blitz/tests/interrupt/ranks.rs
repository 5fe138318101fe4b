//! Trainings by several processes: an interrupt of one is one of all.

use blitz::Error;
use blitz::prelude::*;

use crate::QUESTIONS;
use crate::common::formula_split;
use crate::common::world::World;

#[test]
fn an_interrupt_of_one_rank_stops_all_and_they_go_on_together() {
    World::of(2).succeeds(module_path!(), "one_rank_is_interrupted");
}

fn loader(group: &ProcessGroup) -> DataLoader {
    let sampler = Some(DistributedSampler::new(group));
    let options = LoaderOptions { batch_size: 2, sampler, ..LoaderOptions::default() };
    DataLoader::new(&formula_split(43), options).unwrap()
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn one_rank_is_interrupted() {
    let group = distributed::init(&InitOptions::default()).unwrap();
    let vs = nn::VarStore::new(group.device());
    let net = cifar10_net(&vs.root());
    let net = DistributedDataParallel::new(net, &vs, &group, DdpOptions::default()).unwrap();
    let mut optimizer = Sgd::new(&vs, SgdOptions { lr: 0.01, ..SgdOptions::default() }).unwrap();
    let mut train_loader = loader(&group);
    let interrupt_rank_1 = |question: usize| {
        QUESTIONS.set((group.rank() == 1).then_some(question));
    };

    interrupt_rank_1(30);
    // Without an end, unless it is interrupted.
    let options = FitOptions { epochs: 1_000_000, ..FitOptions::default() };
    let error = fit(&net, &mut optimizer, &mut train_loader, &options).unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");

    interrupt_rank_1(1);
    let error = evaluate(&net, &mut train_loader, &CLASSES).unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    let own = error.to_string().contains("rank 1 was interrupted");
    assert_eq!(own, group.rank() == 0, "{error}");

    let options = FitOptions { epochs: 1, ..FitOptions::default() };
    let report = fit(&net, &mut optimizer, &mut train_loader, &options).unwrap();
    let evaluation = evaluate(&net, &mut train_loader, &CLASSES).unwrap();
    assert_eq!((report.steps, evaluation.total()), (11, 43));
}
