//! Plain programs that ask about CUDA before they call anything of this crate: linking it is enough
//! for libtorch's CUDA half to be there. libtorch keeps its first answer, so each question has a
//! process of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

// All that these programs have of the crate.
use blitz as _;

use std::process::Command;

use tch::{Cuda, Device, Kind, Tensor};

/// Runs the test `name` in a new process, which fails where it does.
fn in_a_process(name: &str) {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", name, "--ignored", "--nocapture", "--test-threads=1"];
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// Whether the libtorch that this was compiled with has a CUDA half.
fn has_cuda_half() -> bool {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().any(|line| {
        let path = line.split_whitespace().last().unwrap();
        path.strip_suffix("libtorch_cpu.so").is_some_and(|directory| {
            std::fs::exists(format!("{directory}libtorch_cuda.so")).unwrap()
        })
    })
}

/// What a tensor on the first GPU says: nothing where there is one.
fn tensor_on_the_gpu() -> String {
    match Tensor::f_zeros([2], (Kind::Float, Device::Cuda(0))) {
        Ok(tensor) => {
            assert_eq!(tensor.device(), Device::Cuda(0));
            String::new()
        }
        Err(error) => error.to_string(),
    }
}

/// libtorch's CUDA half has spoken ("Found no NVIDIA driver", where there is no GPU), or there is
/// none.
fn assert_cuda_half_spoke(message: &str) {
    // What libtorch's CPU half says in its place.
    let is_missing = ["ATen_cuda", "Could not run"].iter().any(|words| message.contains(words));
    assert_eq!(is_missing, !has_cuda_half(), "{message}");
    assert_eq!(message.is_empty(), Cuda::is_available(), "{message}");
}

#[test]
#[ignore = "started by the test below, in a process of its own"]
fn asks_first() {
    let before = Cuda::is_available();
    assert_eq!(before, Device::cuda_if_available().is_cuda());
    assert_cuda_half_spoke(&tensor_on_the_gpu());
}

#[test]
#[ignore = "started by the test below, in a process of its own"]
fn makes_a_tensor_first() {
    assert_cuda_half_spoke(&tensor_on_the_gpu());
}

#[test]
#[ignore = "started by the test below, in a process of its own"]
fn seeds_first() {
    // Seeds the generators of all GPUs too, so it asks for them.
    tch::manual_seed(0);
    assert_cuda_half_spoke(&tensor_on_the_gpu());
}

#[test]
fn the_first_question_about_cuda_is_answered_by_its_library() {
    for name in ["asks_first", "makes_a_tensor_first", "seeds_first"] {
        in_a_process(name);
    }
}
