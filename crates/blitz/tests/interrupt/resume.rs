//! Trainings that stop and go on: interrupted, killed, on a full disk, beside another run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::QUESTIONS;
use crate::common::{formula_split, ignored_test, turn, values};
use blitz::Error;
use blitz::nn::{ModuleT, VarStore};
use blitz::prelude::*;

/// A net that draws random numbers, and has buffers.
#[derive(Debug)]
struct Net {
    conv: Conv2d,
    norm: nn::BatchNorm,
    fc: Linear,
}

impl ModuleT for Net {
    fn forward_t(&self, images: &Tensor, train: bool) -> Tensor {
        images
            .apply(&self.conv) // [N, 3, 32, 32] -> [N, 4, 28, 28]
            .apply_t(&self.norm, train)
            .relu()
            .max_pool2d_default(4) // -> [N, 4, 7, 7]
            .flatten(1, -1)
            .dropout(0.5, train)
            .apply(&self.fc)
    }
}

/// A training and all that it needs, made alike each time.
struct Run {
    vs: VarStore,
    net: Net,
    optimizer: Sgd,
    train_loader: DataLoader,
    test_loader: DataLoader,
}

impl Run {
    fn new() -> Run {
        tch::manual_seed(7);
        let vs = VarStore::new(Device::Cpu);
        let root = vs.root();
        let net = Net {
            conv: conv2d(&root / "conv", 3, 4, 5),
            norm: nn::batch_norm2d(&root / "norm", 4, nn::BatchNormConfig::default()),
            fc: linear(&root / "fc", 196, 10),
        };
        let sgd = SgdOptions { lr: 0.02, momentum: 0.9, ..SgdOptions::default() };
        let optimizer = Sgd::new(&vs, sgd).unwrap();
        let shuffled = LoaderOptions { shuffle: Order::Shuffled { seed: 3 }, ..Default::default() };
        // 11 batches, the last of 3 images.
        let train_loader = DataLoader::new(&formula_split(43), shuffled).unwrap();
        let test_loader = DataLoader::new(&formula_split(43), LoaderOptions::default()).unwrap();
        Run { vs, net, optimizer, train_loader, test_loader }
    }

    fn fit(&mut self, options: &FitOptions) -> blitz::Result<FitReport> {
        let loaders = (&mut self.train_loader, &mut self.test_loader);
        fit(&self.net, &mut self.optimizer, loaders, options)
    }

    fn resume(&mut self, options: &FitOptions) -> blitz::Result<FitReport> {
        let loaders = (&mut self.train_loader, &mut self.test_loader);
        resume(&self.net, &mut self.optimizer, loaders, options)
    }

    fn options(&self, dir: &Path) -> FitOptions {
        FitOptions {
            epochs: 3,
            report_every: 4,
            schedule: Schedule::one_cycle(0.05),
            checkpoint: Some(CheckpointOptions::new(dir, &self.vs)),
            ..FitOptions::default()
        }
    }

    /// All numbers of the net and the momentum.
    fn bits(&self) -> Vec<(String, Vec<u64>)> {
        let bits = |tensor: &Tensor| values(tensor).iter().map(|v| v.to_bits()).collect();
        let variables: BTreeMap<_, _> = self.vs.variables().into_iter().collect();
        let momentum = self.optimizer.state();
        variables
            .iter()
            .map(|(name, tensor)| (name.clone(), bits(tensor)))
            .chain(momentum.iter().map(|(name, tensor)| (format!("momentum {name}"), bits(tensor))))
            .collect()
    }
}

/// A report without the times.
fn numbers(report: &FitReport) -> (Vec<LossPoint>, Vec<[Option<u64>; 4]>, usize) {
    let bits = |value: Option<f64>| value.map(f64::to_bits);
    let epoch = |epoch: &EpochReport| {
        let EpochReport { steps, loss, accuracy, lr, .. } = *epoch;
        [Some(steps as u64), bits(Some(loss)), bits(accuracy), bits(lr)]
    };
    (report.points.clone(), report.epochs.iter().map(epoch).collect(), report.steps)
}

fn stop_at(question: usize) {
    QUESTIONS.set(Some(question));
}

