//! A net on several devices of one process: `torch.nn.DataParallel`.

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use tch::nn::{ModuleT, Path, VarStore};
use tch::{Device, Tensor};

use super::replica::{Replica, without_drawing};
use super::thread_state::ThreadState;
use crate::device;
use crate::error::{Error, Result, caught_panic, torch_text};

/// A net that goes forward on several devices at once. Each forward pass cuts the batch along its
/// first dimension into one part a device, copies the parameters to the other devices, runs the
/// parts in threads, and joins the outputs on the first device. The backward pass leads through
/// the copies to the parameters themselves, so that gradients and optimizers are those of one net.
///
/// A device may be named more than once, as `[Device::Cpu, Device::Cpu]`, which shows the parts.
/// For speed, PyTorch advises [`DistributedDataParallel`](super::DistributedDataParallel): there,
/// parameters are not copied in each step.
///
/// As in PyTorch: a batch with fewer rows than devices uses fewer of them; buffers, such as running
/// means, keep what the first device's part made of them; dropout draws in the order in which the
/// threads happen to run.
///
/// ```
/// use blitz::prelude::*;
/// use blitz::tch::nn::ModuleT;
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let devices = [Device::Cpu, Device::Cpu];
/// let model = DataParallel::new(&vs, &devices, |path| linear(path / "fc", 5, 2))?;
/// let input = Tensor::rand([30, 5], (Kind::Float, Device::Cpu));
/// assert_eq!(model.forward_t(&input, true).size(), [30, 2]); // twice [15, 2]
/// # Ok::<(), blitz::Error>(())
/// ```
pub struct DataParallel<M> {
    net: M,
    devices: Vec<Device>,
    /// Those on all devices but the first.
    replicas: Vec<Mutex<Replica<M>>>,
}

impl<M> DataParallel<M> {
    /// Calls `make` once for each of `devices`: first with `vs`, whose parameters are those of the
    /// whole, then with a store of its own for each further device. What is drawn at random
    /// afterwards is as with one net.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] without devices, for a store that is not empty or not on the first device,
    /// and where `make` makes other variables the next time; [`Error::Device`] for a GPU that is
    /// not there.
    pub fn new(
        vs: &VarStore,
        devices: &[Device],
        make: impl Fn(&Path) -> M,
    ) -> Result<DataParallel<M>> {
        let (&first, further) = devices
            .split_first()
            .ok_or_else(|| Error::option("devices", "at least one device", "none"))?;
        for device in devices.iter().filter(|device| device.is_cuda()) {
            device::choose(&device::name(*device))?;
        }
        if vs.device() != first {
            let expected = format!("a VarStore on the first device, {}", device::name(first));
            return Err(Error::option("vs", expected, device::name(vs.device())));
        }
        if !vs.variables().is_empty() {
            let expected = "an empty VarStore, which `make` fills";
            return Err(Error::option("vs", expected, format!("{} variables", vs.len())));
        }
        let net = make(&vs.root());
        let replicas = without_drawing(devices, || {
            further.iter().map(|device| Replica::new(vs, *device, &make).map(Mutex::new)).collect()
        })?;
        Ok(DataParallel { net, devices: devices.to_vec(), replicas })
    }

    /// The net itself, on the first device: `model.module`.
    pub fn net(&self) -> &M {
        &self.net
    }

    /// The devices, as they were given: `model.device_ids`.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The parts of a batch, each on its device: at most one a device, at least one.
    fn scatter(&self, xs: &Tensor) -> Vec<Tensor> {
        let is_empty = xs.size().first() == Some(&0);
        if self.replicas.is_empty() || is_empty {
            return vec![xs.to_device(self.devices[0])];
        }
        let parts = xs.chunk(self.devices.len() as i64, 0);
        parts.iter().zip(&self.devices).map(|(part, device)| part.to_device(*device)).collect()
    }

    /// The outputs in one, on the first device.
    fn gather(&self, outputs: &[Tensor]) -> Tensor {
        let outputs: Vec<Tensor> = outputs
            .iter()
            .map(|output| output.to_device(self.devices[0]))
            // Scalars, such as losses, become a vector.
            .map(|output| if output.dim() == 0 { output.unsqueeze(0) } else { output })
            .collect();
        Tensor::cat(&outputs, 0)
    }
}

impl<M: ModuleT> ModuleT for DataParallel<M> {
    /// `xs` of `[N, …]` on any device gives the net's output of `[N, …]` on the first one.
    ///
    /// # Panics
    ///
    /// Where the net does. A replica that is not the first is named, with its device.
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let mut parts = self.scatter(xs).into_iter();
        let first = parts.next().expect("there is at least one part");
        let mut replicas: Vec<MutexGuard<Replica<M>>> = self.replicas[..parts.len()]
            .iter()
            // A panic in a forward pass leaves the net as it was.
            .map(|replica| replica.lock().unwrap_or_else(PoisonError::into_inner))
            .collect();
        if replicas.is_empty() {
            return self.net.forward_t(&first, train);
        }
        replicas.iter_mut().for_each(|replica| replica.refresh());
        let results = thread::scope(|scope| {
            let threads: Vec<_> = replicas
                .iter_mut()
                .zip(parts)
                .enumerate()
                .map(|(index, (replica, part))| {
                    let replica = &mut **replica;
                    let state = ThreadState::of_caller(replica.device);
                    let work = move || {
                        state.and_then(|state| state.enter()).unwrap_or_else(|e| panic!("{e}"));
                        replica.net.forward_t(&part, train)
                    };
                    let builder = thread::Builder::new().name(format!("replica {}", index + 1));
                    // The panic of a replica is told once, by `pass_on`.
                    builder.spawn_scoped(scope, || caught_panic::quietly(work))
                })
                .collect();
            // The first part runs here. If it panics, the scope waits for the others.
            let mut results = vec![Ok(self.net.forward_t(&first, train))];
            results.extend(threads.into_iter().map(|thread| match thread {
                Ok(thread) => thread.join().flatten(),
                Err(error) => Err(Box::new(error.to_string()) as Box<dyn Any + Send>),
            }));
            results
        });
        let outputs = results.into_iter().enumerate().map(|(index, result)| {
            result.unwrap_or_else(|payload| pass_on(payload, index, &self.devices))
        });
        self.gather(&outputs.collect::<Vec<_>>())
    }
}

/// Panics on the caller's thread with what a replica said.
fn pass_on(payload: Box<dyn Any + Send>, index: usize, devices: &[Device]) -> ! {
    let text = torch_text::of_panic(&*payload).unwrap_or("no reason given");
    if text == "interrupted" {
        resume_unwind(payload); // The person stopped the cell.
    }
    let (count, device) = (devices.len(), device::name(devices[index]));
    let reason = torch_text::first_line(text);
    panic!("replica {index} of DataParallel (of 0 to {}, on {device}): {reason}", count - 1)
}

impl<M: fmt::Debug> fmt::Debug for DataParallel<M> {
    /// As Python prints it, by [`describe`](crate::nn::describe): the one net that it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataParallel").field("module", &self.net).finish()
    }
}
