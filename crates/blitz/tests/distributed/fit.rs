//! `fit`, `resume` and `evaluate` by several processes.

use std::any::Any;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use blitz::autograd::Autograd;
use blitz::prelude::*;

use super::collectives::group;
use crate::common::formula_split;
use crate::common::world::World;

/// What a training needs, made alike on each rank.
struct Run {
    vs: nn::VarStore,
    net: DistributedDataParallel<CifarNet>,
    optimizer: Sgd,
    train_loader: DataLoader,
    test_loader: DataLoader,
}

/// A loader over `count` images, of which each rank has its part.
fn loader(group: &ProcessGroup, count: i64, batch_size: i64) -> DataLoader {
    let shuffle = Order::Shuffled { seed: 3 };
    let sampler = Some(DistributedSampler::new(group));
    let options = LoaderOptions { batch_size, shuffle, sampler, ..LoaderOptions::default() };
    DataLoader::new(&formula_split(count), options).unwrap()
}

impl Run {
    fn new(group: &ProcessGroup) -> Run {
        tch::manual_seed(7);
        let vs = nn::VarStore::new(Device::Cpu);
        let net = cifar10_net(&vs.root());
        let net = DistributedDataParallel::new(net, &vs, group, DdpOptions::default()).unwrap();
        let sgd = SgdOptions { lr: 0.01, momentum: 0.9, ..SgdOptions::default() };
        let optimizer = Sgd::new(&vs, sgd).unwrap();
        // Four images in a step, however many ranks there are.
        let batch_size = 4 / group.world_size() as i64;
        let (train_loader, test_loader) =
            (loader(group, images(), batch_size), loader(group, 21, 4));
        Run { vs, net, optimizer, train_loader, test_loader }
    }

    fn options(&self, dir: Option<&Path>) -> FitOptions {
        let checkpoint = dir.map(|dir| CheckpointOptions {
            every: Every::Steps(3),
            ..CheckpointOptions::new(dir, &self.vs)
        });
        FitOptions { epochs: 3, report_every: 4, checkpoint, ..FitOptions::default() }
    }

    fn fit(&mut self, options: &FitOptions) -> blitz::Result<FitReport> {
        let loaders = (&mut self.train_loader, &mut self.test_loader);
        fit(&self.net, &mut self.optimizer, loaders, options)
    }

    fn resume(&mut self, options: &FitOptions) -> blitz::Result<FitReport> {
        let loaders = (&mut self.train_loader, &mut self.test_loader);
        resume(&self.net, &mut self.optimizer, loaders, options)
    }
}

/// How many there are to train on: two ranks need one of them twice, unless a test says otherwise.
fn images() -> i64 {
    std::env::var("IMAGES").map_or(43, |count| count.parse().unwrap())
}

/// All parameters, one after another.
fn parameters(vs: &nn::VarStore) -> Tensor {
    let all = nn::named_parameters(vs);
    let all: Vec<Tensor> = all.iter().map(|(_, tensor)| tensor.detach().view(-1)).collect();
    Tensor::cat(&all, 0)
}

fn digest(vs: &nn::VarStore) -> String {
    let bytes = parameters(vs).view_dtype(Kind::Int).to_kind(Kind::Int64);
    let places = Tensor::arange(bytes.numel() as i64, (Kind::Int64, Device::Cpu)) + 1;
    format!("{}", (bytes * places).sum(Kind::Int64).int64_value(&[]))
}

/// The losses and accuracies, with all their bits.
fn numbers(report: &FitReport) -> String {
    let points = report.points.iter().map(|point| (point.step, point.loss.to_bits()));
    let epochs =
        report.epochs.iter().map(|epoch| (epoch.loss.to_bits(), epoch.accuracy.map(f64::to_bits)));
    format!("{:?} {:?}", points.collect::<Vec<_>>(), epochs.collect::<Vec<_>>())
}