#[test]
fn a_resumed_training_is_bit_for_bit_the_one_that_was_not_interrupted() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut whole = Run::new();
    let options = FitOptions { checkpoint: None, ..whole.options(dir.path()) };
    let report = whole.fit(&options).unwrap();
    // Steps 4, 8 and 11 of each epoch.
    assert_eq!((report.steps, report.points.len(), report.epochs.len()), (33, 9, 3));
    let drawn = values(&Tensor::rand([3], (Kind::Float, Device::Cpu)));

    // A step asks once and so does each of the 11 batches of an evaluation: in the first epoch, at
    // its very beginning, in its evaluation, at the first and the last step of the second, and
    // several times in turn.
    for stops in [vec![7], vec![0], vec![15], vec![22], vec![32], vec![54], vec![7, 3, 19, 0, 20]] {
        let dir = tempfile::tempdir().unwrap();
        for (index, stop) in stops.iter().enumerate() {
            // All is made anew each time, as by another process; a seed of its own must not matter.
            let mut run = Run::new();
            let options = run.options(dir.path());
            if index > 0 {
                tch::manual_seed(99);
            }
            stop_at(*stop);
            let result = if index == 0 { run.fit(&options) } else { run.resume(&options) };
            assert!(result.unwrap().interrupted.is_some());
            assert_eq!(run.optimizer.lr(), 0.02, "the optimizer's own rate");
        }
        let mut run = Run::new();
        let options = run.options(dir.path());
        tch::manual_seed(1234);
        let resumed = run.resume(&options).unwrap();
        assert_eq!(numbers(&resumed), numbers(&report), "{stops:?}");
        assert!(run.bits() == whole.bits(), "{stops:?}");
        assert_eq!(values(&Tensor::rand([3], (Kind::Float, Device::Cpu))), drawn, "{stops:?}");
    }
}

#[test]
fn checkpoints_within_an_epoch_and_after_it_are_the_same_as_an_interrupt() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut whole = Run::new();
    let mut options = whole.options(dir.path());
    let checkpoint = options.checkpoint.as_mut().unwrap();
    (checkpoint.every, checkpoint.keep) = (Every::Steps(5), 100);
    let report = whole.fit(&options).unwrap();
    let mut names: Vec<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("step-"))
        .collect();
    names.sort();
    let steps: Vec<usize> = names.iter().map(|name| name[5..].parse().unwrap()).collect();
    assert_eq!(steps, [5, 10, 11, 16, 21, 22, 27, 32, 33]);
    // From each of them on, newest first.
    for name in names.iter().rev() {
        let mut run = Run::new();
        let mut options = run.options(dir.path());
        let checkpoint = options.checkpoint.as_mut().unwrap();
        (checkpoint.every, checkpoint.keep) = (Every::Epoch, 100);
        let resumed = run.resume(&options).unwrap();
        assert_eq!(numbers(&resumed), numbers(&report), "{name}");
        assert!(run.bits() == whole.bits(), "{name}");
        // The resumed run has made the later ones again.
        for later in names.iter().filter(|later| *later >= name) {
            let _ = fs::remove_dir_all(dir.path().join(later));
        }
    }
    let mut run = Run::new();
    let text = run.resume(&run.options(dir.path())).unwrap_err().to_string();
    assert!(text.contains("no checkpoint to resume from"), "{text}");
}

#[test]
fn the_newest_are_kept_and_a_longer_training_goes_on() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new();
    let mut options =
        FitOptions { schedule: Schedule::Step { every: 2, gamma: 0.5 }, ..run.options(dir.path()) };
    options.checkpoint.as_mut().unwrap().keep = 2;
    run.fit(&options).unwrap();
    let newest = checkpoint::newest(dir.path()).unwrap().unwrap();
    assert_eq!(newest, dir.path().join("step-000000033"));
    // A lock and two checkpoints.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
    let mut other = Run::new();
    checkpoint::load(&mut other.vs, newest.join("net.safetensors")).unwrap();
    let variables = |run: &Run| -> BTreeMap<String, Vec<f64>> {
        run.vs.variables().iter().map(|(name, tensor)| (name.clone(), values(tensor))).collect()
    };
    assert_eq!(variables(&other), variables(&run));

    let mut whole = Run::new();
    let five = FitOptions { epochs: 5, checkpoint: None, ..options.clone() };
    let report = whole.fit(&five).unwrap();
    let mut longer = Run::new();
    let options = FitOptions {
        epochs: 5,
        checkpoint: Some(CheckpointOptions::new(dir.path(), &longer.vs)),
        ..options
    };
    assert_eq!(numbers(&longer.resume(&options).unwrap()), numbers(&report));
    assert!(longer.bits() == whole.bits());
    assert_eq!(checkpoint::newest(dir.path().join("none")).unwrap(), None);
}

