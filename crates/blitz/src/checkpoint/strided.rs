//! Tensors made from the numbers of their storages, each of which is read once.

use std::collections::HashMap;

use tch::Tensor;

use super::contents::{Marks, Storage, Strided};
use super::dtype::{Dtype, torch_reason};

/// Where storages come from.
pub(super) trait Records {
    /// The bytes of a storage, as many as it says, each number little-endian.
    fn bytes(&mut self, storage: &Storage, dtype: Dtype) -> Result<Vec<u8>, String>;
}

/// The storages that were read, each as a tensor of one dimension.
#[derive(Default)]
pub(super) struct Storages {
    read: HashMap<(Storage, Dtype, Marks), Tensor>,
}

impl Storages {
    /// The tensor, a view into its storage: views of one storage take its memory once.
    pub(super) fn tensor(
        &mut self,
        strided: &Strided,
        records: &mut impl Records,
    ) -> Result<Tensor, String> {
        check_bounds(strided)?;
        let Strided { offset, size, stride, .. } = strided;
        let whole = self.storage(strided, records)?;
        whole.f_as_strided(size, stride, *offset).map_err(torch_reason)
    }

    fn storage(&mut self, strided: &Strided, records: &mut impl Records) -> Result<Tensor, String> {
        let Strided { storage, dtype, marks, .. } = strided;
        let key = (storage.clone(), *dtype, *marks);
        if let Some(read) = self.read.get(&key) {
            return Ok(read.shallow_clone());
        }
        let tensor = match *marks {
            Marks { negative: false, conjugate: false } => {
                dtype.numbers(&records.bytes(storage, *dtype)?)?
            }
            // What the marks say is done to the storage: a view may be far larger than that.
            marks => {
                let plain = Strided { marks: Marks::default(), ..strided.clone() };
                let plain = self.storage(&plain, records)?;
                resolved(&plain, *dtype, marks)?
            }
        };
        self.read.insert(key, tensor.shallow_clone());
        Ok(tensor)
    }
}

/// What the marked numbers are.
fn resolved(plain: &Tensor, dtype: Dtype, marks: Marks) -> Result<Tensor, String> {
    if marks.conjugate && !dtype.is_complex() {
        return Err(format!("it is marked as conjugate, but of the kind {}", dtype.torch()));
    }
    let mut tensor = plain.shallow_clone();
    if marks.conjugate {
        tensor = tensor.f_conj_physical().map_err(torch_reason)?;
    }
    if marks.negative {
        tensor = tensor.f_neg().map_err(torch_reason)?;
    }
    Ok(tensor)
}

/// Whether all numbers lie within the storage.
pub(super) fn check_bounds(strided: &Strided) -> Result<(), String> {
    let Strided { storage, dtype, offset, size, stride, .. } = strided;
    let width = dtype.bytes() as u64;
    if storage.bytes % width != 0 {
        let (bytes, name) = (storage.bytes, dtype.torch());
        return Err(format!("its storage of {bytes} bytes holds no whole number of {name}"));
    }
    let len = i64::try_from(storage.bytes / width).unwrap_or(i64::MAX);
    let inside = || {
        let mut last = *offset;
        let mut count: i64 = 1;
        for (size, stride) in size.iter().zip(stride) {
            if *size < 0 || *stride < 0 {
                return None;
            }
            count = count.checked_mul(*size)?;
            last = last.checked_add(size.checked_sub(1)?.max(0).checked_mul(*stride)?)?;
        }
        // PyTorch lets an empty tensor begin anywhere.
        let end = if size.contains(&0) { 0 } else { last.checked_add(1)? };
        (*offset >= 0 && size.len() == stride.len() && end <= len).then_some(())
    };
    inside().ok_or_else(|| {
        format!("shape {size:?}, strides {stride:?} and offset {offset} exceed {len} elements")
    })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tch::Kind;

    use super::*;
    use crate::checkpoint::contents::Place;

    /// The bytes 1, 2, 3, ... as a storage of i8, and how often it was read.
    struct Counted(usize);

    impl Records for Counted {
        fn bytes(&mut self, storage: &Storage, _: Dtype) -> Result<Vec<u8>, String> {
            self.0 += 1;
            Ok((1..=storage.bytes as u8).collect())
        }
    }

    fn strided(offset: i64, size: &[i64], stride: &[i64], marks: Marks) -> Strided {
        Strided {
            storage: Storage { place: Place::Record(Rc::from("0")), bytes: 24, untyped: false },
            dtype: Dtype::of_torch("int8").expect("a kind"),
            offset,
            size: size.to_vec(),
            stride: stride.to_vec(),
            marks,
        }
    }

    fn values(tensor: &Tensor) -> Vec<i64> {
        Vec::try_from(tensor.to_kind(Kind::Int64).contiguous().view(-1)).expect("integers")
    }

    #[test]
    fn a_storage_is_read_once_for_all_its_views_and_takes_its_memory_once() {
        let (mut storages, mut records) = (Storages::default(), Counted(0));
        let mut first = None;
        for part in 0..24 {
            let strided = strided(part, &[1], &[1], Marks::default());
            let tensor = storages.tensor(&strided, &mut records).expect("within");
            assert_eq!(values(&tensor), [part + 1]);
            let start = *first.get_or_insert(tensor.data_ptr() as usize);
            assert_eq!(tensor.data_ptr() as usize, start + part as usize);
        }
        let negative = Marks { negative: true, conjugate: false };
        for _ in 0..2 {
            let strided = strided(1, &[2, 3], &[6, 2], negative);
            let tensor = storages.tensor(&strided, &mut records).expect("within");
            assert_eq!(values(&tensor), [-2, -4, -6, -8, -10, -12]);
        }
        assert_eq!(records.0, 1);
    }

    #[test]
    fn what_lies_outside_is_refused_and_an_expanded_tensor_takes_no_memory() {
        let (mut storages, mut records) = (Storages::default(), Counted(0));
        let mut read = |offset, size: &[i64], stride: &[i64]| {
            let strided = strided(offset, size, stride, Marks::default());
            storages.tensor(&strided, &mut records)
        };
        assert!(read(0, &[25], &[1]).is_err());
        assert!(read(24, &[1], &[1]).is_err());
        assert!(read(-1, &[1], &[1]).is_err());
        assert!(read(0, &[2], &[-1]).is_err());
        assert!(read(0, &[-2], &[1]).is_err());
        assert!(read(0, &[i64::MAX, i64::MAX], &[0, 0]).is_err());
        assert!(read(0, &[2, 2], &[i64::MAX, 1]).is_err());
        assert!(read(0, &[2], &[1, 1]).is_err());
        assert_eq!(read(23, &[1], &[7]).expect("within").numel(), 1);
        assert_eq!(read(30, &[0, 3], &[3, 1]).expect("empty").size(), [0, 3]);
        assert_eq!(read(0, &[1 << 40, 2], &[0, 1]).expect("expanded").size(), [1 << 40, 2]);
        let conjugate = strided(0, &[1], &[1], Marks { negative: false, conjugate: true });
        let refused = storages.tensor(&conjugate, &mut records).expect_err("no complex numbers");
        assert!(refused.contains("conjugate"), "{refused}");
    }
}
