//! Interrupts, from a "kernel" that this program plays: it exports the function that cells ask.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::QUESTIONS;
use crate::common::{self, numbered_split, ok, serve, turn, values};
use blitz::Error;
use blitz::data::builtin::{self, BuiltInOptions};
use blitz::prelude::*;

/// Interrupts this thread at its question number `question`, counted from 0.
fn interrupt_at(question: usize) {
    QUESTIONS.set(Some(question));
}

/// The payload of the unwinding that ends `work`.
fn unwinding(work: impl FnOnce()) -> Box<dyn Any + Send> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_err()
}

fn is_interrupted<T>(result: blitz::Result<T>) -> bool {
    matches!(result, Err(Error::Interrupted { .. }))
}

#[test]
fn a_request_is_found_by_its_name_and_taken_once() {
    interrupt_at(0);
    assert!(interrupt::requested());
    assert!(!interrupt::requested());
    interrupt_at(0);
    assert!(is_interrupted(interrupt::check()));
    interrupt::check().unwrap();
    interrupt_at(0);
    let payload = unwinding(interrupt::unwind_if_requested);
    assert_eq!(*payload.downcast::<&str>().unwrap(), "interrupted");
}

#[test]
fn an_epoch_unwinds_and_the_loader_goes_on() {
    let shuffled = LoaderOptions { shuffle: Order::Shuffled { seed: 0 }, ..Default::default() };
    let split = numbered_split(40);
    let mut loader = DataLoader::new(&split, shuffled.clone()).unwrap();
    let mut batches = 0;
    interrupt_at(3);
    let payload = unwinding(|| {
        tch::no_grad(|| {
            for _ in &mut loader {
                batches += 1;
            }
        });
    });
    assert_eq!(*payload.downcast::<&str>().unwrap(), "interrupted");
    assert_eq!(batches, 3);
    // The next epoch is the one that follows an epoch left early.
    let mut other = DataLoader::new(&split, shuffled).unwrap();
    other.epoch().take(3).for_each(drop);
    let order = |loader: &mut DataLoader| -> Vec<f64> {
        loader.epoch().flat_map(|batch| values(&batch.labels)).collect()
    };
    assert_eq!(order(&mut loader), order(&mut other));
    // no_grad was left by unwinding.
    let weight = Tensor::ones([1], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    assert!((&weight * 2.0).requires_grad(), "gradients are off");
}

#[test]
fn a_progress_bar_stops_as_an_error_and_around_an_iterator_by_unwinding() {
    let mut bar = display::ProgressBar::new(10);
    interrupt_at(1);
    bar.step().unwrap();
    assert!(is_interrupted(bar.step()));
    assert_eq!(bar.done(), 2);
    bar.step().unwrap();

    let mut seen = Vec::new();
    interrupt_at(2);
    unwinding(|| display::progress(0..10).for_each(|number| seen.push(number)));
    assert_eq!(seen, [0, 1]);
}

#[test]
fn an_interrupted_training_leaves_everything_usable() {
    let _turn = turn();
    let options = LoaderOptions { shuffle: Order::Shuffled { seed: 0 }, ..Default::default() };
    let mut loader = DataLoader::new(&numbered_split(40), options).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.01).unwrap();
    let bias = || values(&vs.variables()["fc3.bias"].detach());
    for progress in [Progress::Lines, Progress::Live] {
        let options = FitOptions { report_every: 5, progress, ..FitOptions::default() };
        let before = bias();
        // The bar does not ask; each step of the training does, once. An epoch has 10.
        interrupt_at(13);
        let report = fit(&net, &mut optimizer, &mut loader, &options).unwrap();
        assert_eq!(report.interrupted.as_deref(), Some("in epoch 2 after 3 steps"));
        assert_eq!((report.steps, report.points.len(), report.epochs.len()), (13, 2, 1));
        assert_ne!(bias(), before, "nothing was learned");
        let report = fit(&net, &mut optimizer, &mut loader, &options).unwrap();
        assert_eq!(report.interrupted, None);
        assert_eq!((report.steps, report.points.len()), (20, 4));
        assert_eq!(evaluate(&net, &mut loader, &CLASSES).unwrap().total(), 40);
    }
}

