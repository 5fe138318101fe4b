//! Notebook 04 as a program, for servers: trains the tutorial's net and says how good it is.
//!
//!     cargo run --release -p blitz --example cifar10 -- --device cuda --epochs 2 --seed 0
//!     cargo run --release -p blitz --example cifar10 -- --data builtin
//!     cargo run --release -p blitz --example cifar10 -- --widths
//!     cargo blitz launch --nproc 2 -- --epochs 2 --batch-size 2
//!
//! Started by a launcher, it is one process of several: each sees its part of the images in batches of
//! its own, gradients are averaged, and rank 0 prints and writes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use blitz::checkpoint::CheckpointOptions;
use blitz::prelude::*;
use blitz_contract::variables;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

/// What the person asked for; [`command`] says what each means.
struct Arguments {
    device: String,
    data: Option<PathBuf>,
    epochs: u32,
    seed: u32,
    batch_size: i64,
    lr: f64,
    momentum: f64,
    width: i64,
    threads: i32,
    images: Option<usize>,
    checkpoints: Option<PathBuf>,
    save: Option<PathBuf>,
    one_by_one: bool,
    json: bool,
    no_test: bool,
    export: Option<PathBuf>,
    widths: bool,
}

/// The command line. It is written out because clap's derive would have `syn` compiled with more
/// features, and with it serde, tch and blitz once more than the notebooks have them.
#[rustfmt::skip] // a line an option
fn command() -> Command {
    let files = || value_parser!(PathBuf);
    Command::new("cifar10")
        .about("Trains the tutorial's classifier on CIFAR-10 and measures its accuracy")
        .args_override_self(true)
        .arg(option("device", "DEVICE", "auto, cpu, cuda or cuda:N").env(variables::DEVICE).default_value("auto"))
        .arg(option("data", "DIR", DATA_HELP).env(variables::DATA).value_parser(files()))
        .arg(option("epochs", "EPOCHS", "Walks over the training images").default_value("2").value_parser(value_parser!(u32).range(1..)))
        .arg(option("seed", "SEED", "Seed of the parameters and of the order of the images").default_value("0").value_parser(value_parser!(u32)))
        .arg(option("batch-size", "BATCH_SIZE", "Images per batch, of each process").default_value("4").value_parser(value_parser!(i64)))
        .arg(option("lr", "LR", "Learning rate").default_value("0.001").value_parser(value_parser!(f64)))
        .arg(option("momentum", "MOMENTUM", "Momentum").default_value("0.9").value_parser(value_parser!(f64)))
        .arg(option("width", "WIDTH", "Channels between the two convolutions").default_value("6").value_parser(value_parser!(i64).range(1..)))
        .arg(option("threads", "THREADS", THREADS_HELP).default_value("1").value_parser(value_parser!(i32).range(1..)))
        .arg(option("images", "N", "Train on the first N images only").value_parser(value_parser!(usize)))
        .arg(option("checkpoints", "DIR", CHECKPOINTS_HELP).value_parser(files()))
        .arg(option("save", "FILE", "Save the trained net: .safetensors, .ot, or .pth for PyTorch").value_parser(files()))
        .arg(flag("one-by-one", "On a GPU, do each step kernel by kernel instead of repeating a CUDA graph"))
        .arg(flag("json", "Print the result as JSON, on the last line"))
        .arg(flag("no-test", "Do not measure the accuracy"))
        .arg(option("export", "DIR", "Instead of training, write the data set to DIR as CIFAR-10's binary files").value_parser(files()))
        .arg(flag("widths", "Instead of training, measure nets of several widths: steps per second, CPU beside GPU"))
}

const DATA_HELP: &str = "The directory with CIFAR-10's .bin files, or `builtin`; otherwise the cache, \
                         a download, or the built-in set";
const THREADS_HELP: &str = "Threads of the CPU. At batch 4 one is the fastest, and gives the same numbers \
                            on every machine";
const CHECKPOINTS_HELP: &str =
    "Keep checkpoints here, one after each epoch; the training goes on from the newest one";

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