#[test]
fn what_does_not_fit_the_checkpoint_is_named_and_changes_nothing() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new();
    let options = run.options(dir.path());
    stop_at(5);
    run.fit(&options).unwrap();

    let refused = |change: &dyn Fn(&mut Run, &mut FitOptions)| {
        let mut run = Run::new();
        let mut options = run.options(dir.path());
        change(&mut run, &mut options);
        let before = run.bits();
        let text = run.resume(&options).unwrap_err().to_string();
        assert!(run.bits() == before, "{text}");
        text
    };
    let text = refused(&|run, _| {
        let sgd = SgdOptions { lr: 0.03, momentum: 0.9, ..SgdOptions::default() };
        run.optimizer = Sgd::new(&run.vs, sgd).unwrap();
    });
    assert!(text.contains("lr: 0.02") && text.contains("lr: 0.03"), "{text}");
    let text = refused(&|_, options| options.schedule = Schedule::Constant);
    assert!(text.contains("OneCycle") && text.contains("got Constant"), "{text}");
    let text = refused(&|_, options| options.epochs = 4);
    assert!(text.contains("over 3 epochs") && text.contains("over 4 epochs"), "{text}");
    let text = refused(&|_, options| options.report_every = 5);
    assert!(text.contains("report_every must be 4, as in the checkpoint"), "{text}");
    let text = refused(&|run, _| {
        run.train_loader = DataLoader::new(&formula_split(43), LoaderOptions::default()).unwrap();
    });
    assert!(text.contains("the loader's state"), "{text}");
    let text = refused(&|_, options| options.checkpoint = None);
    assert!(text.contains("option checkpoint"), "{text}");
    // Another net.
    let text = refused(&|run, options| {
        run.vs = VarStore::new(Device::Cpu);
        linear(run.vs.root() / "fc", 196, 5);
        run.optimizer = Sgd::new(&run.vs, run.optimizer.options()).unwrap();
        options.checkpoint = Some(CheckpointOptions::new(dir.path(), &run.vs));
    });
    assert!(text.contains("parameter fc.bias has shape [10], expected [5]"), "{text}");
    // Damaged files.
    let newest = checkpoint::newest(dir.path()).unwrap().unwrap();
    for file in ["progress.json", "state.safetensors", "net.safetensors"] {
        let path = newest.join(file);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let text = refused(&|_, _| ());
        assert!(text.contains(file) && text.contains("cannot be read"), "{text}");
        fs::write(&path, whole).unwrap();
    }
    let path = newest.join("progress.json");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("epoch_steps", "x")).unwrap();
    let text = refused(&|_, _| ());
    assert!(text.contains("the losses are missing"), "{text}");
}

#[test]
fn forged_positions_are_refused_with_the_file_that_has_them() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new();
    // In the third epoch, after some steps.
    stop_at(30);
    let options = run.options(dir.path());
    run.fit(&options).unwrap();
    let path = checkpoint::newest(dir.path()).unwrap().unwrap().join("progress.json");
    let whole = fs::read_to_string(&path).unwrap();
    let saved: serde_json::Value = whole.parse().unwrap();
    let largest = serde_json::json!(u64::MAX);
    let forgeries: [&[(&str, serde_json::Value)]; 15] = [
        &[("/loader/epochs_begun", largest.clone())],
        &[("/loader/draws", largest.clone())],
        &[("/loader/epochs_begun", largest.clone()), ("/loader/draws", largest.clone())],
        // Such as a loader of 43 images would draw in so many epochs: hours and days.
        &[("/loader/epochs_begun", 1e10.into()), ("/loader/draws", 5e11.into())],
        &[
            ("/loader/epochs_begun", 10_000_000_001u64.into()),
            ("/loader/draws", 500_000_000_000u64.into()),
        ],
        &[
            ("/loader/epochs_begun", 1_000_000_001u64.into()),
            ("/loader/draws", 50_000_000_000u64.into()),
        ],
        // More and less than its epochs draw.
        &[("/loader/draws", 5_000_000_000u64.into())],
        &[("/loader/draws", 0.into())],
        &[("/loader/epochs_begun", 0.into())],
        &[("/loader/images_taken", i64::MAX.into())],
        &[("/loader/images_taken", 0.into())],
        &[("/log/steps", largest.clone())],
        &[("/log/epoch_steps", largest.clone())],
        &[("/log/epoch_steps", 11.into())],
        &[("/log/seconds", 1e19.into())],
    ];
    for forgery in forgeries {
        let mut forged = saved.clone();
        for (place, value) in forgery {
            *forged.pointer_mut(place).unwrap() = value.clone();
        }
        fs::write(&path, forged.to_string()).unwrap();
        let mut run = Run::new();
        let (options, before) = (run.options(dir.path()), run.bits());
        let text = run.resume(&options).unwrap_err().to_string();
        assert!(text.contains("progress.json cannot be read"), "{forgery:?}: {text}");
        assert!(run.bits() == before, "{forgery:?}");
    }
    fs::write(&path, whole).unwrap();
    let mut run = Run::new();
    let options = run.options(dir.path());
    run.resume(&options).unwrap();
}

