//! The tutorial's exercise "Try increasing the width of your network, see what kind of speedup you
//! get": steps per second on the CPU and on a GPU, for nets of several widths.

use std::fmt;
use std::time::{Duration, Instant};

use tch::{Device, Kind, Tensor};

use crate::data::loader::Batch;
use crate::device;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};
use crate::nn::{CifarNetOptions, VarStore, cifar10_net_with, count_parameters};
use crate::optim::{Sgd, SgdOptions};
use crate::train::step::{GraphedStep, keep_freed_memory};

/// What [`width_speed`] measures.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeedOptions {
    /// Widths of the net (see [`CifarNetOptions`]), each from 1 to 100,000; 6, 32 and 128.
    pub widths: Vec<i64>,
    /// Images per batch, from 1 to 100,000; 4.
    pub batch_size: i64,
    /// The GPU; by default the one of [`device::requested`], where there is one.
    pub gpu: Option<Device>,
    /// Least time of each measurement; 1 second.
    pub time: Duration,
}

impl Default for SpeedOptions {
    fn default() -> SpeedOptions {
        let requested = device::requested(None).ok().filter(|device| *device != Device::Cpu);
        SpeedOptions {
            widths: vec![6, 32, 128],
            batch_size: 4,
            gpu: requested,
            time: Duration::from_secs(1),
        }
    }
}

/// The speeds at one width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeedRow {
    /// Channels between the two convolutions.
    pub width: i64,
    /// Numbers that the net learns.
    pub parameters: usize,
    /// Training steps per second on the CPU.
    pub cpu: f64,
    /// The same on the GPU, each step launched kernel by kernel; `None` where there is no GPU.
    pub gpu: Option<f64>,
    /// The same with the step recorded as a CUDA graph; `None` where there is no GPU or no graph.
    pub gpu_graph: Option<f64>,
}

/// The table. It prints itself.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeedTable {
    /// One per width, in the order given.
    pub rows: Vec<SpeedRow>,
    /// Images per batch.
    pub batch_size: i64,
    /// The devices in words.
    pub devices: String,
    /// What is missing and why, as sentences; empty where nothing is.
    pub notes: String,
}