#[test]
fn a_training_that_was_interrupted_continues_as_if_it_were_two() {
    let _turn = turn();
    // Three steps, an interrupt, an epoch: the same as three steps by hand and an epoch.
    let bias_after = |first: &dyn Fn(&CifarNet, &mut nn::Optimizer, &mut DataLoader)| {
        let options = LoaderOptions { shuffle: Order::Shuffled { seed: 0 }, ..Default::default() };
        let mut loader = DataLoader::new(&numbered_split(40), options).unwrap();
        let vs = nn::VarStore::new(Device::Cpu);
        let net = cifar10_net(&vs.root());
        tch::no_grad(|| {
            for parameter in &mut vs.trainable_variables() {
                let _ = parameter.fill_(0.01);
            }
        });
        let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.01).unwrap();
        first(&net, &mut optimizer, &mut loader);
        let options = FitOptions { epochs: 1, ..FitOptions::default() };
        fit(&net, &mut optimizer, &mut loader, &options).unwrap();
        values(&vs.variables()["fc3.bias"].detach())
    };
    let interrupted = bias_after(&|net, optimizer, loader| {
        interrupt_at(3);
        let report = fit(net, optimizer, loader, &FitOptions::default()).unwrap();
        assert_eq!((report.steps, report.epochs.len()), (3, 0));
    });
    let by_hand = bias_after(&|net, optimizer, loader| {
        for batch in loader.epoch().take(3) {
            let logits = net.forward(&batch.images);
            optimizer.backward_step(&logits.cross_entropy_for_logits(&batch.labels));
        }
    });
    assert!(common::difference(&interrupted, &by_hand) < 1e-6, "{interrupted:?} {by_hand:?}");
}

#[test]
fn an_interrupted_evaluation_can_be_repeated() {
    let _turn = turn();
    let mut loader = DataLoader::new(&numbered_split(12), LoaderOptions::default()).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    interrupt_at(2);
    let text = evaluate(&net, &mut loader, &CLASSES).unwrap_err().to_string();
    assert!(text.starts_with("interrupted evaluate:"), "{text}");
    assert!(net.forward(&loader.epoch().next().unwrap().images).requires_grad());
    assert_eq!(evaluate(&net, &mut loader, &CLASSES).unwrap().total(), 12);
}

#[test]
fn the_drawing_of_the_built_in_set_stops() {
    let options = BuiltInOptions { train: 10, test: 10, seed: 3 };
    interrupt_at(15);
    assert!(is_interrupted(builtin::draw(&options)));
    builtin::draw(&options).unwrap();
}

#[test]
fn an_interrupted_download_is_kept_and_not_replaced_by_the_built_in_set() {
    let cache = tempfile::tempdir().unwrap();
    let url = serve(ok(300_000), vec![0; 300_000]);
    let archive = blitz::data::download::Archive {
        url,
        size: 300_000,
        ..blitz::data::download::Archive::official()
    };
    let options = Cifar10Options {
        data: DataChoice::Auto,
        cache_dir: cache.path().to_owned(),
        archive,
        ..Cifar10Options::default()
    };
    interrupt_at(1);
    let text = Cifar10::load(&options).unwrap_err().to_string();
    let files = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap());
    let part = files.into_iter().find(|file| file.path().extension().unwrap() == "part").unwrap();
    let kept = part.metadata().unwrap().len();
    assert!(kept > 0, "nothing was kept");
    let expected = format!("interrupted the download: {kept} of 300000 bytes are kept");
    assert!(text.starts_with(&expected), "{text}");
    assert!(!cache.path().join("cifar-10-batches-bin").exists());
}

#[test]
fn the_pause_after_a_broken_connection_stops() {
    let cache = tempfile::tempdir().unwrap();
    // The connection ends after 1,000 bytes, and there is no second one.
    let url = serve(ok(300_000), vec![0; 1_000]);
    let archive = blitz::data::download::Archive {
        url,
        size: 300_000,
        ..blitz::data::download::Archive::official()
    };
    let pause = std::time::Duration::from_secs(3_600);
    let timeouts = blitz::data::download::Timeouts { pause, ..Default::default() };
    // Two or three questions while something comes; the others are asked in the pause.
    interrupt_at(8);
    let error = blitz::data::download::fetch(&archive, cache.path(), &timeouts).unwrap_err();
    let expected = "interrupted the download: 1000 of 300000 bytes are kept";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn an_epoch_with_prefetch_unwinds_too() {
    let options = LoaderOptions { prefetch: 2, ..Default::default() };
    let mut loader = DataLoader::new(&numbered_split(40), options).unwrap();
    let mut batches = 0;
    interrupt_at(3);
    let payload = unwinding(|| loader.epoch().for_each(|_| batches += 1));
    assert_eq!((*payload.downcast::<&str>().unwrap(), batches), ("interrupted", 3));
    assert_eq!(loader.state().images_taken, 12);
    assert_eq!(loader.epoch().count(), 10);
}

#[test]
fn the_wait_for_another_download_stops() {
    let cache = tempfile::tempdir().unwrap();
    let other = std::fs::File::create(cache.path().join("download.lock")).unwrap();
    other.lock().unwrap();
    let archive = blitz::data::download::Archive {
        url: "http://127.0.0.1:9/none".into(),
        ..blitz::data::download::Archive::official()
    };
    let fetch = || blitz::data::download::fetch(&archive, cache.path(), &Default::default());
    interrupt_at(2);
    let text = fetch().unwrap_err().to_string();
    assert!(text.starts_with("interrupted the wait for another process's download"), "{text}");
    drop(other);
    assert!(fetch().unwrap_err().to_string().contains("refused"), "the lock was not given back");
}