#[test]
fn options_that_make_no_sense_are_refused_before_a_step() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new();
    let before = run.bits();
    let mut refused = |change: &dyn Fn(&mut FitOptions)| {
        let mut options = run.options(dir.path());
        change(&mut options);
        run.fit(&options).unwrap_err().to_string()
    };
    let text = refused(&|options| options.checkpoint.as_mut().unwrap().keep = 0);
    assert!(text.contains("checkpoint.keep must be at least 1"), "{text}");
    let text = refused(&|options| {
        options.checkpoint.as_mut().unwrap().every = Every::Steps(0);
    });
    assert!(text.contains("checkpoint.every must be at least 1"), "{text}");
    let text = refused(&|options| options.schedule = Schedule::Step { every: 0, gamma: 0.1 });
    assert!(text.contains("option every"), "{text}");
    let text = refused(&|options| {
        options.checkpoint.as_mut().unwrap().dir = "/dev/null/checkpoints".into();
    });
    assert!(text.contains("/dev/null/checkpoints"), "{text}");
    assert!(run.bits() == before);

    // tch's own optimizers.
    let mut sgd = nn::sgd(0.9, 0.0, 0.0, false).build(&run.vs, 0.01).unwrap();
    let options = run.options(dir.path());
    let constant = FitOptions { schedule: Schedule::Constant, ..options.clone() };
    for (options, option) in [(options, "schedule"), (constant, "checkpoint")] {
        let result = fit(&run.net, &mut sgd, &mut run.train_loader, &options);
        let text = result.unwrap_err().to_string();
        assert!(text.contains(option) && text.contains("blitz::optim::Sgd"), "{text}");
    }
}

#[test]
fn earlier_checkpoints_are_not_lost_by_accident() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new();
    let mut options = FitOptions { epochs: 1, ..run.options(dir.path()) };
    run.fit(&options).unwrap();
    let text = run.fit(&options).unwrap_err().to_string();
    assert!(text.contains("step-000000011") && text.contains("resume continues"), "{text}");
    options.checkpoint.as_mut().unwrap().existing = Existing::Replace;
    stop_at(2);
    run.fit(&options).unwrap();
    assert!(checkpoint::newest(dir.path()).unwrap().unwrap().ends_with("step-000000002"));
}

#[test]
fn what_was_interrupted_goes_on_where_that_is_wanted() {
    let _turn = turn();
    let mut whole = Run::new();
    let without = FitOptions { checkpoint: None, ..whole.options(Path::new("")) };
    let report = whole.fit(&without).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new();
    let mut options = run.options(dir.path());
    options.checkpoint.as_mut().unwrap().existing = Existing::Continue;
    // From nothing, after an interrupt within an epoch, and after one between two.
    for (stop, epochs) in [(7, 0), (15, 1), (22, 2)] {
        stop_at(stop);
        let stopped = run.fit(&options).unwrap();
        assert!(stopped.interrupted.is_some());
        assert_eq!(stopped.epochs.len(), epochs, "{:?}", stopped.interrupted);
    }
    assert_eq!(numbers(&run.fit(&options).unwrap()), numbers(&report));
    assert!(run.bits() == whole.bits());

    // It has come to its end: another one begins, from the parameters as they are.
    stop_at(2);
    let before = run.bits();
    assert_eq!(run.fit(&options).unwrap().steps, 2);
    assert!(run.bits() != before);
    assert!(checkpoint::newest(dir.path()).unwrap().unwrap().ends_with("step-000000002"));
    // With another learning rate it is another training.
    run.optimizer = Sgd::new(&run.vs, SgdOptions { lr: 0.5, ..SgdOptions::default() }).unwrap();
    stop_at(3);
    assert_eq!(run.fit(&options).unwrap().steps, 3);

    // What cannot be read is not thrown away.
    let newest = checkpoint::newest(dir.path()).unwrap().unwrap();
    fs::write(newest.join("progress.json"), "{").unwrap();
    let error = run.fit(&options).unwrap_err();
    assert!(matches!(error, Error::DamagedCheckpoint { .. }), "{error}");
    assert!(newest.exists());
}

const CHILD_DIR: &str = "BLITZ_TEST_CHECKPOINTS";
const CHILD_TASK: &str = "BLITZ_TEST_TASK";

