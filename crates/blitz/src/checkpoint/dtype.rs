//! The kinds of numbers that files hold.

use tch::{Kind, Tensor};

use crate::error::Error;
use crate::tensor::dtype::{InFiles, ROWS, Row, StorageClass};

/// A kind of numbers that files hold; PyTorch has more of them than tch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Dtype(usize);

impl Dtype {
    fn find(matches: impl Fn(&Row, &InFiles) -> bool) -> Option<Dtype> {
        let is_it = |row: &Row| row.in_files.as_ref().is_some_and(|files| matches(row, files));
        ROWS.iter().position(is_it).map(Dtype)
    }

    /// `float32`
    pub(super) fn of_torch(name: &str) -> Option<Dtype> {
        Dtype::find(|row, _| row.torch == name)
    }

    /// `FloatStorage`
    pub(super) fn of_storage(class: &str) -> Option<Dtype> {
        let scalar = class.strip_suffix("Storage")?;
        Dtype::find(|_, files| files.scalar == scalar)
    }

    /// `F32`
    pub(super) fn of_safetensors(name: &str) -> Option<Dtype> {
        Dtype::find(|_, files| files.safetensors == Some(name))
    }

    pub(super) fn of_kind(kind: Kind) -> Option<Dtype> {
        Dtype::find(|row, _| row.kind == Some(kind))
    }

    fn row(self) -> &'static Row {
        &ROWS[self.0]
    }

    fn in_files(self) -> InFiles {
        self.row().in_files.expect("only such kinds are found")
    }

    /// `float32`
    pub(super) fn torch(self) -> &'static str {
        self.row().torch
    }

    /// tch's kind, where it has one; other numbers are read as a wider kind.
    pub(super) fn kind(self) -> Option<Kind> {
        self.row().kind
    }

    /// `FloatStorage`, where Python has it.
    pub(super) fn storage_class(self) -> Option<String> {
        let InFiles { scalar, class, .. } = self.in_files();
        (class == StorageClass::Classic).then(|| format!("{scalar}Storage"))
    }

    /// `F32`, where the format has it.
    pub(super) fn safetensors(self) -> Option<&'static str> {
        self.in_files().safetensors
    }

    /// Bytes of one number.
    pub(super) fn bytes(self) -> usize {
        self.in_files().bytes
    }

    pub(super) fn is_complex(self) -> bool {
        self.row().torch.starts_with("complex")
    }

    /// Bytes that change their order between byte orders: those of one real number.
    pub(super) fn word(self) -> usize {
        if self.is_complex() { self.bytes() / 2 } else { self.bytes() }
    }

    /// The numbers `bytes`, little-endian, as a tensor of one dimension. Those of a kind that tch
    /// does not have become a wider kind that holds each of them exactly.
    pub(super) fn numbers(self, bytes: &[u8]) -> Result<Tensor, String> {
        let tensor = match (self.row().kind, self.torch()) {
            (Some(kind), _) => {
                let len = (bytes.len() / self.bytes()) as i64;
                Tensor::f_from_data_size(bytes, &[len], kind)
            }
            (None, "uint16") => Tensor::f_from_slice(&wider(bytes, |number: [u8; 2]| {
                i32::from(u16::from_le_bytes(number))
            })),
            (None, "uint32") => Tensor::f_from_slice(&wider(bytes, |number: [u8; 4]| {
                i64::from(u32::from_le_bytes(number))
            })),
            (None, "uint64") => {
                let numbers = wider(bytes, i64::from_le_bytes);
                if numbers.iter().any(|number| *number < 0) {
                    return Err("it has numbers of uint64 above 2⁶³ − 1, which no kind of tch \
                                holds"
                        .to_owned());
                }
                Tensor::f_from_slice(&numbers)
            }
            _ => Tensor::f_from_slice(&wider(bytes, |[exponent]: [u8; 1]| {
                // float8_e8m0fnu: a power of two, and NaN for the last.
                match exponent {
                    u8::MAX => f32::NAN,
                    _ => 2f32.powi(i32::from(exponent) - 127),
                }
            })),
        };
        tensor.map_err(torch_reason)
    }
}

fn wider<const BYTES: usize, T>(bytes: &[u8], convert: impl Fn([u8; BYTES]) -> T) -> Vec<T> {
    let numbers = bytes.chunks_exact(BYTES);
    numbers.map(|number| convert(number.try_into().expect("of this length"))).collect()
}

/// libtorch's first sentence.
pub(super) fn torch_reason(error: tch::TchError) -> String {
    match Error::torch("it")(error) {
        Error::Torch { message, .. } => message,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_that_of_one_kind() {
        for (index, row) in ROWS.iter().enumerate() {
            let Some(files) = row.in_files else {
                assert_eq!(Dtype::of_torch(row.torch), None);
                continue;
            };
            let dtype = Dtype(index);
            assert_eq!(Dtype::of_torch(row.torch), Some(dtype));
            assert_eq!(Dtype::of_storage(&format!("{}Storage", files.scalar)), Some(dtype));
            if let Some(name) = files.safetensors {
                assert_eq!(Dtype::of_safetensors(name), Some(dtype));
            }
            if let Some(kind) = row.kind {
                assert_eq!(Dtype::of_kind(kind), Some(dtype));
                assert_eq!(kind.elt_size_in_bytes(), dtype.bytes());
            }
        }
        assert_eq!(Dtype::of_storage("QInt8Storage"), None);
        assert_eq!(Dtype::of_kind(Kind::QInt8), None);
    }

    #[test]
    fn kinds_that_tch_lacks_keep_their_values() {
        let read = |name: &str, bytes: &[u8]| {
            Dtype::of_torch(name).expect("known").numbers(bytes).map(|tensor| {
                Vec::<f64>::try_from(tensor.to_kind(Kind::Double)).expect("one dimension")
            })
        };
        assert_eq!(read("uint16", &[0xff, 0xff, 1, 0]), Ok(vec![65_535.0, 1.0]));
        assert_eq!(read("uint32", &[0xff; 4]), Ok(vec![4_294_967_295.0]));
        assert_eq!(read("uint64", &[1, 0, 0, 0, 0, 0, 0, 0]), Ok(vec![1.0]));
        assert!(read("uint64", &[0xff; 8]).expect_err("too large").contains("uint64"));
        assert_eq!(read("float8_e8m0fnu", &[127, 128, 0]), Ok(vec![1.0, 2.0, 2f64.powi(-127)]));
        assert!(read("float8_e8m0fnu", &[255]).expect("NaN")[0].is_nan());
    }
}
