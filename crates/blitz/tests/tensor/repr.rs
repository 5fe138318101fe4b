//! The printed form of tensors, compared with PyTorch's word by word.

use crate::common::{integers, reference};
use blitz::prelude::*;
use blitz::tensor::repr::{ReprOptions, repr_with};
use serde_json::Value;
use tch::no_grad;

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn kind(name: &str) -> Kind {
    match name {
        "uint8" => Kind::Uint8,
        "int8" => Kind::Int8,
        "int16" => Kind::Int16,
        "int32" => Kind::Int,
        "int64" => Kind::Int64,
        "float16" => Kind::Half,
        "bfloat16" => Kind::BFloat16,
        "float32" => Kind::Float,
        "float64" => Kind::Double,
        "bool" => Kind::Bool,
        "complex32" => Kind::ComplexHalf,
        "complex64" => Kind::ComplexFloat,
        "complex128" => Kind::ComplexDouble,
        "float8_e5m2" => Kind::Float8e5m2,
        "float8_e4m3fn" => Kind::Float8e4m3fn,
        "float8_e5m2fnuz" => Kind::Float8e5m2fnuz,
        "float8_e4m3fnuz" => Kind::Float8e4m3fnuz,
        other => panic!("a new kind: {other}"),
    }
}

fn options(value: &Value) -> ReprOptions {
    let mut options = ReprOptions::default();
    for (name, value) in value.as_object().unwrap() {
        let number = || usize::try_from(value.as_u64().unwrap()).unwrap();
        match name.as_str() {
            "precision" => options.precision = u16::try_from(number()).unwrap(),
            "threshold" => options.threshold = number(),
            "edge_items" => options.edge_items = number(),
            "line_width" => options.line_width = number(),
            "sci_mode" => options.sci_mode = Some(value.as_bool().unwrap()),
            other => panic!("a new option: {other}"),
        }
    }
    options
}

/// (7 k mod 256 - 100) / 255 * scale, computed in double.
fn ramp(count: i64, scale: f64) -> Tensor {
    let steps = (Tensor::arange(count, (Kind::Double, Device::Cpu)) * 7.0).remainder(256.0);
    (steps - 100.0) / 255.0 * scale
}