fn tell(run: &Run, report: &FitReport) {
    println!("\nparameters={}\nnumbers={}", digest(&run.vs), numbers(report));
    let losses = report.points.iter().map(|point| point.loss.to_string());
    println!("losses={}", losses.collect::<Vec<_>>().join(" "));
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn dir() -> PathBuf {
    std::env::var_os("DIR").unwrap().into()
}

#[test]
fn ranks_train_as_one_and_only_rank_0_prints() {
    let ended = World::of(2).succeeds(module_path!(), "trains");
    assert_eq!(ended[0].value("parameters"), ended[1].value("parameters"));
    assert_eq!(ended[0].value("numbers"), ended[1].value("numbers"));
    let lines = |text: &str| text.lines().filter(|line| line.contains("loss: ")).count();
    // 11 batches an epoch: two points of 4 and a rest of 3.
    assert_eq!((lines(&ended[0].text), lines(&ended[1].text)), (9, 0), "{}", ended[0].text);
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn trains() {
    let group = group();
    let mut run = Run::new(&group);
    let report = run.fit(&run.options(None)).unwrap();
    tell(&run, &report);
    assert_eq!((report.steps, report.epochs.len()), (33, 3));
    // One process with batches of 4 sees the same images in each step, in another order of sums.
    let alone = ProcessGroup::alone(Device::Cpu);
    let mut whole = Run::new(&alone);
    whole.train_loader = loader(&alone, 44, 4);
    let same_images = |rank: usize, batch: &Batch| {
        let all = group.all_gather(&batch.images).unwrap();
        assert!(all[rank].equal(&batch.images));
    };
    let batch = run.train_loader.epoch().next().unwrap();
    same_images(group.rank(), &batch);
    // The losses are means over all ranks.
    let evaluation = evaluate(&run.net, &mut run.test_loader, &CLASSES).unwrap();
    let accuracy = report.epochs[2].accuracy.unwrap();
    assert!((evaluation.accuracy() - accuracy).abs() < 1e-12);
    assert_eq!(evaluation.total(), 21);
}

#[test]
fn a_training_that_was_killed_goes_on_bit_by_bit() {
    let undisturbed = World::of(2).succeeds(module_path!(), "trains");
    for rank in ["0", "1"] {
        let dir = temporary();
        let path = dir.path().to_string_lossy();
        let killed = World::of(2).with("DIR", &path).with("DIES", rank).run(module_path!(), "dies");
        let of = |rank: &str| usize::from(rank == "1");
        assert!(!killed[of(rank)].status.success());
        let other = &killed[1 - of(rank)];
        assert!(other.text.contains("another process has ended"), "{}", other.text);
        let ended = World::of(2).with("DIR", &path).succeeds(module_path!(), "goes_on");
        for key in ["parameters", "numbers"] {
            assert_eq!(ended[0].value(key), undisturbed[0].value(key), "rank {rank} died: {key}");
            assert_eq!(ended[1].value(key), undisturbed[1].value(key), "rank {rank} died: {key}");
        }
    }
}

#[test]
fn another_number_of_ranks_goes_on_with_the_same_steps_and_is_told() {
    let losses =
        |text: &str| -> Vec<f64> { text.split(' ').map(|loss| loss.parse().unwrap()).collect() };
    let dir = temporary();
    let path = dir.path().to_string_lossy();
    // No image has to be taken twice.
    let world = |size: usize, dir: &str| World::of(size).with("IMAGES", "44").with("DIR", dir);
    world(2, &path).with("DIES", "1").run(module_path!(), "dies");
    // Three have no way to make steps of four.
    for ended in world(3, &path).run(module_path!(), "goes_on") {
        assert!(!ended.status.success(), "{}", ended.text);
        for expected in
            ["3 images in a step of all processes", "4 images in a step of all processes"]
        {
            assert!(ended.text.contains(expected), "{}", ended.text);
        }
    }
    let undisturbed = world(2, "").succeeds(module_path!(), "trains");
    for (size, told) in
        [(4, "by 2 processes and goes on by 4 processes"), (1, "goes on by 1 process:")]
    {
        let copied = temporary();
        copy(dir.path(), copied.path());
        let world = world(size, &copied.path().to_string_lossy());
        let ended = world.succeeds(module_path!(), "goes_on");
        assert!(ended[0].text.contains(told), "{}", ended[0].text);
        for other in &ended[1..] {
            assert!(!other.text.contains("goes on by"), "{}", other.text);
            assert_eq!(other.value("parameters"), ended[0].value("parameters"));
        }
        let (was, is) = (losses(undisturbed[0].value("losses")), losses(ended[0].value("losses")));
        assert_eq!(was.len(), is.len());
        for (was, is) in was.iter().zip(&is) {
            assert!((was - is).abs() < 1e-5, "{was} and {is}");
        }
    }
}

/// The directory of checkpoints `from`, in `to`.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Rank `DIES` is killed in the second epoch, after a checkpoint in its middle.
#[test]
#[ignore = "started by another test, once for each rank"]
fn dies() {
    let group = group();
    let mut run = Run::new(&group);
    let hook =
        std::env::var("DIES").is_ok_and(|rank| rank == group.rank().to_string()).then(|| {
            let steps = AtomicUsize::new(0);
            let die = move |_: &Tensor| {
                if steps.fetch_add(1, Ordering::Relaxed) == 16 {
                    // SAFETY: a plain system call.
                    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
                }
                None
            };
            run.vs.variables()["conv1.weight"].register_hook(die).unwrap()
        });
    let options = run.options(Some(&dir()));
    // The backward pass returns an error, the forward pass panics with one.
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| run.fit(&options).unwrap_err()));
    let text = |payload: Box<dyn Any + Send>| payload.downcast_ref::<String>().unwrap().clone();
    println!("{}", result.map_or_else(text, |error| error.to_string()));
    drop(hook);
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn goes_on() {
    let mut run = Run::new(&group());
    let options = run.options(Some(&dir()));
    let report = run.resume(&options).unwrap();
    tell(&run, &report);
}

#[test]
fn what_ranks_do_not_have_in_common_is_told_on_all() {
    let dir = temporary();
    let ended = World::of(2).with("DIR", &dir.path().to_string_lossy());
    for (rank, ended) in ended.succeeds(module_path!(), "does_not_fit").iter().enumerate() {
        let expects = |key: &str, expected: &str| {
            let message = ended.value(key);
            let begins = format!("fit failed on rank {rank} of 2: ");
            let is_own = message.contains("option ") || (rank == 0 && key == "save");
            assert!(message.starts_with(&begins) || is_own, "{key}: {message}");
            assert!(message.contains(expected), "{key}: {message}");
        };
        expects("batches", "rank 0 has 3 epochs of 11 batches");
        expects("batches", "and rank 1 has 3 epochs of 6 batches");
        expects("options", "option report_every must be at least 1, got 0");
        expects("bare", "the ranks have different parameters. Wrap the net");
        expects(
            "nan",
            "the loss became NaN on rank 1 in epoch 1, step 2; the parameters are spoilt",
        );
        expects("late nan", "the loss became NaN on rank 1 in epoch 1, step 12;");
        expects("save", "could not make");
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn does_not_fit() {
    let group = group();
    let rank = group.rank();
    let tell =
        |key: &str, result: blitz::Result<FitReport>| println!("\n{key}={}", result.unwrap_err());

    let mut run = Run::new(&group);
    if rank == 1 {
        run.train_loader = loader(&group, 43, 4);
    }
    let options = run.options(None);
    tell("batches", run.fit(&options));

    let mut run = Run::new(&group);
    let report_every = if rank == 1 { 0 } else { 4 };
    let options = FitOptions { report_every, ..run.options(None) };
    tell("options", run.fit(&options));

    let mut run = Run::new(&group);
    let vs = nn::VarStore::new(Device::Cpu);
    let bare = cifar10_net(&vs.root());
    let mut optimizer = Sgd::new(&vs, SgdOptions::default()).unwrap();
    tell("bare", fit(&bare, &mut optimizer, &mut run.train_loader, &options_of(4)));

    for (key, step, report_every) in [("nan", 2, 4), ("late nan", 12, 1000)] {
        let mut run = Run::new(&group);
        run.train_loader = loader(&group, 60, 1);
        if rank == 1 {
            spoil(&mut run, step);
        }
        tell(key, run.fit(&options_of(report_every)));
    }

    // A checkpoint that rank 0 cannot write: where its directory shall be, there is a file.
    let mut run = Run::new(&group);
    let file = dir().join("file");
    fs::write(&file, "").unwrap();
    let options = run.options(Some(&file.join("checkpoints")));
    tell("save", run.fit(&options));
}

fn options_of(report_every: usize) -> FitOptions {
    FitOptions { epochs: 1, report_every, ..FitOptions::default() }
}

/// Lets the loss of this rank be NaN in `step`, by the labels' image.
fn spoil(run: &mut Run, step: i64) {
    let mut split = formula_split(60);
    split.images = split.images.to_kind(Kind::Float) / 255.0;
    let sampler = run.train_loader.options().sampler.clone().unwrap();
    // The image that this rank takes in its step of the first epoch.
    let numbered = crate::common::numbered_split(60);
    let options = LoaderOptions {
        batch_size: 1,
        sampler: Some(sampler),
        ..run.train_loader.options().clone()
    };
    let mut order = DataLoader::new(&numbered, options.clone()).unwrap();
    let batch = order.epoch().nth(step as usize - 1).unwrap();
    let image = ((batch.images.double_value(&[0, 0, 0, 0]) + 1.0) * 127.5).round() as i64;
    let _ = split.images.select(0, image).fill_(f64::NAN);
    run.train_loader = DataLoader::new(&split, options).unwrap();
}
