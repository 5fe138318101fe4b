//! The kinds of numbers that files hold, under the names that each format has for them.

use tch::{Kind, Tensor};

use crate::error::Error;

/// A kind of numbers; PyTorch has more of them than tch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Dtype(usize);

/// What is known of a kind.
struct Row {
    /// `torch.float32` without `torch.`
    torch: &'static str,
    /// libtorch's name for the scalar, which with `Storage` behind it is that of the storage class.
    scalar: &'static str,
    /// Whether Python has such a storage class.
    classic: bool,
    /// The name in `.safetensors`.
    safetensors: Option<&'static str>,
    bytes: usize,
    /// tch's kind; `None` where tch has none, and the numbers are read as a wider kind.
    kind: Option<Kind>,
}

const fn row(
    torch: &'static str,
    scalar: &'static str,
    classic: bool,
    safetensors: Option<&'static str>,
    bytes: usize,
    kind: Option<Kind>,
) -> Row {
    Row { torch, scalar, classic, safetensors, bytes, kind }
}

#[rustfmt::skip]
const ROWS: [Row; 21] = [
    row("float32", "Float", true, Some("F32"), 4, Some(Kind::Float)),
    row("float64", "Double", true, Some("F64"), 8, Some(Kind::Double)),
    row("float16", "Half", true, Some("F16"), 2, Some(Kind::Half)),
    row("bfloat16", "BFloat16", true, Some("BF16"), 2, Some(Kind::BFloat16)),
    row("int64", "Long", true, Some("I64"), 8, Some(Kind::Int64)),
    row("int32", "Int", true, Some("I32"), 4, Some(Kind::Int)),
    row("int16", "Short", true, Some("I16"), 2, Some(Kind::Int16)),
    row("int8", "Char", true, Some("I8"), 1, Some(Kind::Int8)),
    row("uint8", "Byte", true, Some("U8"), 1, Some(Kind::Uint8)),
    row("bool", "Bool", true, Some("BOOL"), 1, Some(Kind::Bool)),
    row("complex64", "ComplexFloat", true, Some("C64"), 8, Some(Kind::ComplexFloat)),
    row("complex128", "ComplexDouble", true, None, 16, Some(Kind::ComplexDouble)),
    row("complex32", "ComplexHalf", false, None, 4, Some(Kind::ComplexHalf)),
    row("float8_e5m2", "Float8_e5m2", false, Some("F8_E5M2"), 1, Some(Kind::Float8e5m2)),
    row("float8_e4m3fn", "Float8_e4m3fn", false, Some("F8_E4M3"), 1, Some(Kind::Float8e4m3fn)),
    row("float8_e5m2fnuz", "Float8_e5m2fnuz", false, Some("F8_E5M2FNUZ"), 1, Some(Kind::Float8e5m2fnuz)),
    row("float8_e4m3fnuz", "Float8_e4m3fnuz", false, Some("F8_E4M3FNUZ"), 1, Some(Kind::Float8e4m3fnuz)),
    row("float8_e8m0fnu", "Float8_e8m0fnu", false, Some("F8_E8M0"), 1, None),
    row("uint16", "UInt16", false, Some("U16"), 2, None),
    row("uint32", "UInt32", false, Some("U32"), 4, None),
    row("uint64", "UInt64", false, Some("U64"), 8, None),
];

impl Dtype {
    fn find(matches: impl Fn(&Row) -> bool) -> Option<Dtype> {
        ROWS.iter().position(matches).map(Dtype)
    }

    /// `float32`
    pub(super) fn of_torch(name: &str) -> Option<Dtype> {
        Dtype::find(|row| row.torch == name)
    }

    /// `FloatStorage`
    pub(super) fn of_storage(class: &str) -> Option<Dtype> {
        let scalar = class.strip_suffix("Storage")?;
        Dtype::find(|row| row.scalar == scalar)
    }

    /// `F32`
    pub(super) fn of_safetensors(name: &str) -> Option<Dtype> {
        Dtype::find(|row| row.safetensors == Some(name))
    }

    pub(super) fn of_kind(kind: Kind) -> Option<Dtype> {
        Dtype::find(|row| row.kind == Some(kind))
    }

    fn row(self) -> &'static Row {
        &ROWS[self.0]
    }

    /// `float32`
    pub(super) fn torch(self) -> &'static str {
        self.row().torch
    }

    /// tch's kind, where it has one.
    pub(super) fn kind(self) -> Option<Kind> {
        self.row().kind
    }

    /// `FloatStorage`, where Python has it.
    pub(super) fn storage_class(self) -> Option<String> {
        self.row().classic.then(|| format!("{}Storage", self.row().scalar))
    }

    /// `F32`, where the format has it.
    pub(super) fn safetensors(self) -> Option<&'static str> {
        self.row().safetensors
    }

    /// Bytes of one number.
    pub(super) fn bytes(self) -> usize {
        self.row().bytes
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
            let dtype = Dtype(index);
            assert_eq!(Dtype::of_torch(row.torch), Some(dtype));
            assert_eq!(Dtype::of_storage(&format!("{}Storage", row.scalar)), Some(dtype));
            if let Some(name) = row.safetensors {
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
