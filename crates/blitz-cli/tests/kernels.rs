//! `cargo blitz run` with real kernels: a cell that fails makes the run fail, with that cell named;
//! kernels start warm and do not disturb each other. These tests need `cargo blitz setup`.

mod common;

use common::{blitz, printed, repository, write_notebook};
use std::process::Stdio;

/// Executes a notebook whose second of three cells is `broken`, and returns what was printed after
/// checking that the run failed and named that cell and no other.
fn run_broken(broken: &str) -> String {
    run_broken_on("rust", broken)
}

fn run_broken_on(kernel: &str, broken: &str) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let cells = ["let x = tch::Tensor::ones([2, 3], tch::kind::FLOAT_CPU);", broken, "let y = 1;"];
    let notebook = write_notebook(dir.path(), "broken.ipynb", &cells);
    let site = dir.path().join("site");
    let mut command = blitz();
    command.args(["run", "--kernel", kernel]).arg(&notebook).arg("--site").arg(&site);
    let output = command.output().expect("the binary runs");
    let printed = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("broken.ipynb, cell 2 (second)"), "{printed}");
    assert!(!printed.contains("(first)") && !printed.contains("(third)"), "{printed}");
    let copy = std::fs::read_to_string(site.join("broken.ipynb"));
    assert!(copy.expect("the executed copy is kept").contains("\"execution_count\": null"));
    printed
}

#[test]
fn a_panic_fails_the_run() {
    let printed = run_broken("let v: Vec<i32> = vec![1]; v[7]");
    assert!(printed.contains("panic: index out of bounds: the len is 1"), "{printed}");
}

#[test]
fn a_panic_behind_text_without_a_line_break_fails_the_run_too() {
    let printed = run_broken("print!(\"working... \"); panic!(\"no more\");");
    assert!(printed.contains("panic: no more"), "{printed}");
}

#[test]
fn an_error_through_the_question_mark_fails_the_run() {
    let printed = run_broken("let n: i32 = \"seven\".parse::<i32>()?;");
    let expected = "ParseIntError: invalid digit found in string";
    assert!(printed.contains(expected), "{printed}");
}

#[test]
fn a_compile_error_fails_the_run() {
    let printed = run_broken("let n: i32 = \"seven\";");
    assert!(
        printed.contains("compile error: ") && printed.contains("mismatched types"),
        "{printed}"
    );
    // What the compiler points at, without colours.
    assert!(printed.contains("= \"seven\";") && !printed.contains('\u{1b}'), "{printed}");
}

#[test]
fn a_shape_mismatch_fails_the_run_with_the_shapes_and_without_frames() {
    let printed = run_broken("let z = x.matmul(&x);");
    assert!(printed.contains("shapes cannot be multiplied (2x3 and 2x3)"), "{printed}");
    assert!(!printed.contains("frame #"), "{printed}");
}

#[test]
fn a_panic_on_the_stock_kernel_fails_the_run_though_that_kernel_says_ok() {
    let printed = run_broken_on("rust-stock", "let v: Vec<i32> = vec![1]; v[7]");
    assert!(printed.contains("index out of bounds: the len is 1"), "{printed}");
}

#[test]
fn ending_the_process_fails_the_run() {
    let printed = run_broken("println!(\"so long\"); std::process::exit(0);");
    assert!(printed.contains("crash: "), "{printed}");
}

#[test]
fn a_cell_that_takes_too_long_fails_the_run() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    // Alone, so that on no machine another cell could take that long.
    let cells = ["loop { std::hint::black_box(()); }"];
    let notebook = write_notebook(dir.path(), "endless.ipynb", &cells);
    let site = dir.path().join("site");
    let mut command = blitz();
    command.args(["run", "--timeout", "5", "--site"]).arg(site).arg(&notebook);
    let output = command.output().expect("the binary runs");
    let printed = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("cell 1 (first)") && printed.contains("within 5 s"), "{printed}");
}

