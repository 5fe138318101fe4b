//! A tensor's memory, and whether it may be lent.

use std::ffi::c_char;
use std::marker::PhantomData;
use std::ptr::NonNull;

use ndarray::{
    ArrayD, ArrayViewD, ArrayViewMutD, Dimension, IxDyn, ShapeBuilder, StrideShape, indices,
};
use tch::Tensor;
use torch_sys::C_tensor;

use super::element::{Element, make_valid};
use super::strides;
use crate::error::{Error, Result};
use crate::ffi;
use crate::tensor::repr::facts::{Facts, Layout};

/// Where the elements of a tensor lie that has its memory alone, for as long as it is borrowed.
pub(super) struct Memory<'a, T> {
    first: NonNull<T>,
    shape: Vec<usize>,
    strides: Vec<usize>,
    tensor: PhantomData<&'a mut Tensor>,
}

/// What C++ says (`cpp/array.cpp`).
#[repr(C)]
struct RawMemory {
    data: *mut u8,
    is_alone: bool,
    is_conj: bool,
    is_neg: bool,
}

unsafe extern "C" {
    fn blitz_array_memory_of(tensor: *const C_tensor, memory: *mut RawMemory) -> *mut c_char;
}

impl<'a, T: Element> Memory<'a, T> {
    /// The memory of a tensor that can be lent: on the CPU, in plain form, and nobody else's.
    pub(super) fn alone(operation: &'static str, tensor: &'a mut Tensor) -> Result<Memory<'a, T>> {
        let facts = check_form::<T>(operation, tensor)?;
        let refuse = |expected: &str, got: &str| refused(operation, expected, got);
        if facts.device != "cpu" {
            let got = format!("one on {}; array::copy copies it", facts.device);
            return Err(refuse("a tensor on the CPU", &got));
        }
        if facts.requires_grad {
            return Err(refuse(
                "a tensor that requires no gradient",
                "one that does; array::copy, or detach().copy() and then this",
            ));
        }
        let raw = raw(operation, tensor)?;
        if raw.is_conj || raw.is_neg {
            return Err(refuse(
                "numbers as they lie in memory",
                "a lazy conjugate or negative; resolve_conj() or resolve_neg() computes it",
            ));
        }
        if !raw.is_alone {
            return Err(refuse(
                "a tensor that has its memory alone",
                "one whose memory others have too (a clone or a view of it, or a graph that saved \
                 it); drop those, or copy with array::copy",
            ));
        }
        let lengths = |list: Vec<i64>| -> Vec<usize> {
            list.into_iter().map(|length| length as usize).collect()
        };
        let (shape, strides) = (lengths(tensor.size()), lengths(tensor.stride()));
        let first = match tensor.numel() {
            0 => NonNull::dangling(),
            _ => NonNull::new(raw.data.cast::<T>())
                .filter(|first| first.is_aligned())
                .ok_or_else(|| refuse("aligned memory", "a tensor without"))?,
        };
        let memory = Memory { first, shape, strides, tensor: PhantomData };
        memory.make_valid();
        Ok(memory)
    }

    pub(super) fn view(self) -> ArrayViewD<'a, T> {
        // SAFETY: libtorch keeps shape and strides within the memory that it allocated. That is the
        // tensor's alone, and the tensor is borrowed for 'a: nobody writes or frees it.
        unsafe { ArrayViewD::from_shape_ptr(self.layout(), self.first.as_ptr()) }
    }

    pub(super) fn view_mut(self, operation: &'static str) -> Result<ArrayViewMutD<'a, T>> {
        if strides::may_overlap(&self.shape, &self.strides) {
            return Err(refused(
                operation,
                "elements at places of their own",
                "some that share one (expand() does so); contiguous() gives each its own",
            ));
        }
        // SAFETY: as for `view`, and no two elements lie at the same place.
        Ok(unsafe { ArrayViewMutD::from_shape_ptr(self.layout(), self.first.as_ptr()) })
    }

    fn layout(&self) -> StrideShape<IxDyn> {
        IxDyn(&self.shape).strides(IxDyn(&self.strides))
    }

    fn make_valid(&self) {
        let count = self.shape.iter().product();
        if strides::extent(&self.shape, &self.strides) == count {
            // SAFETY: the elements fill these places, and are this tensor's alone.
            return unsafe { make_valid(self.first.as_ptr(), count) };
        }
        if T::KIND == tch::Kind::Bool {
            for index in indices(IxDyn(&self.shape)) {
                let index = index.as_array_view().to_vec();
                let offset = index.iter().zip(&self.strides).map(|(i, stride)| i * stride).sum();
                // SAFETY: this is the place of an element.
                unsafe { make_valid(self.first.as_ptr().add(offset), 1) };
            }
        }
    }
}

/// Checks what holds for sharing and copying alike: a dense tensor of `T`'s kind.
pub(super) fn check_form<T: Element>(operation: &'static str, tensor: &Tensor) -> Result<Facts> {
    let element = std::any::type_name::<T>();
    let element = element.rsplit("::").next().unwrap_or(element);
    let expected = format!("a tensor of kind {:?} for an array of {element}", T::KIND);
    if !tensor.defined() {
        return Err(refused(operation, &expected, "an undefined one; has backward() run?"));
    }
    let facts = Facts::of(tensor).map_err(Error::torch(operation))?;
    let kind = tensor.f_kind();
    if !matches!(&kind, Ok(kind) if *kind == T::KIND) {
        let got = kind.map_or_else(|_| facts.dtype(), |kind| format!("{kind:?}"));
        return Err(refused(operation, &expected, &got));
    }
    if facts.layout != Layout::Strided {
        let got = format!("one with layout {}; to_dense() makes it so", facts.layout.name());
        return Err(refused(operation, "a dense tensor", &got));
    }
    Ok(facts)
}

/// A copy of the elements of a contiguous tensor of `T`'s kind on the CPU.
pub(super) fn elements<T: Element>(tensor: &Tensor) -> Result<ArrayD<T>> {
    let data = raw("array::copy", tensor)?.data;
    let count = tensor.numel();
    let mut elements: Vec<T> = Vec::with_capacity(count);
    if !data.is_null() {
        // SAFETY: `count` elements of `T`'s size lie there in a row, whatever the alignment; those
        // of the vector are written before they count.
        unsafe {
            let size = count * size_of::<T>();
            std::ptr::copy_nonoverlapping(data, elements.as_mut_ptr().cast::<u8>(), size);
            make_valid(elements.as_mut_ptr(), count);
            elements.set_len(count);
        }
    }
    let shape: Vec<usize> = tensor.size().into_iter().map(|length| length as usize).collect();
    ArrayD::from_shape_vec(shape, elements)
        .map_err(|_| refused("array::copy", "memory with elements", "a tensor without"))
}

/// What C++ says of a strided tensor on the CPU.
fn raw(operation: &'static str, tensor: &Tensor) -> Result<RawMemory> {
    let mut raw =
        RawMemory { data: std::ptr::null_mut(), is_alone: false, is_conj: false, is_neg: false };
    // SAFETY: C++ reads the tensor and fills the struct, which has the same fields there.
    ffi::check(operation, unsafe { blitz_array_memory_of(ffi::lend(tensor), &mut raw) })?;
    Ok(raw)
}

pub(super) fn refused(operation: &'static str, expected: &str, got: &str) -> Error {
    Error::Shape { operation, expected: expected.to_owned(), got: got.to_owned() }
}
