//! Arrays and tensors: what is shared, what is copied, and what is refused.

#![allow(clippy::unwrap_used)]

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use blitz::ndarray::{Array, Array2, ArrayD, Axis, Ix2, IxDyn, ShapeBuilder, arr0, array, s};
use blitz::prelude::*;
use blitz::tensor::array::{self, Element, bf16, f16};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// 0, 1, ... in rows of 3, by itself in its memory.
fn counted(rows: i64) -> Tensor {
    Tensor::arange(rows * 3, FLOAT).view([rows, 3])
}

fn values(tensor: &Tensor) -> Vec<f32> {
    array::copy::<f32>(tensor).unwrap().iter().copied().collect()
}

fn message<T>(result: blitz::Result<T>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn a_view_reads_the_tensors_memory() {
    let mut t = counted(2);
    let address = t.data_ptr() as usize;
    let view = array::view::<f32>(&mut t).unwrap();
    assert_eq!(view, array![[0., 1., 2.], [3., 4., 5.]].into_dyn());
    assert_eq!(view.as_ptr() as usize, address);
    // Python: t.add_(1), and the array has it.
    let _ = t.g_add_scalar_(1);
    assert_eq!(array::view::<f32>(&mut t).unwrap()[[1, 2]], 6.0);
}

#[test]
fn what_a_view_writes_is_in_the_tensor() {
    let mut t = counted(2);
    let mut view = array::view_mut::<f32>(&mut t).unwrap();
    view.index_axis_mut(Axis(0), 1).fill(-1.0);
    assert_eq!(values(&t), [0., 1., 2., -1., -1., -1.]);
}

#[test]
fn views_of_any_strides_are_shared() {
    let mut t = counted(4).tr().slice(1, 1, 4, 2);
    let view = array::view::<f32>(&mut t).unwrap();
    assert_eq!(view, array![[3., 9.], [4., 10.], [5., 11.]].into_dyn());
    assert_eq!(view.strides(), [1, 6]);
    array::view_mut::<f32>(&mut t).unwrap()[[2, 0]] = 50.0;
    assert_eq!(values(&t), [3., 9., 4., 10., 50., 11.]);
    let mut expanded = Tensor::ones([2, 1], FLOAT).expand([2, 3], false);
    assert_eq!(array::view::<f32>(&mut expanded).unwrap(), ArrayD::<f32>::ones(IxDyn(&[2, 3])));
    let error = message(array::view_mut::<f32>(&mut expanded));
    assert!(error.contains("some that share one (expand() does so)"), "{error}");
}

#[test]
fn the_number_of_dimensions_may_be_0_and_that_of_elements_too() {
    let mut scalar = Tensor::from(4.5f32);
    assert_eq!(array::view::<f32>(&mut scalar).unwrap(), arr0(4.5).into_dyn());
    let mut empty = Tensor::zeros([0, 3], FLOAT);
    assert_eq!(array::view::<f32>(&mut empty).unwrap().shape(), [0, 3]);
    assert_eq!(array::view_mut::<f32>(&mut empty).unwrap().shape(), [0, 3]);
    assert_eq!(array::copy::<f32>(&empty).unwrap().shape(), [0, 3]);
    assert_eq!(array::from_array(Array2::<f32>::zeros((2, 0))).size(), [2, 0]);
    assert_eq!(array::to_tensor(&Array2::<f32>::zeros((0, 2))).size(), [0, 2]);
    assert_eq!(f32::try_from(array::from_array(arr0(2.5f32))).unwrap(), 2.5);
    let mut point = arr0(2f32);
    array::with_tensor(&mut point, |t| drop(t.g_mul_scalar_(3))).unwrap();
    assert_eq!(point, arr0(6.0));
}

#[test]
fn memory_that_others_have_is_not_lent() {
    let shared = "a tensor that has its memory alone, got one whose memory others have too";
    let mut t = counted(2);
    let clone = t.shallow_clone();
    assert!(message(array::view::<f32>(&mut t)).contains(shared));
    assert!(message(array::view_mut::<f32>(&mut t)).contains("copy with array::copy"));
    drop(clone);
    let row = t.get(0);
    assert!(message(array::view::<f32>(&mut t)).contains(shared));
    drop(row);
    let detached = t.detach();
    assert!(message(array::view::<f32>(&mut t)).contains(shared));
    drop(detached);
    assert!(array::view::<f32>(&mut t).is_ok());
    // The view of a view has one base; somebody else has it too.
    let base = Tensor::arange(6, FLOAT);
    let mut view = base.view([2, 3]).tr();
    assert!(message(array::view::<f32>(&mut view)).contains(shared));
    drop(base);
    assert!(array::view::<f32>(&mut view).is_ok());
}

#[test]
fn memory_that_autograd_saved_is_not_lent() {
    let mut x = counted(2);
    let w = Tensor::ones([2, 3], FLOAT).set_requires_grad(true);
    let y = &x * &w;
    assert!(message(array::view_mut::<f32>(&mut x)).contains("a graph that saved it"));
    y.sum(None).backward();
    drop(y);
    assert!(array::view_mut::<f32>(&mut x).is_ok());
    let mut w = w;
    let error = message(array::view::<f32>(&mut w));
    assert!(error.contains("requires no gradient, got one that does; array::copy"), "{error}");
    assert_eq!(array::copy::<f32>(&w).unwrap().sum(), 6.0);
    // The gradient belongs to the parameter.
    assert!(message(array::view::<f32>(&mut w.grad())).contains("others have too"));
}

#[test]
fn wrong_tensors_are_refused_with_the_reason() {
    let mut t = counted(2);
    let error = message(array::view::<f64>(&mut t));
    let expected = "array::view expected a tensor of kind Double for an array of f64, got Float";
    assert_eq!(error, expected);
    assert!(
        message(array::copy::<i64>(&t)).starts_with("array::copy expected a tensor of kind Int64")
    );
    let mut undefined = Tensor::new();
    let error = message(array::view::<f32>(&mut undefined));
    assert!(error.contains("got an undefined one; has backward() run?"), "{error}");
    assert!(message(array::copy::<f32>(&undefined)).contains("an undefined one"));
    let mut sparse = t.to_sparse(None, None::<&[i64]>, None);
    let error = message(array::view::<f32>(&mut sparse));
    assert!(error.contains("a dense tensor, got one with layout torch.sparse_coo"), "{error}");
    assert!(message(array::copy::<f32>(&sparse)).contains("to_dense()"));
    let quantised = t.quantize_per_tensor(0.1, 10, Kind::QUInt8);
    assert!(
        message(array::copy::<u8>(&quantised))
            .contains("of kind Uint8 for an array of u8, got QUInt8")
    );
    let pairs = Tensor::arange(4, FLOAT).view([2, 2]).view_as_complex();
    assert!(message(array::copy::<f32>(&pairs)).contains("got ComplexFloat"));
    let mut negative = pairs.conj().imag();
    drop(pairs);
    let error = message(array::view::<f32>(&mut negative));
    assert!(
        error.contains("a lazy conjugate or negative; resolve_conj() or resolve_neg()"),
        "{error}"
    );
    assert_eq!(values(&negative), [-1., -3.]);
}

#[test]
fn a_copy_stands_alone() {
    let t = counted(2);
    let mut copied = array::copy::<f32>(&t.tr()).unwrap();
    assert_eq!(copied, array![[0., 3.], [1., 4.], [2., 5.]].into_dyn());
    copied[[0, 0]] = 9.0;
    let _ = t.shallow_clone().g_add_scalar_(1);
    assert_eq!(values(&t)[0], 1.0);
    assert_eq!(copied[[0, 1]], 3.0);
}

#[test]
fn a_tensor_takes_over_an_array() {
    let n = array![[1f32, 2., 3.], [4., 5., 6.]];
    let address = n.as_ptr() as usize;
    let mut t = array::from_array(n);
    assert_eq!((t.data_ptr() as usize, t.size()), (address, vec![2, 3]));
    // From there on it lives as any tensor: sums, views, graphs, other threads.
    let _ = t.g_add_scalar_(1);
    assert_eq!(array::view::<f32>(&mut t).unwrap()[[1, 2]], 7.0);
    let row = t.get(1);
    drop(t);
    assert_eq!(std::thread::spawn(move || values(&row)).join().unwrap(), [5., 6., 7.]);
}

#[test]
fn strides_and_offsets_are_kept_and_negative_ones_copied() {
    let rows = Array::from_shape_vec((4, 3), (0..12).map(|i| i as f32).collect()).unwrap();
    let columns = Array::from_shape_vec((3, 2).f(), vec![0f32, 1., 2., 3., 4., 5.]).unwrap();
    let part = rows.clone().slice_move(s![1..;2, 1..]);
    let flipped = rows.clone().slice_move(s![..;-1, ..]);
    for (n, strides, is_shared) in [
        (rows, vec![3, 1], true),
        (columns, vec![1, 3], true),
        (part, vec![6, 1], true),
        (flipped, vec![3, 1], false),
    ] {
        let (copied, address) = (n.clone(), n.as_ptr() as usize);
        let t = array::from_array(n);
        assert_eq!(t.stride(), strides);
        assert_eq!(t.data_ptr() as usize == address, is_shared);
        assert_eq!(array::copy::<f32>(&t).unwrap(), copied.clone().into_dyn());
        assert_eq!(array::copy::<f32>(&array::to_tensor(&copied)).unwrap(), copied.into_dyn());
    }
}

#[test]
fn a_tensor_borrows_an_array_for_a_call() {
    let mut n = array![[1f64, 2.], [3., 4.]];
    let address = n.as_ptr() as usize;
    let sum = array::with_tensor(&mut n, |t| {
        assert_eq!(t.data_ptr() as usize, address);
        let _ = t.get(0).g_mul_scalar_(10);
        // The tensor has the memory alone, so it can be viewed in turn.
        array::view_mut::<f64>(t).unwrap()[[1, 1]] = 40.0;
        f64::try_from(t.sum(Kind::Double)).unwrap()
    });
    assert_eq!((sum.unwrap(), n.as_ptr() as usize), (73.0, address));
    assert_eq!(n, array![[10., 20.], [3., 40.]]);
    // The change of an array is seen by the next tensor.
    n[[0, 0]] = 0.0;
    array::with_tensor(&mut n, |t| assert_eq!(t.double_value(&[0, 0]), 0.0)).unwrap();
}

#[test]
fn a_tensor_that_outlives_the_call_keeps_the_memory_and_the_array_goes_on_with_a_copy() {
    let mut n = array![[1f32, 2.], [3., 4.]];
    let address = n.as_ptr() as usize;
    let kept = array::with_tensor(&mut n, |t| t.get(1)).unwrap();
    assert_ne!(n.as_ptr() as usize, address);
    assert_eq!(n, array![[1., 2.], [3., 4.]]);
    n.fill(0.0);
    assert_eq!(values(&kept), [3., 4.]);
    let _ = kept.shallow_clone().g_add_scalar_(1);
    assert_eq!(n, Array2::<f32>::zeros((2, 2)));
    drop(n);
    assert_eq!(values(&kept), [4., 5.]);
}

#[test]
fn a_graph_may_outlive_the_call() {
    let mut n = array![1f32, 2., 3.];
    let w = Tensor::ones([3], FLOAT).set_requires_grad(true);
    let loss = array::with_tensor(&mut n, |t| (&*t * &w).sum(None)).unwrap();
    n.fill(0.0);
    loss.backward();
    assert_eq!(values(&w.grad()), [1., 2., 3.]);
}

#[test]
fn what_the_closure_does_to_its_tensor_does_not_lose_the_array() {
    let mut n = array![[1f32, 2., 3.]];
    let address = n.as_ptr() as usize;
    array::with_tensor(&mut n, |t| *t = Tensor::zeros([7], FLOAT)).unwrap();
    array::with_tensor(&mut n, |t| drop(t.transpose_(0, 1))).unwrap();
    array::with_tensor(&mut n, |t| drop(t.f_resize_([100]))).unwrap();
    array::with_tensor(&mut n, |t| t.set_data(&Tensor::zeros([2], FLOAT))).unwrap();
    assert_eq!((n.as_ptr() as usize, n), (address, array![[1., 2., 3.]]));
}

#[test]
fn a_panic_gives_the_array_back() {
    let mut n = array![1f32, 2.];
    let mut kept = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        array::with_tensor(&mut n, |t| {
            let _ = t.g_add_scalar_(1);
            kept = Some(t.shallow_clone());
            panic!("on the way");
        })
    }));
    assert!(panicked.is_err());
    n[0] = 0.0;
    assert_eq!((n, values(&kept.unwrap())), (array![0., 3.], vec![2., 3.]));
}