fn float(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn tensor(case: &Value) -> Tensor {
    let (shape, name) = (integers(&case["shape"]), case["kind"].as_str().unwrap());
    let kind = kind(name);
    let Some(values) = case["values"].as_array() else {
        let ramp = ramp(shape.iter().product(), case["scale"].as_f64().unwrap());
        let is_whole = name.contains("int");
        let ramp = if is_whole { ramp.to_kind(Kind::Int64) } else { ramp };
        return ramp.to_kind(kind).view(shape.as_slice());
    };
    let flat = if name.starts_with("complex") {
        let parts: Vec<f64> =
            values.iter().flat_map(|pair| pair.as_array().unwrap()).map(float).collect();
        Tensor::from_slice(&parts).view([-1, 2]).view_as_complex()
    } else if values.iter().all(Value::is_i64) {
        Tensor::from_slice(&integers(&case["values"]))
    } else {
        Tensor::from_slice(&values.iter().map(float).collect::<Vec<_>>())
    };
    flat.to_kind(kind).view(shape.as_slice())
}

#[test]
fn every_kind_shape_and_option_prints_as_in_pytorch() {
    let reference = reference("repr");
    let cases = reference["cases"].as_array().unwrap();
    assert!(cases.len() > 400);
    let mut wrong = Vec::new();
    for case in cases {
        let printed = repr_with(&tensor(case), &options(&case["options"])).to_string();
        let expected = case["printed"].as_str().unwrap();
        if printed != expected {
            wrong.push(format!("{}:\n{printed}\nexpected\n{expected}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

/// The graphs, layouts and views that make_repr.py makes by name.
fn named(name: &str) -> Tensor {
    let x = ramp(6, 3.0).to_kind(Kind::Float).view([2, 3]);
    let leaf = x.copy().set_requires_grad(true);
    let pairs = || x.narrow(1, 0, 2).contiguous();
    let weight = Tensor::ones([2, 4], FLOAT).set_requires_grad(true);
    let some = || Tensor::from_slice(&[0.0f32, 1.5, 2.0, 0.0]).view([2, 2]);
    let conv = || {
        let kernel = Tensor::ones([1, 1, 2, 2], FLOAT).set_requires_grad(true);
        let image = Tensor::ones([1, 1, 3, 3], FLOAT);
        image.conv2d(&kernel, None::<Tensor>, 1, 0, 1, 1)
    };
    match name {
        "leaf" => leaf,
        "leaf double" => x.to_kind(Kind::Double).set_requires_grad(true),
        "leaf empty" => Tensor::zeros([0, 3], FLOAT).set_requires_grad(true),
        // Python makes tensors of the numbers; tch calls another overload (below).
        "add" => leaf + Tensor::from(1.0f32),
        "mul" => leaf * Tensor::from(2.0f32),
        "sum" => leaf.sum(None),
        "mean of half" => leaf.to_kind(Kind::Half).mean(None),
        "relu" => leaf.relu(),
        "view" => leaf.view([3, 2]),
        "t" => leaf.tr(),
        "mm" => weight.mm(&Tensor::ones([4, 3], FLOAT)),
        "linear" => Tensor::ones([1, 4], FLOAT).linear(&weight, Some(&Tensor::zeros([2], FLOAT))),
        "conv" => conv(),
        "max_pool" => conv().max_pool2d(2, 2, 0, 1, false),
        "log_softmax" => leaf.log_softmax(1, None),
        "cross_entropy" => leaf.cross_entropy_for_logits(&Tensor::from_slice(&[0i64, 2])),
        "copy_slices" => {
            let changed = leaf * 1;
            let _ = changed.get(0).g_mul_(&Tensor::from(2.0f32));
            changed
        }
        "changed view" => no_grad(|| {
            let mut view = leaf.copy().set_requires_grad(true).view(-1);
            let _ = view.g_add_scalar_(1);
            view
        }),
        "no room" => {
            let long = ramp(4, 3.0).to_kind(Kind::Float).set_requires_grad(true);
            long.constant_pad_nd([0, 4])
        }
        "detached" => leaf.detach(),
        "strided" => x.tr(),
        "expanded" => Tensor::ones([2, 1], FLOAT).expand([2, 4], false),
        "conj" => pairs().to_kind(Kind::Double).view_as_complex().conj(),
        "neg" => pairs().view_as_complex().conj().imag(),
        "coo" => some().to_sparse(None, None::<&[i64]>, None),
        "coo empty" => {
            Tensor::zeros([2, 2], (Kind::Double, Device::Cpu)).to_sparse(None, None::<&[i64]>, None)
        }
        "csr" => some().to_sparse_csr(None),
        "csc" => {
            let all = Tensor::from_slice(&[0.0f32, 1.5, 2.0, 4.0]).view([2, 2]);
            all.to_sparse_csc(None)
        }
        "quantised" => x.quantize_per_tensor(0.1, 10, Kind::QUInt8),
        "quantised by channel" => {
            let scales = Tensor::from_slice(&[0.1f32, 0.02]);
            let zero_points = Tensor::from_slice(&[0i64, 5]);
            x.quantize_per_channel(&scales, &zero_points, 0, Kind::QInt8)
        }
        "mkldnn" => x.to_mkldnn(),
        other => panic!("a new tensor: {other}"),
    }
}

#[test]
fn graphs_layouts_and_views_print_as_in_pytorch() {
    let reference = reference("repr");
    let expected = reference["named"].as_object().unwrap();
    assert!(expected.len() > 25);
    for (name, expected) in expected {
        assert_eq!(repr(&named(name)).to_string(), expected.as_str().unwrap(), "{name}");
    }
}

#[test]
fn a_gradient_that_is_not_there_is_none() {
    let x = Tensor::ones([2], FLOAT).set_requires_grad(true);
    assert_eq!(repr(&x.grad()).to_string(), "None");
    (&x * 2).sum(None).backward();
    assert_eq!(repr(&x.grad()).to_string(), "tensor([2., 2.])");
}

#[test]
fn printing_leaves_the_tensor_and_its_graph_as_they_are() {
    let x = ramp(2000, 3.0).set_requires_grad(true);
    let y = &x * 3;
    // With a number, tch calls `mul.Scalar`, whose node has the number 1.
    let printed = repr(&y).to_string();
    assert!(printed.ends_with("grad_fn=<MulBackward1>)"), "{printed}");
    y.sum(None).backward();
    assert_eq!(f64::try_from(x.grad().sum(None)).unwrap(), 6000.0);
}

#[test]
fn the_debug_form_is_the_printed_form_and_padding_works() {
    let printed = repr(&Tensor::from(4.5f32));
    assert_eq!(format!("{printed:?}"), "tensor(4.5000)");
    assert_eq!(format!("{printed:>16}|"), "  tensor(4.5000)|");
}

/// The array of a case, whose values are written as text or are 0, 1, 2, ... over a divisor.
fn printed_array(case: &Value) -> String {
    let shape = integers(&case["shape"]);
    let count = shape.iter().product::<i64>();
    let values: Vec<f64> = match &case["values"] {
        Value::Array(values) => values.iter().map(|value| value.as_str().unwrap().parse().unwrap()),
        divisor => {
            let divisor = divisor.as_f64().unwrap();
            let values: Vec<f64> = (0..count).map(|k| k as f64 / divisor).collect();
            return printed_values(case, &values, &shape);
        }
    }
    .collect();
    printed_values(case, &values, &shape)
}

fn printed_values(case: &Value, values: &[f64], shape: &[i64]) -> String {
    let name = case["kind"].as_str().unwrap();
    let tensor = Tensor::from_slice(values).to_kind(kind(name)).view(shape);
    let text = match name {
        "float16" => repr(&array::copy::<array::f16>(&tensor).unwrap()),
        "float32" => repr(&array::copy::<f32>(&tensor).unwrap()),
        "float64" => repr(&array::copy::<f64>(&tensor).unwrap()),
        "uint8" => repr(&array::copy::<u8>(&tensor).unwrap()),
        "int32" => repr(&array::copy::<i32>(&tensor).unwrap()),
        "int64" => repr(&array::copy::<i64>(&tensor).unwrap()),
        "bool" => repr(&array::copy::<bool>(&tensor).unwrap()),
        other => panic!("a new kind: {other}"),
    };
    text.to_string()
}

#[test]
fn arrays_are_printed_as_numpy_prints_them() {
    let reference = reference("repr_arrays");
    let cases = reference["cases"].as_array().unwrap();
    assert!(cases.len() > 100);
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (printed_array(case), case["text"].as_str().unwrap()))
        .filter(|(printed, expected)| printed != expected)
        .map(|(printed, expected)| format!("expected\n{expected}\ngot\n{printed}\n"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.concat());
}

#[test]
fn what_lies_around_a_tensor_is_printed_as_in_python() {
    let x = Tensor::zeros([2, 3], FLOAT);
    assert_eq!(repr(&x.size()).to_string(), "torch.Size([2, 3])");
    assert_eq!(repr(&Tensor::from(1.5).size()).to_string(), "torch.Size([])");
    assert_eq!(repr(&[4i64, 5, 6]).to_string(), "torch.Size([4, 5, 6])");
    assert_eq!(repr(&x.size()[1..]).to_string(), "torch.Size([3])");
    for (kind, expected) in [
        (Kind::Float, "torch.float32"),
        (Kind::Int64, "torch.int64"),
        (Kind::BFloat16, "torch.bfloat16"),
        (Kind::ComplexDouble, "torch.complex128"),
        (Kind::Float8e4m3fnuz, "torch.float8_e4m3fnuz"),
    ] {
        assert_eq!(repr(&kind).to_string(), expected);
    }
    assert_eq!(repr(&Device::Cpu).to_string(), "cpu");
    assert_eq!(repr(&Device::Cuda(1)).to_string(), "cuda:1");
}

#[test]
fn a_view_of_an_array_and_a_loan_of_a_tensor_are_printed() {
    let mut x = Tensor::from_slice(&[1f32, 2.5, -3.0]);
    assert_eq!(repr(&array::view::<f32>(&mut x).unwrap()).to_string(), "[ 1.   2.5 -3. ]");
    let mut n = blitz::ndarray::array![[1i64, 20], [3, 4]];
    let transposed = n.t();
    assert_eq!(repr(&transposed).to_string(), "[[ 1  3]\n [20  4]]");
    array::with_tensor(&mut n, |t| {
        assert_eq!(repr(t).to_string(), "tensor([[ 1, 20],\n        [ 3,  4]])");
    })
    .unwrap();
}