impl Arguments {
    /// Those of this process. Ends it where they make no sense.
    fn parse() -> Arguments {
        let mut given = command().get_matches();
        fn must<T: Clone + Send + Sync + 'static>(given: &mut ArgMatches, name: &str) -> T {
            given.remove_one(name).expect("it has a default")
        }
        Arguments {
            device: must(&mut given, "device"),
            data: given.remove_one("data"),
            epochs: must(&mut given, "epochs"),
            seed: must(&mut given, "seed"),
            batch_size: must(&mut given, "batch-size"),
            lr: must(&mut given, "lr"),
            momentum: must(&mut given, "momentum"),
            width: must(&mut given, "width"),
            threads: must(&mut given, "threads"),
            images: given.remove_one("images"),
            checkpoints: given.remove_one("checkpoints"),
            save: given.remove_one("save"),
            one_by_one: given.get_flag("one-by-one"),
            json: given.get_flag("json"),
            no_test: given.get_flag("no-test"),
            export: given.remove_one("export"),
            widths: given.get_flag("widths"),
        }
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> blitz::Result<()> {
    tch::set_num_threads(arguments.threads);
    let group = distributed::init(&init_options(arguments)?)?;
    let device = group.device();
    let tell = |line: String| {
        if group.is_main() {
            println!("{line}");
        }
    };
    match group.world_size() {
        1 => tell(format!("Training on {}", device::describe(device))),
        size => {
            tell(format!("Training by {size} processes, this one on {}", device::describe(device)))
        }
    }
    if arguments.widths {
        let gpu = Some(device).filter(|device| *device != Device::Cpu);
        let batch_size = arguments.batch_size;
        let options = SpeedOptions { gpu, batch_size, ..SpeedOptions::default() };
        println!("{}", width_speed(&options)?);
        return Ok(());
    }
    let data = match &arguments.data {
        None => DataChoice::Auto,
        Some(word) if word.as_os_str().eq_ignore_ascii_case("builtin") => DataChoice::BuiltIn,
        Some(directory) => DataChoice::Directory(directory.clone()),
    };
    let cifar10 = Cifar10::load(&Cifar10Options { data, ..Default::default() })?;
    if let Some(dir) = &arguments.export {
        return export(&cifar10, dir);
    }
    let train_split = cifar10.train.take(arguments.images.unwrap_or(usize::MAX));
    tell(format!("{} images from {:?}", train_split.len(), cifar10.source));

    let shuffle = Order::Shuffled { seed: arguments.seed.into() };
    let batch_size = arguments.batch_size;
    // Alone, the order is that of PyTorch's DataLoader without a sampler.
    let sampler =
        |tail| (group.world_size() > 1).then(|| DistributedSampler { group: group.clone(), tail });
    let options = LoaderOptions {
        batch_size,
        shuffle,
        device,
        sampler: sampler(Tail::Pad),
        ..Default::default()
    };
    let mut train_loader = DataLoader::new(&train_split, options)?;
    let options = LoaderOptions {
        batch_size: 100,
        device,
        sampler: sampler(Tail::Keep),
        ..Default::default()
    };
    let mut test_loader = DataLoader::new(&cifar10.test, options)?;

    tch::manual_seed(arguments.seed.into());
    let vs = nn::VarStore::new(device);
    let net = cifar10_net_with(
        &vs.root(),
        CifarNetOptions { width: arguments.width, ..Default::default() },
    );
    let net = DistributedDataParallel::new(net, &vs, &group, DdpOptions::default())?;
    let (lr, momentum) = (arguments.lr, arguments.momentum);
    let mut optimizer = Sgd::new(&vs, SgdOptions { lr, momentum, ..Default::default() })?;
    let report = train(arguments, &vs, &net, &mut optimizer, &mut train_loader)?;

    let evaluation = match arguments.no_test {
        true => None,
        false => Some(evaluate(&net, &mut test_loader, &CLASSES)?),
    };
    if !group.is_main() {
        return Ok(());
    }
    if let Some(path) = &arguments.save {
        checkpoint::save(&vs, path)?;
        println!("Saved to {}", path.display());
    }
    let seconds_of = |epoch: &EpochReport| epoch.elapsed.as_secs_f64();
    let epoch_seconds: Vec<f64> = report.epochs.iter().map(seconds_of).collect();
    let seconds: f64 = epoch_seconds.iter().sum();
    if let Some(evaluation) = &evaluation {
        print!("{evaluation}");
    }
    let per_batch = seconds * 1e3 / report.steps.max(1) as f64;
    println!("{} batches in {seconds:.1} s, {per_batch:.3} ms each", report.steps);
    if arguments.json {
        let result = json!({
            "seconds": seconds,
            "epoch_seconds": epoch_seconds,
            "batches": report.steps,
            "losses": report.epochs.iter().map(|epoch| epoch.loss).collect::<Vec<_>>(),
            "accuracy": evaluation.as_ref().map(Evaluation::accuracy),
            "peak_kb": peak_memory(),
            "device": device::describe(device),
            "processes": group.world_size(),
        });
        println!("{result}");
    }
    Ok(())
}

/// The six files of CIFAR-10: five of training images, in their order, and one of test images.
fn export(cifar10: &Cifar10, dir: &Path) -> blitz::Result<()> {
    const FILES: i64 = 5;
    let train = &cifar10.train;
    let count = train.len() as i64;
    for index in 0..FILES {
        let (start, end) = (index * count / FILES, (index + 1) * count / FILES);
        let part = |tensor: &Tensor| tensor.narrow(0, start, end - start);
        let split = Split { images: part(&train.images), labels: part(&train.labels) };
        write_file(&split, dir, &format!("data_batch_{}.bin", index + 1))?;
    }
    write_file(&cifar10.test, dir, "test_batch.bin")
}

/// One file of records: a label and 3,072 bytes of a picture each.
fn write_file(split: &Split, dir: &Path, name: &str) -> blitz::Result<()> {
    let count = split.len() as i64;
    let labels = split.labels.to_kind(Kind::Uint8).view([count, 1]);
    let records = Tensor::cat(&[labels, split.images.view([count, -1])], 1);
    let mut bytes = vec![0; records.numel()];
    records.f_copy_data_u8(&mut bytes, records.numel())?;
    let path = dir.join(name);
    let written = std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&path, bytes));
    written.map_err(|source| blitz::Error::Io { operation: "write", path, source })
}