/// This program again, as another process that trains into `dir`.
fn child(task: &str, dir: &Path) -> Child {
    ignored_test(module_path!(), "child_process")
        .arg("--test-threads=1")
        .env(CHILD_DIR, dir)
        .env(CHILD_TASK, task)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "started by the tests below, in a process of its own"]
fn child_process() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let task = std::env::var(CHILD_TASK).unwrap();
    let mut run = Run::new();
    let mut options = run.options(Path::new(&dir));
    options.checkpoint.as_mut().unwrap().every = Every::Steps(1);
    match task.as_str() {
        "train for long" => {
            options.schedule = Schedule::Constant;
            options.epochs = 100_000;
            match checkpoint::newest(&dir).unwrap() {
                Some(_) => run.resume(&options).unwrap(),
                None => run.fit(&options).unwrap(),
            };
        }
        "train with little room" => {
            // A file may not grow beyond 10 kB: the system refuses as where the disk is full.
            // SAFETY: both calls change this process alone, with valid arguments.
            unsafe {
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                let limit = libc::rlimit { rlim_cur: 10_000, rlim_max: 10_000 };
                assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
            }
            println!("error: {}", run.resume(&options).unwrap_err());
        }
        other => panic!("no such task: {other}"),
    }
}

/// Waits until the child has saved a checkpoint.
fn wait_for_a_checkpoint(dir: &Path, child: &mut Child) {
    let before = checkpoint::newest(dir).unwrap();
    let started = Instant::now();
    while checkpoint::newest(dir).unwrap() == before {
        assert!(child.try_wait().unwrap().is_none(), "the child has ended");
        let waited = started.elapsed();
        assert!(waited < Duration::from_secs(600), "the child has saved no checkpoint yet");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_run_killed_at_any_moment_leaves_a_newest_checkpoint_that_loads() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..12u64 {
        let mut child = child("train for long", dir.path());
        wait_for_a_checkpoint(dir.path(), &mut child);
        // Moments spread over the milliseconds that some steps and their checkpoints take.
        thread::sleep(Duration::from_micros(round * 7_919 % 40_000));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let newest = checkpoint::newest(dir.path()).unwrap().unwrap();
        let name = newest.file_name().unwrap().to_str().unwrap();
        let step: usize = name["step-".len()..].parse().unwrap();
        assert!(step > last, "{step} after {last}");
        last = step;
    }
    // The lock of the killed is free, and their unfinished checkpoints are swept away.
    let mut run = Run::new();
    let epochs = last / 11 + 1;
    let options = FitOptions { epochs, schedule: Schedule::Constant, ..run.options(dir.path()) };
    let report = run.resume(&options).unwrap();
    assert_eq!(report.steps, epochs * 11);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "a lock and a checkpoint");
    // Twelve times killed, and still the numbers of a run in one go.
    let mut whole = Run::new();
    let options = FitOptions { checkpoint: None, ..options };
    assert_eq!(numbers(&whole.fit(&options).unwrap()), numbers(&report));
    assert!(run.bits() == whole.bits());
}

#[test]
fn two_runs_cannot_write_the_same_directory() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut child = child("train for long", dir.path());
    wait_for_a_checkpoint(dir.path(), &mut child);
    let mut run = Run::new();
    let before = run.bits();
    let options = run.options(dir.path());
    for result in [run.fit(&options), run.resume(&options)] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::CheckpointInUse { .. }), "{error}");
        assert!(error.to_string().contains(&format!("process {}", child.id())), "{error}");
    }
    assert!(run.bits() == before);
    child.kill().unwrap();
    child.wait().unwrap();
    let options = FitOptions { schedule: Schedule::Constant, ..options };
    run.resume(&options).unwrap(); // the dead process's lock is taken over
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_keeps_the_old_checkpoint() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new();
    let options = run.options(dir.path());
    stop_at(4);
    run.fit(&options).unwrap();
    let newest = checkpoint::newest(dir.path()).unwrap().unwrap();
    let read = |name: &str| fs::read(newest.join(name)).unwrap();
    let files = ["net.safetensors", "state.safetensors", "progress.json"];
    let before = files.map(read);

    let output = child("train with little room", dir.path()).wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("error: could not write") && text.contains("disk has room"), "{text}");
    assert_eq!(checkpoint::newest(dir.path()).unwrap().unwrap(), newest);
    assert_eq!(files.map(read), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "a lock and the old checkpoint");
    let mut run = Run::new();
    run.resume(&run.options(dir.path())).unwrap();
}