/// Trains [`CifarNet`](crate::nn::CifarNet)s of several widths for a moment each and counts the
/// steps. The images are made up, the nets are thrown away; libtorch's random generator moves on.
///
/// With the default options this takes about 4 seconds on a CPU. The steps are as fast as those of
/// [`fit`](crate::train::fit::fit): the process keeps memory that is freed, from here on (see
/// [`keep_freed_memory`]).
///
/// ```no_run
/// use blitz::prelude::*;
///
/// println!("{}", width_speed(&SpeedOptions::default())?);
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Option`] for a width or batch size below 1 and for no width at all,
/// [`Error::Interrupted`] where the person asked to stop, [`Error::Torch`] where a device has too
/// little memory.
pub fn width_speed(options: &SpeedOptions) -> Result<SpeedTable> {
    check(options)?;
    keep_freed_memory();
    let mut notes = String::new();
    let gpu = options.gpu.filter(|device| device.is_cuda());
    if gpu.is_none() {
        notes = format!("No GPU was measured: {}", no_gpu_reason(options.gpu));
    }
    let mut rows = vec![];
    for &width in &options.widths {
        let (cpu, parameters) = measure(width, Device::Cpu, Mode::Plain, options)?;
        let mut row = SpeedRow { width, parameters, cpu, gpu: None, gpu_graph: None };
        if let Some(gpu) = gpu {
            row.gpu = Some(measure(width, gpu, Mode::Plain, options)?.0);
            match measure(width, gpu, Mode::Graph, options) {
                Ok((speed, _)) => row.gpu_graph = Some(speed),
                Err(error @ Error::Device { .. }) => notes = error.to_string(),
                Err(error) => return Err(error),
            }
        }
        rows.push(row);
    }
    let devices = [Some(Device::Cpu), gpu].into_iter().flatten().map(device::describe);
    let devices = devices.collect::<Vec<_>>().join(" and ");
    Ok(SpeedTable { rows, batch_size: options.batch_size, devices, notes })
}

impl fmt::Display for SpeedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Training steps per second, batches of {}, {}", self.batch_size, self.devices)?;
        let [cpu, gpu, graph, ratio] = ["CPU", "GPU", "GPU, CUDA graph", "GPU / CPU"];
        writeln!(f, "{:>6}{:>12}{cpu:>9}{gpu:>9}{graph:>17}{ratio:>11}", "width", "parameters")?;
        for row in &self.rows {
            let speed = |speed: Option<f64>| speed.map_or("none".to_owned(), |s| format!("{s:.0}"));
            let best = row.gpu_graph.or(row.gpu);
            let ratio = best.map_or("none".to_owned(), |gpu| format!("{:.1}", gpu / row.cpu));
            let (cpu, gpu, graph) = (speed(Some(row.cpu)), speed(row.gpu), speed(row.gpu_graph));
            let (width, parameters) = (row.width, row.parameters);
            writeln!(f, "{width:>6}{parameters:>12}{cpu:>9}{gpu:>9}{graph:>17}{ratio:>11}")?;
        }
        f.write_str(&self.notes)
    }
}

#[derive(Clone, Copy)]
enum Mode {
    Plain,
    Graph,
}

/// Steps per second, and the net's parameters.
fn measure(width: i64, device: Device, mode: Mode, options: &SpeedOptions) -> Result<(f64, usize)> {
    /// A GPU chooses its kernels and records its graph meanwhile.
    const UNCOUNTED: usize = 10;
    let vs = VarStore::new(device);
    let net = cifar10_net_with(&vs.root(), CifarNetOptions { width, ..Default::default() });
    let sgd = SgdOptions { lr: 0.001, momentum: 0.9, ..SgdOptions::default() };
    let mut optimizer = Sgd::new(&vs, sgd)?;
    let mut step = match mode {
        Mode::Plain => GraphedStep::plain(&net, &mut optimizer),
        Mode::Graph => GraphedStep::new(&net, &mut optimizer)?,
    };
    let batch = made_up_batch(options.batch_size, device)?;
    let watch = Watch::new();
    let mut run = |least: usize, time: Duration| -> Result<f64> {
        let started = Instant::now();
        let mut steps = 0;
        loop {
            watch.check_during("width_speed", || "nothing was kept".to_owned())?;
            let loss = step.step(&batch)?;
            steps += 1;
            // Reading the clock is cheap; reading a loss waits until the GPU has caught up.
            if steps >= least && started.elapsed() >= time {
                f64::try_from(&loss).map_err(Error::torch("reading the loss"))?;
                return Ok(steps as f64 / started.elapsed().as_secs_f64());
            }
        }
    };
    run(UNCOUNTED, Duration::ZERO)?;
    Ok((run(1, options.time)?, count_parameters(&vs)))
}

fn made_up_batch(size: i64, device: Device) -> Result<Batch> {
    let made = || -> std::result::Result<Batch, tch::TchError> {
        let pixels = Tensor::f_linspace(-1, 1, size * 3 * 32 * 32, (Kind::Float, device))?;
        let labels = Tensor::f_arange(size, (Kind::Int64, device))?.f_remainder(10)?;
        Ok(Batch { images: pixels.f_view([size, 3, 32, 32])?, labels })
    };
    made().map_err(Error::torch("making a batch"))
}

fn no_gpu_reason(asked: Option<Device>) -> String {
    match (asked, device::choose("cuda")) {
        (Some(other), _) => format!("{} is none with CUDA.", device::name(other)),
        (None, Err(error)) => error.to_string(),
        (None, Ok(_)) => "the CPU was asked for.".to_owned(),
    }
}

fn check(options: &SpeedOptions) -> Result<()> {
    let possible = 1..=100_000;
    if options.widths.is_empty() || options.widths.iter().any(|width| !possible.contains(width)) {
        let expected = "some numbers from 1 to 100,000";
        return Err(Error::option("widths", expected, format!("{:?}", options.widths)));
    }
    if !possible.contains(&options.batch_size) {
        return Err(Error::option("batch_size", "from 1 to 100,000", options.batch_size));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(widths: &[i64]) -> SpeedOptions {
        let time = Duration::from_millis(20);
        SpeedOptions { widths: widths.to_vec(), time, ..SpeedOptions::default() }
    }

    #[test]
    fn each_width_has_a_row_and_a_missing_gpu_its_reason() {
        let table = width_speed(&SpeedOptions { gpu: None, ..options(&[6, 9]) }).unwrap();
        let parameters: Vec<_> = table.rows.iter().map(|row| row.parameters).collect();
        assert_eq!(parameters, [62_006, 63_434]);
        assert!(table.rows.iter().all(|row| row.cpu > 0.0 && row.gpu.is_none()));
        let text = table.to_string();
        assert!(text.contains("No GPU was measured: "), "{text}");
        assert_eq!(text.lines().count(), 5, "{text}");
    }

    #[test]
    fn a_table_with_a_gpu_shows_the_ratio_of_its_best() {
        let row = SpeedRow {
            width: 6,
            parameters: 62_006,
            cpu: 2_000.0,
            gpu: Some(1_000.0),
            gpu_graph: Some(9_000.0),
        };
        let devices = "the CPU and GPU 0 of 1".to_owned();
        let table = SpeedTable { rows: vec![row], batch_size: 4, devices, notes: String::new() };
        let text = table.to_string();
        assert!(text.contains("     6       62006     2000     1000             9000        4.5"));
    }

    #[test]
    fn options_that_make_no_sense_are_named() {
        let message = |options| width_speed(&options).unwrap_err().to_string();
        assert!(message(options(&[])).contains("option widths"));
        assert!(message(options(&[6, 0])).contains("got [6, 0]"));
        assert!(message(SpeedOptions { batch_size: 0, ..options(&[6]) }).contains("batch_size"));
    }
}
