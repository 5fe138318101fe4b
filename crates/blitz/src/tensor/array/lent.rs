//! Tensors over the memory of arrays.

use std::ffi::{c_char, c_void};
use std::mem;
use std::sync::Arc;

use ndarray::{Array, Dimension};
use tch::Tensor;
use torch_sys::C_tensor;

use super::element::{Element, make_valid};
use super::memory::refused;
use super::strides;
use crate::error::Result;
use crate::ffi;

unsafe extern "C" {
    fn blitz_array_tensor(
        data: *mut c_void,
        dims: i64,
        shape: *const i64,
        strides: *const i64,
        scalar_type: i32,
        owner: *mut c_void,
        release: unsafe extern "C" fn(*mut c_void),
        tensor: *mut *mut C_tensor,
    ) -> *mut c_char;
}

/// An array whose memory tensors have. Each of them counts as one owner, so the memory is there as
/// long as any of them, on whichever thread. Nothing but tensors looks at the elements meanwhile.
struct Shared<T, D> {
    array: Array<T, D>,
    first: *mut T,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

// SAFETY: the pointer is the array's own, which may go to other threads as its elements may. Of a
// reference, nothing but the count of owners is used.
unsafe impl<T: Send, D: Send> Send for Shared<T, D> {}
// SAFETY: as above.
unsafe impl<T: Send, D: Send> Sync for Shared<T, D> {}

/// A tensor that takes the array over; the array itself where it has a negative stride.
pub(super) fn tensor<T: Element, D: Dimension + 'static>(
    array: Array<T, D>,
) -> Result<Tensor, Array<T, D>> {
    Shared::of(array).map(|shared| Shared::tensor(&Arc::new(shared)))
}

/// An array that has given its memory away until this is dropped.
pub(super) struct Loan<'a, T: Element, D: Dimension> {
    place: &'a mut Array<T, D>,
    /// There until this is dropped.
    shared: Option<Arc<Shared<T, D>>>,
}

impl<'a, T: Element, D: Dimension + 'static> Loan<'a, T, D> {
    /// Takes the array from its place, where an empty one stands in for it.
    pub(super) fn of(operation: &'static str, place: &'a mut Array<T, D>) -> Result<Self> {
        let stand_in = Array::from_shape_simple_fn(D::zeros(place.ndim()), || T::ZERO);
        match Shared::of(mem::replace(place, stand_in)) {
            Ok(shared) => Ok(Loan { place, shared: Some(Arc::new(shared)) }),
            Err(array) => {
                *place = array;
                Err(refused(
                    operation,
                    "strides that a tensor can have",
                    "a negative one; as_standard_layout().into_owned() makes an array without",
                ))
            }
        }
    }

    pub(super) fn tensor(&self) -> Tensor {
        Shared::tensor(self.shared.as_ref().expect("there until the loan is dropped"))
    }
}

impl<T: Element, D: Dimension> Drop for Loan<'_, T, D> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        let extent = strides::extent(&shared.shape, &shared.strides);
        // SAFETY: these places are the array's, gaps between its elements included.
        unsafe { make_valid(shared.first, extent) };
        *self.place = match Arc::try_unwrap(shared) {
            Ok(Shared { array, .. }) => array,
            // A tensor goes on with the memory.
            Err(shared) => {
                let view = shared.array.raw_view();
                // SAFETY: the elements are there. Tensors write to them only while a call to
                // libtorch runs; if one does so on another thread now, that is the race between
                // clones on two threads that tch leaves to its users.
                unsafe { view.deref_into_view() }.to_owned()
            }
        };
    }
}

impl<T: Element, D: Dimension> Shared<T, D> {
    fn of(mut array: Array<T, D>) -> Result<Shared<T, D>, Array<T, D>> {
        let shape = array.shape().to_vec();
        match strides::of_array(&shape, array.strides()) {
            Some(strides) => Ok(Shared { first: array.as_mut_ptr(), array, shape, strides }),
            None => Err(array),
        }
    }

    /// A tensor over the array's memory, which counts as an owner.
    fn tensor(this: &Arc<Shared<T, D>>) -> Tensor
    where
        D: 'static,
    {
        let numbers =
            |list: &[usize]| -> Vec<i64> { list.iter().map(|&length| length as i64).collect() };
        let (shape, strides) = (numbers(&this.shape), numbers(&this.strides));
        let mut tensor = std::ptr::null_mut();
        // SAFETY: the memory has elements of this type at these places until the owner is released,
        // which C++ does once, whether it succeeds or not.
        let message = unsafe {
            blitz_array_tensor(
                this.first.cast(),
                shape.len() as i64,
                shape.as_ptr(),
                strides.as_ptr(),
                T::SCALAR_TYPE,
                Arc::into_raw(Arc::clone(this)).cast_mut().cast(),
                release::<T, D>,
                &mut tensor,
            )
        };
        ffi::check("array::from_array", message).expect("shape and strides are those of an array");
        // SAFETY: C++ has made a tensor for us.
        unsafe { ffi::take(tensor) }.expect("a tensor where there is no error")
    }
}

/// Called by libtorch when no tensor needs the memory any more.
unsafe extern "C" fn release<T, D>(owner: *mut c_void) {
    // SAFETY: `Shared::tensor` gave the count of an owner away with this pointer. Dropping it runs
    // no code that could panic: elements are plain numbers.
    drop(unsafe { Arc::from_raw(owner.cast_const().cast::<Shared<T, D>>()) });
}
