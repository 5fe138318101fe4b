//! Notebook 04 as a program, for servers: trains the tutorial's net and says how good it is.
//!
//!     cargo run --release -p blitz --example cifar10 -- --device cuda --epochs 2 --seed 0
//!     cargo run --release -p blitz --example cifar10 -- --data builtin
//!     cargo run --release -p blitz --example cifar10 -- --widths

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use blitz::checkpoint::CheckpointOptions;
use blitz::prelude::*;
use clap::Parser;
use serde_json::json;

/// Trains the tutorial's classifier on CIFAR-10 and measures its accuracy.
#[derive(Parser)]
#[command(name = "cifar10", args_override_self = true)]
struct Arguments {
    /// auto, cpu, cuda or cuda:N
    #[arg(long, env = "BLITZ_DEVICE", default_value = "auto")]
    device: String,
    /// The directory with CIFAR-10's .bin files, or `builtin`; otherwise the cache, a download, or
    /// the built-in set
    #[arg(long, value_name = "DIR", env = "BLITZ_DATA")]
    data: Option<PathBuf>,
    /// Walks over the training images
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Seed of the parameters and of the order of the images
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Images per batch
    #[arg(long, default_value_t = 4)]
    batch_size: i64,
    /// Learning rate
    #[arg(long, default_value_t = 0.001)]
    lr: f64,
    /// Momentum
    #[arg(long, default_value_t = 0.9)]
    momentum: f64,
    /// Channels between the two convolutions
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(i64).range(1..))]
    width: i64,
    /// Threads of the CPU. At batch 4 one is the fastest, and gives the same numbers on every
    /// machine
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
    threads: i32,
    /// Train on the first N images only
    #[arg(long, value_name = "N")]
    images: Option<usize>,
    /// Keep checkpoints here, one after each epoch; the training goes on from the newest one
    #[arg(long, value_name = "DIR")]
    checkpoints: Option<PathBuf>,
    /// Save the trained net: .safetensors, .ot, or .pth for PyTorch
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// On a GPU, do each step kernel by kernel instead of repeating a CUDA graph
    #[arg(long)]
    one_by_one: bool,
    /// Print the result as JSON, on the last line
    #[arg(long)]
    json: bool,
    /// Do not measure the accuracy
    #[arg(long)]
    no_test: bool,
    /// Instead of training, write the data set to DIR as CIFAR-10's binary files
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// Instead of training, measure nets of several widths: steps per second, CPU beside GPU
    #[arg(long)]
    widths: bool,
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
    let device = device::choose(&arguments.device)?;
    tch::set_num_threads(arguments.threads);
    println!("Training on {}", device::describe(device));
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
    println!("{} images from {:?}", train_split.len(), cifar10.source);

    let shuffle = Order::Shuffled { seed: arguments.seed.into() };
    let batch_size = arguments.batch_size;
    let options = LoaderOptions { batch_size, shuffle, device, ..Default::default() };
    let mut train_loader = DataLoader::new(&train_split, options)?;
    let options = LoaderOptions { batch_size: 100, device, ..Default::default() };
    let mut test_loader = DataLoader::new(&cifar10.test, options)?;

    tch::manual_seed(arguments.seed.into());
    let vs = nn::VarStore::new(device);
    let net = cifar10_net_with(&vs.root(), CifarNetOptions { width: arguments.width });
    let (lr, momentum) = (arguments.lr, arguments.momentum);
    let mut optimizer = Sgd::new(&vs, SgdOptions { lr, momentum, ..Default::default() })?;
    let report = train(arguments, &vs, &net, &mut optimizer, &mut train_loader)?;

    let evaluation = match arguments.no_test {
        true => None,
        false => Some(evaluate(&net, &mut test_loader, &CLASSES)?),
    };
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
    net: &CifarNet,
    optimizer: &mut Sgd,
    train_loader: &mut DataLoader,
) -> blitz::Result<FitReport> {
    let checkpoint = arguments.checkpoints.as_ref().map(|dir| CheckpointOptions::new(dir, vs));
    let is_begun = match &arguments.checkpoints {
        Some(dir) => checkpoint::newest(dir)?.is_some(),
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

/// The most memory that this process has had, in kB; `None` where the system does not say.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
