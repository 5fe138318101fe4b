//! A program that shows what a notebook would, run as a program.

use std::path::Path;
use std::process::Command;

use blitz::picture::Picture;
use blitz::prelude::*;
use blitz::program::{self, ProgramOptions};

/// In the process that is the program: the directory for its pictures.
const PICTURES: &str = "BLITZ_TEST_PICTURES";

#[test]
#[ignore = "a process of its own that the test below starts"]
fn the_program() {
    let pictures = std::env::var_os(PICTURES).unwrap();
    let hello = |group: &ProcessGroup| {
        println!("rank {}", group.rank());
        Ok::<_, blitz::Error>(())
    };
    let error = distributed::launch(1, hello).unwrap_err().to_string();
    assert!(error.contains("call `blitz::program::begin` first in `main`"), "{error}");

    let options = ProgramOptions { name: "page".to_owned(), pictures: pictures.into() };
    program::begin(options.clone()).unwrap();
    let error = program::begin(options).unwrap_err().to_string();
    assert!(error.contains("got a second call"), "{error}");

    println!("begin");
    let x = Tensor::from_slice(&[1f32, 2.0]);
    blitz::show!(x);
    blitz::show!(&x + 1.0);
    blitz::show!(x.size());
    blitz::show!(println!("a unit is not shown"));
    blitz::show!(Picture::from_rgb(1, 1, &[0; 3], "One dot.".to_owned()).unwrap());
    program::fails(|| {
        let _ = x.matmul(&Tensor::ones([3], (Kind::Float, Device::Cpu)));
        Ok(())
    });
    program::fails(|| {
        "x".parse::<i32>()?;
        Ok(())
    });
    println!("end");
}

#[test]
fn a_program_prints_what_cells_show_and_saves_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = dir.path().join("pictures");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["program::the_program", "--exact", "--ignored", "--nocapture"])
        .env(PICTURES, &pictures);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let (_, text) = text.split_once("begin\n").unwrap();
    let (text, _) = text.split_once("end\n").unwrap();
    let path = pictures.join("page-01.png");
    let lines = [
        "tensor([1., 2.])".to_owned(),
        "tensor([2., 3.])".to_owned(),
        "[2]".to_owned(),
        "a unit is not shown".to_owned(),
        "One dot.".to_owned(),
        format!("saved as {}", path.display()),
    ];
    let (shown, failed) = text.split_once("panic: ").unwrap();
    assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
    assert!(failed.ends_with("\nerror: invalid digit found in string\n"), "{failed}");
    assert!(is_png(&path));
}

fn is_png(path: &Path) -> bool {
    std::fs::read(path).unwrap().starts_with(b"\x89PNG")
}
