//! The training step as a CUDA graph against the same step done kernel by kernel. (On the CPU, where
//! these are only tried, both are the plain step.)

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use blitz::nn::ModuleT;
use blitz::prelude::*;

use crate::common::difference;
use crate::common::steps::{OPTIONS, batches, net, parameters, with_graphed_step, written_out};
use crate::{device, formula_split, seeded};

#[test]
#[ignore = "needs a CUDA device"]
fn a_graph_trains_as_the_loop_written_out() {
    let (expected, reference) = written_out(device());
    let (losses, vs, is_graph) = with_graphed_step(device());
    assert_eq!(is_graph, device().is_cuda());
    assert!(difference(&losses, &expected) < 1e-4, "{losses:?} {expected:?}");
    assert!(difference(&parameters(&vs), &parameters(&reference)) < 1e-4);
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_graph_notices_loaded_momentum_and_other_rates() {
    let train = |graphed: bool| {
        let (vs, net) = net(device());
        let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
        let mut step = match graphed {
            true => GraphedStep::new(&net, &mut optimizer).unwrap(),
            false => GraphedStep::plain(&net, &mut optimizer),
        };
        let batch = &batches(device())[0];
        for index in 0..20 {
            let _ = step.step(batch).unwrap();
            if index == 8 {
                let halved = step.optimizer().state().into_iter();
                let halved = halved.map(|(name, tensor)| (name, tensor * 0.5)).collect::<Vec<_>>();
                step.optimizer().load_state(&halved).unwrap();
            }
            if index % 5 == 4 {
                step.optimizer().set_lr(0.01 / f64::from(index)).unwrap();
            }
        }
        parameters(&vs)
    };
    assert!(difference(&train(true), &train(false)) < 1e-4);
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_graph_of_another_nets_optimizer_is_an_error() {
    let (_vs, net) = net(device());
    let (other, _) = self::net(device());
    let mut optimizer = Sgd::new(&other, OPTIONS).unwrap();
    let mut step = GraphedStep::new(&net, &mut optimizer).unwrap();
    let text = step.step(&batches(device())[0]).unwrap_err().to_string();
    assert!(text.contains("got a gradient from this loss"), "{text}");
}

/// Other options of SGD, which choose other kernels.
#[test]
#[ignore = "needs a CUDA device"]
fn a_graph_repeats_every_variant_of_sgd() {
    let plain = SgdOptions { lr: 0.02, ..SgdOptions::default() };
    let dampened = SgdOptions { momentum: 0.8, dampening: 0.3, ..plain };
    let nesterov = SgdOptions { momentum: 0.7, nesterov: true, weight_decay: 0.01, ..plain };
    for options in [plain, dampened, nesterov] {
        let train = |graphed: bool| {
            let (vs, net) = net(device());
            let mut optimizer = Sgd::new(&vs, options).unwrap();
            let mut step = match graphed {
                true => GraphedStep::new(&net, &mut optimizer).unwrap(),
                false => GraphedStep::plain(&net, &mut optimizer),
            };
            for batch in &batches(device()) {
                let _ = step.step(batch).unwrap();
            }
            parameters(&vs)
        };
        assert!(difference(&train(true), &train(false)) < 1e-4, "{options:?}");
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn fit_with_a_graph_and_one_by_one_report_the_same() {
    let train = |on_gpu: OnGpu| {
        let (vs, net) = net(device());
        let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
        let shuffle = Order::Shuffled { seed: 5 };
        let options = LoaderOptions { shuffle, device: device(), ..LoaderOptions::default() };
        // Eleven batches, the last of 3 images.
        let mut loader = DataLoader::new(&formula_split(43), options).unwrap();
        let schedule = Schedule::Cosine { epochs: 3, min_lr: 0.001 };
        let options =
            FitOptions { epochs: 3, report_every: 4, schedule, on_gpu, ..FitOptions::default() };
        let report = fit(&net, &mut optimizer, &mut loader, &options).unwrap();
        assert_eq!(report.steps, 33);
        let losses: Vec<f64> = report.epochs.iter().map(|epoch| epoch.loss).collect();
        (losses, report.points.len(), parameters(&vs))
    };
    let (graph, one_by_one) = (train(OnGpu::Graph), train(OnGpu::OneByOne));
    assert!(difference(&graph.0, &one_by_one.0) < 1e-3, "{:?} {:?}", graph.0, one_by_one.0);
    assert_eq!(graph.1, one_by_one.1);
    assert!(difference(&graph.2, &one_by_one.2) < 1e-3);
}

/// Reads a value in its forward pass, which no graph can record.
#[derive(Debug)]
struct Reader {
    net: CifarNet,
    calls: Arc<AtomicUsize>,
}

impl ModuleT for Reader {
    fn forward_t(&self, images: &Tensor, _train: bool) -> Tensor {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let sign = if images.mean(Kind::Float).double_value(&[]) > 1e6 { -1.0 } else { 1.0 };
        self.net.forward(images) * sign
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn fit_trains_a_net_that_reads_values_one_by_one() {
    let train = |on_gpu: OnGpu| {
        let (vs, net) = net(device());
        let calls = Arc::new(AtomicUsize::new(0));
        let net = Reader { net, calls: Arc::clone(&calls) };
        let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
        let options = LoaderOptions { device: device(), ..LoaderOptions::default() };
        let mut loader = DataLoader::new(&formula_split(40), options).unwrap();
        let options = FitOptions { epochs: 1, on_gpu, ..FitOptions::default() };
        let report = fit(&net, &mut optimizer, &mut loader, &options).unwrap();
        assert!(calls.load(Ordering::Relaxed) >= 10, "each batch goes through the net");
        (vec![report.epochs[0].loss], parameters(&vs))
    };
    let (tried, one_by_one) = (train(OnGpu::Graph), train(OnGpu::OneByOne));
    assert!(difference(&tried.0, &one_by_one.0) < 1e-4);
    assert!(difference(&tried.1, &one_by_one.1) < 1e-4);
    // Nothing of the graph that could not be made is left in the way of others.
    let (_, _, is_graph) = with_graphed_step(device());
    assert_eq!(is_graph, device().is_cuda());
    assert_eq!(Tensor::rand([3, 2], (Kind::Float, device())).size(), [3, 2]);
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_step_that_cannot_be_recorded_is_an_error_without_a_panic() {
    let (vs, net) = net(device());
    let net = Reader { net, calls: Arc::default() };
    let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
    let mut step = GraphedStep::new(&net, &mut optimizer).unwrap();
    let batch = &batches(device())[0];
    let results: Vec<_> = (0..5).map(|_| step.step(batch)).collect();
    assert!(results[..3].iter().all(Result::is_ok), "the first steps are not recorded");
    match &results[3] {
        Ok(_) => assert!(!device().is_cuda()),
        Err(error) => assert!(error.to_string().contains("CUDA graph"), "{error}"),
    }
}

/// A net with dropout; a replay must draw anew each time.
#[derive(Debug)]
struct Dropping(Linear);

impl ModuleT for Dropping {
    fn forward_t(&self, images: &Tensor, train: bool) -> Tensor {
        images.flatten(1, -1).dropout(0.5, train).apply(&self.0)
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_repeated_graph_draws_new_random_numbers() {
    let _turn = seeded(3);
    let vs = nn::VarStore::new(device());
    let net = Dropping(linear(vs.root() / "fc", 3 * 32 * 32, 10));
    let mut optimizer = Sgd::new(&vs, SgdOptions { lr: 0.0, ..SgdOptions::default() }).unwrap();
    let mut step = GraphedStep::new(&net, &mut optimizer).unwrap();
    let batch = &batches(device())[0];
    let losses: Vec<f64> = (0..10).map(|_| step.step(batch).unwrap().double_value(&[])).collect();
    assert_eq!(step.is_graph(), device().is_cuda());
    for (index, loss) in losses.iter().enumerate() {
        assert!(!losses[..index].contains(loss), "{losses:?}");
    }
}
