use super::*;
use std::path::Path;

fn python() -> Python {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crates");
    Python::new(crates.join("blitz/src/python_to_rust.md"))
}

#[track_caller]
fn told(number: &str, message: &str, rest: &str, expected: Option<(&str, &str)>) {
    let row = python().row(message, number, rest);
    let row = row.as_ref().map(|(python, rust)| (python.as_str(), rust.as_str()));
    assert_eq!(row, expected, "{message}");
}

#[test]
fn attributes_and_methods_of_tensors_are_told_with_rusts() {
    let field = |name: &str| format!("no field `{name}` on type `blitz::prelude::Tensor`");
    told("E0609", &field("shape"), "shape", Some(("x.shape", "x.size()")));
    told("E0609", &field("dtype"), "dtype", Some(("x.dtype", "x.kind()")));
    told("E0609", &field("T"), "T", Some(("x.T", "x.tr()")));
    let method = |name: &str| format!("no method named `{name}` found for struct `Tensor`");
    told(
        "E0599",
        &method("tolist"),
        "tolist()",
        Some(("a.tolist()", "Vec::<f64>::try_from(&a).unwrap()")),
    );
    told("E0599", &method("item"), "item()", Some(("x.item()", "f64::try_from(&x)?")));
    told(
        "E0599",
        &method("cuda"),
        "cuda()",
        Some(("x.cuda()", "x.to_device(Device::cuda_if_available())")),
    );
    told("E0599", &method("append"), "append(4)", Some(("a.append(3)", "a.push(3)")));
    told("E0599", &method("nowhere"), "nowhere()", None);
    let index = "cannot index into a value of type `blitz::prelude::Tensor`";
    told("E0608", index, "[0]", Some(("x[0]", "x.i(0)")));
    told("E0608", "cannot index into a value of type `Net`", "[0]", None);
}

#[test]
fn functions_types_and_modules_are_told_with_rusts() {
    let function = |name: &str| format!("cannot find function `{name}` in this scope");
    told("E0425", &function("range"), "range(3) {", Some(("range(3)", "0..3")));
    told("E0425", &function("len"), "len(x)", Some(("len(a)", "a.len()")));
    // Names of the notebook's may stand in the table.
    for name in ["mine", "net", "conv1", "ap"] {
        told("E0425", &function(name), &format!("{name}(x)"), None);
    }
    told(
        "E0423",
        "expected function, found macro `print`",
        "print(x)",
        Some(("print(x)", "println!(\"{x}\")")),
    );
    told(
        "E0423",
        "expected function, found builtin type `str`",
        "str(3)",
        Some(("str(n)", "n.to_string()")),
    );
    told("E0425", "cannot find type `int` in this scope", "int = 3", Some(("int", "i64")));
    told("E0412", "cannot find type `float` in this scope", "float", Some(("float", "f64")));
    told("E0425", "cannot find value `pass` in this scope", "pass", Some(("pass", "{}")));
    let torch = "cannot find value `torch` in this scope";
    let rand = Some(("torch.rand(5, 3)", "Tensor::rand([5, 3], float_cpu)"));
    told("E0425", torch, "torch.rand(3)", rand);
    told("E0433", "cannot find module or crate `torch` in this scope", "torch::rand(3)", rand);
    told("E0425", torch, "torch.nowhere(3)", None);
    let layer = Some(("layer = nn.Linear(4, 2)", "let layer = linear(root / \"fc1\", 4, 2);"));
    told("E0423", "expected value, found module `nn`", "nn.Linear(3, 4)", layer);
    // Of a variable that is not there, something else is to be said.
    told("E0425", "cannot find value `loss` in this scope", "loss.backward()", None);
    told("E0425", "cannot find value `x` in this scope", "x.shape", None);
    told("E0425", &function("max"), "max(1, 2)", Some(("max(n, m)", "n.max(m)")));
}

#[test]
fn calls_and_powers_are_told_with_rusts() {
    let called = "this method takes 1 argument but 2 arguments were supplied";
    told("E0061", called, "view(-1, 4)", Some(("x.view(-1, 8)", "x.view((-1, 8))")));
    told("E0061", "this method takes 1", "sum()", Some(("x.sum()", "x.sum(Kind::Float)")));
    told(
        "E0618",
        "expected function, found `CifarNet`",
        "net(x)",
        Some(("net(input)", "net.forward(&input)")),
    );
    for other in ["{integer}", "i64", "Vec<i64>", "blitz::prelude::Tensor", "String"] {
        told("E0618", &format!("expected function, found `{other}`"), "x(1)", None);
    }
    let power = "type `{integer}` cannot be dereferenced";
    told("E0614", power, "*3", Some(("a ** 2", "a.pow_tensor_scalar(2)")));
    told("E0614", power, "x", None);
}

#[test]
fn arguments_are_counted() {
    assert_eq!(["f()", "f(a)", "f((a, b), [c, d])", "f", "f( )"].map(arguments), [0, 1, 2, 0, 0]);
}

#[test]
fn what_is_told_of_the_language_is_not_in_the_table() {
    let python = python();
    assert!(python.rows().len() > 150, "the table is read");
    for (name, _) in EXAMPLES {
        let rows = python.rows().iter().filter(|row| row.0 == name).count();
        assert_eq!(rows, 1, "{name}");
    }
}
