//! What has no counterpart on the CPU.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use blitz::Error;
use blitz::nn::loss::cross_entropy;
use blitz::prelude::*;

use crate::common::steps::{OPTIONS, batches, net};
use crate::{device, formula, formula_split};

#[test]
#[ignore = "needs a CUDA device"]
fn the_gpu_is_chosen_named_and_described() {
    let device = device::choose("cuda").unwrap();
    assert_eq!(device, Device::Cuda(0));
    assert_eq!(device::best(), device);
    assert_eq!(device::choose("CUDA:0").unwrap(), device);
    assert_eq!(device::name(device), "cuda:0");
    let count = tch::Cuda::device_count();
    assert_eq!(device::describe(device), format!("GPU 0 of {count}"));
    let message = device::choose(&format!("cuda:{count}")).unwrap_err().to_string();
    assert!(message.contains(&format!("Use an index from 0 to {}", count - 1)), "{message}");
}

#[test]
#[ignore = "needs a CUDA device"]
fn memory_of_the_gpu_is_copied_but_not_lent_to_arrays() {
    let mut tensor = formula(&[2, 5], device());
    for message in [
        array::view::<f32>(&mut tensor).map(drop).unwrap_err().to_string(),
        array::view_mut::<f32>(&mut tensor).map(drop).unwrap_err().to_string(),
    ] {
        assert!(message.contains("one on cuda:0; array::copy copies it"), "{message}");
    }
    let copied = array::copy::<f32>(&tensor.tr()).unwrap();
    assert_eq!(copied.shape(), [5, 2]);
    assert_eq!(copied[[3, 1]], formula(&[2, 5], Device::Cpu).double_value(&[1, 3]) as f32);
}

#[test]
#[ignore = "needs a CUDA device"]
fn an_input_on_the_cpu_is_told_where_to_go() {
    let vs = nn::VarStore::new(device());
    let conv = conv2d(vs.root() / "conv", 3, 5, 2);
    let fc = linear(vs.root() / "fc", 7, 4);
    let images = formula(&[2, 3, 6, 9], Device::Cpu);
    for message in [
        conv.f_forward(&images).unwrap_err().to_string(),
        fc.f_forward(&formula(&[3, 7], Device::Cpu)).unwrap_err().to_string(),
    ] {
        assert!(message.contains("an input on Cuda(0), where its weight is"), "{message}");
        assert!(message.contains("Move it with input.to_device(vs.device())"), "{message}");
    }
    assert_eq!(conv.f_forward(&images.to_device(device())).unwrap().size(), [2, 5, 5, 8]);
}

#[test]
#[ignore = "needs a CUDA device"]
fn labels_left_on_the_cpu_are_an_error_and_change_nothing() {
    let (vs, net) = net(device());
    let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
    let before = vs.variables()["fc3.bias"].copy();
    let mut batch = batches(device()).remove(0);
    batch.labels = batch.labels.to_device(Device::Cpu);
    let message = train_step(&net, &mut optimizer, &batch).unwrap_err().to_string();
    assert!(message.starts_with("libtorch refused the cross-entropy"), "{message}");
    assert!(message.contains("cuda:0") && message.contains("cpu"), "{message}");
    assert_eq!(vs.variables()["fc3.bias"].detach(), before.detach());
}

#[test]
#[ignore = "needs a CUDA device"]
fn batches_of_the_cpu_for_a_net_on_the_gpu_stop_fit_with_the_remedy() {
    let (vs, net) = net(device());
    let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
    let mut loader = DataLoader::new(&formula_split(6), LoaderOptions::default()).unwrap();
    let run = || fit(&net, &mut optimizer, &mut loader, &FitOptions::default()).map(drop);
    let text = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.unwrap_err().to_string(),
        Err(panic) => panic.downcast_ref::<String>().unwrap().clone(),
    };
    assert!(text.contains("Move it with input.to_device(vs.device())"), "{text}");
}

#[test]
#[ignore = "needs a CUDA device"]
fn parameters_on_two_devices_cannot_be_one_graph() {
    let vs = nn::VarStore::new(device());
    let here = linear(vs.root() / "here", 3, 2);
    let _ = vs.root().add("there", formula(&[2], Device::Cpu), true);
    let mut optimizer = Sgd::new(&vs, OPTIONS).unwrap();
    let error = GraphedStep::new(&here, &mut optimizer).map(drop).unwrap_err();
    assert!(matches!(error, Error::Device { .. }), "{error}");
}

/// Reading waits for the GPU, and copies.
#[test]
#[ignore = "needs a CUDA device"]
fn values_are_read_as_from_the_cpu() {
    let tensor = formula(&[3, 4], device());
    let expected = formula(&[3, 4], Device::Cpu);
    assert_eq!(tensor.double_value(&[2, 1]), expected.double_value(&[2, 1]));
    let read = Vec::<f32>::try_from(tensor.tr().contiguous().view(-1)).unwrap();
    assert_eq!(read, Vec::<f32>::try_from(expected.tr().contiguous().view(-1)).unwrap());
    let loss = cross_entropy(&tensor, &Tensor::from_slice(&[3i64, 0, 1]).to_device(device()));
    assert!(f64::try_from(loss.unwrap()).unwrap().is_finite());
    assert_eq!(tensor.to_device(Device::Cpu), expected);
}

#[test]
#[ignore = "needs a CUDA device"]
fn the_width_table_has_both_columns_of_the_gpu() {
    let options = SpeedOptions {
        widths: vec![6, 9],
        gpu: Some(device()),
        time: Duration::from_millis(50),
        ..SpeedOptions::default()
    };
    let table = width_speed(&options).unwrap();
    assert_eq!(table.notes, "");
    assert_eq!(table.rows.iter().map(|row| row.parameters).collect::<Vec<_>>(), [62_006, 63_434]);
    assert!(table.rows.iter().all(|row| row.gpu.is_some() && row.gpu_graph.is_some()), "{table}");
    assert!(table.to_string().contains("the CPU, ") && table.to_string().contains("GPU 0 of"));
}