#[test]
fn a_part_of_an_array_can_be_lent_unless_it_runs_backwards() {
    let rows = || Array::from_shape_vec((4, 3), (0..12).map(|i| i as f32).collect()).unwrap();
    let mut part = rows().slice_move(s![1..;2, 1..]);
    array::with_tensor(&mut part, |t| drop(t.neg_())).unwrap();
    assert_eq!(part, array![[-4., -5.], [-10., -11.]]);
    let mut flipped = rows().slice_move(s![..;-1, ..]);
    let error = message(array::with_tensor(&mut flipped, |_| ()));
    assert!(error.contains("got a negative one; as_standard_layout()"), "{error}");
    assert_eq!(flipped[[0, 0]], 9.0, "the array is where it was");
    let mut standard = flipped.as_standard_layout().into_owned();
    array::with_tensor(&mut standard, |t| drop(t.neg_())).unwrap();
    assert_eq!(standard.into_dimensionality::<Ix2>().unwrap()[[0, 0]], -9.0);
}

/// There and back for one type of elements.
fn round_trip<T: Element + PartialEq + Debug>(zero: T, other: T) {
    let n = array![[zero, other, other], [other, zero, zero]];
    let mut t = array::from_array(n.clone());
    assert_eq!(t.kind(), T::KIND);
    assert_eq!(array::view::<T>(&mut t).unwrap(), n.clone().into_dyn());
    array::view_mut::<T>(&mut t).unwrap()[[0, 0]] = other;
    assert_eq!(array::copy::<T>(&t).unwrap()[[0, 0]], other);
    assert_eq!(array::copy::<T>(&array::to_tensor(&n)).unwrap(), n.clone().into_dyn());
    let mut lent = n;
    array::with_tensor(&mut lent, |t| drop(t.zero_())).unwrap();
    assert_eq!(lent, Array2::from_elem((2, 3), T::ZERO));
}

