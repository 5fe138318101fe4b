//! Notebook 04 as a program: trains the tutorial's net and says how good it is.
//!
//!     cargo run -p blitz --example cifar10                      # real data where it can be had
//!     BLITZ_DATA=builtin cargo run -p blitz --example cifar10   # the built-in set

use std::time::Instant;

use blitz::prelude::*;

fn main() -> blitz::Result<()> {
    let device = device::best();
    println!("Training on {}", device::describe(device));

    let started = Instant::now();
    let cifar10 = Cifar10::load(&Cifar10Options::default())?;
    println!(
        "{} images from {:?} in {:.2?}",
        cifar10.train.len(),
        cifar10.source,
        started.elapsed()
    );
    let options = LoaderOptions { device, ..LoaderOptions::default() };
    let shuffled = LoaderOptions { shuffle: Order::Shuffled { seed: 0 }, ..options.clone() };
    let mut train_loader = DataLoader::new(&cifar10.train, shuffled)?;
    let mut test_loader = DataLoader::new(&cifar10.test, options)?;

    // Batches of 4 are too small to share: one thread is as fast on an idle machine, many times
    // faster on a busy one, and gives the same losses whatever the number of cores.
    tch::set_num_threads(1);
    tch::manual_seed(0);
    let vs = nn::VarStore::new(device);
    let net = cifar10_net(&vs.root());
    let sgd = SgdOptions { lr: 0.001, momentum: 0.9, ..SgdOptions::default() };
    let mut optimizer = Sgd::new(&vs, sgd)?;
    let options =
        FitOptions { report_every: (train_loader.len() / 6).max(1), ..FitOptions::default() };
    fit(&net, &mut optimizer, &mut train_loader, &options)?;

    let started = Instant::now();
    print!("{}", evaluate(&net, &mut test_loader, &CLASSES)?);
    println!("Evaluated in {:.2?}", started.elapsed());
    Ok(())
}
