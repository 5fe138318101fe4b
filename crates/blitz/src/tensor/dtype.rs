//! PyTorch's kinds of numbers, under the names that Python, libtorch, tch and files have for them.

use tch::Kind;

use StorageClass::{Classic, Untyped};

/// What is known of a kind.
pub(crate) struct Row {
    /// `torch.float32` without `torch.`
    pub(crate) torch: &'static str,
    /// tch's kind, where it has one.
    pub(crate) kind: Option<Kind>,
    /// How files hold such numbers; `None` where no file is read that has them.
    pub(crate) in_files: Option<InFiles>,
}

/// How files hold numbers of a kind.
#[derive(Clone, Copy)]
pub(crate) struct InFiles {
    /// libtorch's name for the scalar, which with `Storage` behind it is that of the storage class.
    pub(crate) scalar: &'static str,
    pub(crate) class: StorageClass,
    /// The name in `.safetensors`.
    pub(crate) safetensors: Option<&'static str>,
    pub(crate) bytes: usize,
}

/// Of which class a storage is in what `torch.save` writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StorageClass {
    /// Of one that is named after the kind.
    Classic,
    /// Of `UntypedStorage`: Python has no class for the kind.
    Untyped,
}

const fn row(torch: &'static str, kind: Option<Kind>, in_files: Option<InFiles>) -> Row {
    Row { torch, kind, in_files }
}

const fn in_files(
    scalar: &'static str,
    class: StorageClass,
    safetensors: Option<&'static str>,
    bytes: usize,
) -> Option<InFiles> {
    Some(InFiles { scalar, class, safetensors, bytes })
}

/// In the order of `c10::ScalarType`.
#[rustfmt::skip]
pub(crate) const ROWS: [Row; 46] = [
    row("uint8", Some(Kind::Uint8), in_files("Byte", Classic, Some("U8"), 1)),
    row("int8", Some(Kind::Int8), in_files("Char", Classic, Some("I8"), 1)),
    row("int16", Some(Kind::Int16), in_files("Short", Classic, Some("I16"), 2)),
    row("int32", Some(Kind::Int), in_files("Int", Classic, Some("I32"), 4)),
    row("int64", Some(Kind::Int64), in_files("Long", Classic, Some("I64"), 8)),
    row("float16", Some(Kind::Half), in_files("Half", Classic, Some("F16"), 2)),
    row("float32", Some(Kind::Float), in_files("Float", Classic, Some("F32"), 4)),
    row("float64", Some(Kind::Double), in_files("Double", Classic, Some("F64"), 8)),
    row("complex32", Some(Kind::ComplexHalf), in_files("ComplexHalf", Untyped, None, 4)),
    row("complex64", Some(Kind::ComplexFloat), in_files("ComplexFloat", Classic, Some("C64"), 8)),
    row("complex128", Some(Kind::ComplexDouble), in_files("ComplexDouble", Classic, None, 16)),
    row("bool", Some(Kind::Bool), in_files("Bool", Classic, Some("BOOL"), 1)),
    row("qint8", Some(Kind::QInt8), None),
    row("quint8", Some(Kind::QUInt8), None),
    row("qint32", Some(Kind::QInt32), None),
    row("bfloat16", Some(Kind::BFloat16), in_files("BFloat16", Classic, Some("BF16"), 2)),
    row("quint4x2", None, None),
    row("quint2x4", None, None),
    row("bits1x8", None, None),
    row("bits2x4", None, None),
    row("bits4x2", None, None),
    row("bits8", None, None),
    row("bits16", None, None),
    row("float8_e5m2", Some(Kind::Float8e5m2), in_files("Float8_e5m2", Untyped, Some("F8_E5M2"), 1)),
    row("float8_e4m3fn", Some(Kind::Float8e4m3fn), in_files("Float8_e4m3fn", Untyped, Some("F8_E4M3"), 1)),
    row("float8_e5m2fnuz", Some(Kind::Float8e5m2fnuz), in_files("Float8_e5m2fnuz", Untyped, Some("F8_E5M2FNUZ"), 1)),
    row("float8_e4m3fnuz", Some(Kind::Float8e4m3fnuz), in_files("Float8_e4m3fnuz", Untyped, Some("F8_E4M3FNUZ"), 1)),
    row("uint16", None, in_files("UInt16", Untyped, Some("U16"), 2)),
    row("uint32", None, in_files("UInt32", Untyped, Some("U32"), 4)),
    row("uint64", None, in_files("UInt64", Untyped, Some("U64"), 8)),
    row("uint1", None, None),
    row("uint2", None, None),
    row("uint3", None, None),
    row("uint4", None, None),
    row("uint5", None, None),
    row("uint6", None, None),
    row("uint7", None, None),
    row("int1", None, None),
    row("int2", None, None),
    row("int3", None, None),
    row("int4", None, None),
    row("int5", None, None),
    row("int6", None, None),
    row("int7", None, None),
    row("float8_e8m0fnu", None, in_files("Float8_e8m0fnu", Untyped, Some("F8_E8M0"), 1)),
    row("float4_e2m1fn_x2", None, None),
];

/// Python's name for the kind that libtorch gives this number.
pub(crate) fn name_of_scalar_type(number: i32) -> &'static str {
    let index = usize::try_from(number).ok();
    index.and_then(|index| ROWS.get(index)).map_or("unknown", |row| row.torch)
}

/// Python's name for a kind of tch.
pub(crate) fn name_of_kind(kind: Kind) -> &'static str {
    ROWS.iter().find(|row| row.kind == Some(kind)).map_or("unknown", |row| row.torch)
}

#[cfg(test)]
mod tests {
    use tch::{Device, Tensor};

    use super::*;
    use crate::tensor::repr::facts::Facts;

    #[test]
    fn each_kind_of_tch_stands_where_libtorch_counts_it() {
        let ramp = Tensor::arange(3, (Kind::Float, Device::Cpu));
        let kinds: Vec<Kind> = ROWS.iter().filter_map(|row| row.kind).collect();
        assert_eq!(kinds.len(), 20);
        for kind in kinds {
            let tensor = match kind {
                Kind::QInt8 | Kind::QUInt8 | Kind::QInt32 => ramp.quantize_per_tensor(0.1, 0, kind),
                kind => Tensor::zeros([2], (kind, Device::Cpu)),
            };
            let python = Facts::of(&tensor).expect("a tensor").dtype();
            assert_eq!(python, format!("torch.{}", name_of_kind(kind)), "{kind:?}");
        }
        assert_eq!(name_of_scalar_type(-1), "unknown");
        assert_eq!(name_of_scalar_type(46), "unknown");
    }
}