#[test]
fn every_type_of_elements_goes_there_and_back() {
    round_trip(0u8, 200);
    round_trip(0i8, -7);
    round_trip(0i16, -300);
    round_trip(0i32, 1 << 30);
    round_trip(0i64, i64::MIN);
    round_trip(0f32, 0.1);
    round_trip(0f64, 0.1);
    round_trip(f16::ZERO, f16::from_f32(0.5));
    round_trip(bf16::ZERO, bf16::from_f32(-0.5));
    round_trip(false, true);
}

#[test]
fn bytes_that_are_no_bools_become_true() {
    let odd = || Tensor::from_slice(&[0u8, 1, 2, 255]).view_dtype(Kind::Bool);
    let expected = array![false, true, true, true].into_dyn();
    assert_eq!(array::copy::<bool>(&odd()).unwrap(), expected);
    assert_eq!(array::view::<bool>(&mut odd()).unwrap(), expected);
    let mut every_other = odd().slice(0, 0, 4, 2);
    let byte_of = |view: &blitz::ndarray::ArrayViewD<'_, bool>, i: usize| u8::from(view[i]);
    let view = array::view::<bool>(&mut every_other).unwrap();
    assert_eq!((byte_of(&view, 0), byte_of(&view, 1)), (0, 1));
    let mut n = array![false, false, true];
    array::with_tensor(&mut n, |t| drop(t.view_dtype(Kind::Uint8).fill_(2))).unwrap();
    assert_eq!(n.map(|&value| u8::from(value)), array![1, 1, 1]);
}