/// Trains, from the newest checkpoint on where there is one.
fn train(
    arguments: &Arguments,
    vs: &nn::VarStore,
    net: &DistributedDataParallel<CifarNet>,
    optimizer: &mut Sgd,
    train_loader: &mut DataLoader,
) -> blitz::Result<FitReport> {
    let checkpoint = arguments.checkpoints.as_ref().map(|dir| CheckpointOptions::new(dir, vs));
    let is_begun = match &arguments.checkpoints {
        Some(dir) => is_begun(net.group(), dir)?,
        None => false,
    };
    let options = FitOptions {
        epochs: arguments.epochs as usize,
        // Six lines an epoch, the last one at its end.
        report_every: train_loader.len().div_ceil(6),
        checkpoint,
        on_gpu: if arguments.one_by_one { OnGpu::OneByOne } else { OnGpu::Graph },
        ..FitOptions::default()
    };
    match is_begun {
        true => resume(net, optimizer, train_loader, &options),
        false => fit(net, optimizer, train_loader, &options),
    }
}

/// Whether there is a checkpoint to go on from: rank 0, which alone writes them, knows.
fn is_begun(group: &ProcessGroup, dir: &Path) -> blitz::Result<bool> {
    let is_begun = group.is_main() && checkpoint::newest(dir)?.is_some();
    let mut is_begun = Tensor::from_slice(&[u8::from(is_begun)]).to_device(group.device());
    group.broadcast(&mut is_begun, 0)?;
    Ok(is_begun.int64_value(&[0]) != 0)
}

/// How this process joins the others, where there are others.
fn init_options(arguments: &Arguments) -> blitz::Result<InitOptions> {
    let device = match arguments.device.trim().to_ascii_lowercase().as_str() {
        // Each process has a GPU of its own.
        "auto" => None,
        "cuda" if device::choose("cuda")? != Device::Cpu => None,
        word => Some(device::choose(word)?),
    };
    Ok(InitOptions { device, ..InitOptions::default() })
}

/// The most memory that this process has had, in kB; `None` where the system does not say.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