#[test]
fn two_kernels_at_once_do_not_disturb_each_other() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let run = |name: &str, number: u32| {
        let first = format!("fn which() -> u32 {{ {number} }}\nlet mine = which();");
        let cells =
            [first.as_str(), "let twice = 2 * mine;", "println!(\"{mine} {twice} {}\", which());"];
        let notebook = write_notebook(dir.path(), name, &cells);
        let mut command = blitz();
        command.arg("run").arg(&notebook).arg("--site").arg(dir.path().join("site"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary runs")
    };
    let runs =
        [("one.ipynb", 1111, run("one.ipynb", 1111)), ("two.ipynb", 2222, run("two.ipynb", 2222))];
    for (name, number, child) in runs {
        let output = child.wait_with_output().expect("the run ends");
        assert!(output.status.success(), "{}", printed(&output));
        let copy = std::fs::read_to_string(dir.path().join("site").join(name));
        let expected = format!("{number} {} {number}\\n", 2 * number);
        assert!(copy.expect("an executed copy").contains(&expected), "{name}: expected {expected}");
    }
}

#[test]
fn as_many_notebooks_as_asked_for_run_at_once_and_each_is_judged() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| dir.path().join(name);
    // Each waits for the other: one after the other they would never end.
    let meet = |mine: &str, other: &str| {
        format!(
            "std::fs::write({:?}, \"\")?;\nlet start = std::time::Instant::now();\n\
             while !std::path::Path::new({:?}).exists() {{\n\
             assert!(start.elapsed().as_secs() < 300, \"the other notebook does not run\");\n\
             std::thread::sleep(std::time::Duration::from_millis(50));\n}}",
            path(mine),
            path(other)
        )
    };
    let notebooks = [
        write_notebook(dir.path(), "one.ipynb", &[&meet("a", "b")]),
        write_notebook(dir.path(), "two.ipynb", &["panic!(\"no more\")"]),
        write_notebook(dir.path(), "three.ipynb", &[&meet("b", "a")]),
    ];
    let mut command = blitz();
    command.args(["run", "--jobs", "2"]).args(&notebooks).arg("--site").arg(path("site"));
    let output = command.output().expect("the binary runs");
    let printed = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("1 of 3 notebooks failed"), "{printed}");
    assert!(printed.contains("two.ipynb, cell 1 (first)"), "{printed}");
    for (name, is_whole) in [("one", true), ("two", false), ("three", true)] {
        assert!(path("site").join(format!("{name}.ipynb")).exists(), "{name}: {printed}");
        assert_eq!(path("site").join(format!("{name}.html")).exists(), is_whole, "{name}");
    }
}

#[test]
fn a_kernel_starts_warm_in_an_environment_unlike_that_of_set_up() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let notebook = write_notebook(
        dir.path(),
        "warm.ipynb",
        &["tch::Tensor::ones([2], tch::kind::FLOAT_CPU).size()"],
    );
    let mut command = blitz();
    command.arg("run").arg(&notebook).arg("--site").arg(dir.path().join("site"));
    // As from a desktop's menu: next to nothing is set, and some things otherwise.
    let kept = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME"];
    let kept = kept.map(|name| (name, std::env::var_os(name)));
    command.env_clear().env("CC", "gcc").env("CARGO_PKG_NAME", "another").env("LIBTORCH", "/none");
    command.envs(kept.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().expect("the binary runs");
    assert!(output.status.success(), "{}", printed(&output));
    // evcxr tells which crates it compiles.
    let log = std::fs::read_to_string(repository().logs_dir().join("execute-warm.log"));
    let log = log.expect("the kernel's log");
    assert!(!log.contains("Compiling"), "{log}");
}

#[test]
fn a_sound_notebook_passes_and_its_page_needs_no_network() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let to_gpu = "match tch::Tensor::ones([1], tch::kind::FLOAT_CPU).f_to(tch::Device::Cuda(0)) {
        Ok(_) => println!(\"a GPU answers\"),
        Err(error) => println!(\"{}\", error.to_string().lines().next().unwrap_or_default()),
    };";
    let cells = ["println!(\"out\"); eprintln!(\"err\");", to_gpu, "1 + 1"];
    let notebook = write_notebook(dir.path(), "sound.ipynb", &cells);
    let site = dir.path().join("site");
    let output = blitz().arg("run").arg(&notebook).arg("--site").arg(&site).output();
    let output = output.expect("the binary runs");
    assert!(output.status.success(), "{}", printed(&output));
    let copy = std::fs::read_to_string(site.join("sound.ipynb")).expect("an executed copy");
    assert!(copy.contains("out\\n") && copy.contains("err\\n") && copy.contains("\"2\""), "{copy}");
    assert!(copy.contains("\"pygments_lexer\": \"rust\""), "{copy}");
    // Had libtorch_cuda not been loaded first, libtorch would say that the library is missing.
    let cuda = repository().libtorch_lib().join("libtorch_cuda.so");
    let answered = copy.contains("a GPU answers") || copy.contains("Found no NVIDIA driver");
    assert!(answered || !cuda.exists(), "CUDA is not loaded: {copy}");
    let page = std::fs::read_to_string(site.join("sound.html")).expect("a page");
    assert!(!page.contains("<script src=") && !page.contains("cdnjs"), "the page loads scripts");
    let highlighted = r#"<span class="fm">println!</span>"#;
    assert!(page.contains("hl-rust") && page.contains(highlighted), "the Rust is not highlighted");
}
