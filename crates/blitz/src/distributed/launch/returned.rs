//! What a function that runs in another process can return.

use std::time::Duration;

use tch::{Device, Kind, Tensor};

use crate::train::fit::{EpochReport, FitReport, LossPoint};
use crate::train::metrics::Evaluation;

/// A value that [`launch`](super::launch) brings from the process of rank 0 to the cell.
///
/// For a struct of your own, write its fields one after the other, and read them in the same order:
///
/// ```
/// use blitz::distributed::Returned;
///
/// struct Point { x: f64, y: f64 }
///
/// impl Returned for Point {
///     fn write(&self, bytes: &mut Vec<u8>) {
///         self.x.write(bytes);
///         self.y.write(bytes);
///     }
///
///     fn read(bytes: &mut &[u8]) -> Option<Point> {
///         Some(Point { x: f64::read(bytes)?, y: f64::read(bytes)? })
///     }
/// }
/// ```
pub trait Returned: Sized {
    /// Appends the value.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Takes the value from the front of `bytes`; `None` where they hold none.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Returned for $number {
            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &mut &[u8]) -> Option<$number> {
                let front = bytes.split_off(..size_of::<$number>())?;
                Some(<$number>::from_le_bytes(front.try_into().ok()?))
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: Returned),*> Returned for ($($name,)*) {
            #[allow(non_snake_case, unused_variables, clippy::unused_unit)]
            fn write(&self, bytes: &mut Vec<u8>) {
                let ($($name,)*) = self;
                $($name.write(bytes);)*
            }

            #[allow(unused_variables)]
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(($($name::read(bytes)?,)*))
            }
        }
    )*};
}

tuples!(() (A) (A B) (A B C) (A B C D));

/// A struct whose fields are all there is to it.
macro_rules! structs {
    ($($name:ident { $($field:ident)* })*) => {$(
        impl Returned for $name {
            fn write(&self, bytes: &mut Vec<u8>) {
                $(self.$field.write(bytes);)*
            }

            fn read(bytes: &mut &[u8]) -> Option<$name> {
                Some($name { $($field: Returned::read(bytes)?),* })
            }
        }
    )*};
}

structs! {
    LossPoint { step loss lr }
    EpochReport { steps loss accuracy lr elapsed }
    FitReport { points epochs steps elapsed interrupted }
    Evaluation { classes confusion }
}

impl Returned for bool {
    fn write(&self, bytes: &mut Vec<u8>) {
        u8::from(*self).write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<bool> {
        match u8::read(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Returned for char {
    fn write(&self, bytes: &mut Vec<u8>) {
        u32::from(*self).write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<char> {
        char::from_u32(u32::read(bytes)?)
    }
}

impl Returned for Duration {
    fn write(&self, bytes: &mut Vec<u8>) {
        (self.as_secs(), self.subsec_nanos()).write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Duration> {
        let (seconds, nanoseconds) = <(u64, u32)>::read(bytes)?;
        (nanoseconds < 1_000_000_000).then(|| Duration::new(seconds, nanoseconds))
    }
}

impl Returned for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.len().write(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<String> {
        let length = usize::read(bytes)?;
        String::from_utf8(bytes.split_off(..length)?.to_vec()).ok()
    }
}

impl<T: Returned> Returned for Option<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.is_some().write(bytes);
        if let Some(value) = self {
            value.write(bytes);
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Option<T>> {
        match bool::read(bytes)? {
            true => Some(Some(T::read(bytes)?)),
            false => Some(None),
        }
    }
}

impl<T: Returned> Returned for Vec<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.len().write(bytes);
        self.iter().for_each(|value| value.write(bytes));
    }

    fn read(bytes: &mut &[u8]) -> Option<Vec<T>> {
        let length = usize::read(bytes)?;
        (0..length).map(|_| T::read(bytes)).collect()
    }
}

/// The kinds that a tensor can have here; a kind is sent as its place in this list.
#[rustfmt::skip]
const KINDS: [Kind; 17] = [
    Kind::Float, Kind::Double, Kind::Half, Kind::BFloat16, Kind::Int64, Kind::Int, Kind::Int16,
    Kind::Int8, Kind::Uint8, Kind::Bool, Kind::ComplexFloat, Kind::ComplexDouble, Kind::ComplexHalf,
    Kind::Float8e5m2, Kind::Float8e4m3fn, Kind::Float8e5m2fnuz, Kind::Float8e4m3fnuz,
];

/// On the CPU, without its gradient and the way it was computed.
impl Returned for Tensor {
    fn write(&self, bytes: &mut Vec<u8>) {
        let tensor = self.detach().to_device(Device::Cpu).contiguous();
        let kind = KINDS.iter().position(|kind| *kind == tensor.kind());
        (kind, tensor.size()).write(bytes);
        let length = tensor.numel() * tensor.kind().elt_size_in_bytes();
        let start = bytes.len();
        bytes.resize(start + length, 0);
        tensor.copy_data_u8(&mut bytes[start..], tensor.numel());
    }

    fn read(bytes: &mut &[u8]) -> Option<Tensor> {
        let (kind, size) = <(Option<usize>, Vec<i64>)>::read(bytes)?;
        let kind = *KINDS.get(kind?)?;
        let elements = size
            .iter()
            .try_fold(1usize, |product, size| product.checked_mul(usize::try_from(*size).ok()?))?;
        let length = elements.checked_mul(kind.elt_size_in_bytes())?;
        Tensor::f_from_data_size(bytes.split_off(..length)?, &size, kind).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent<T: Returned>(value: &T) -> T {
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        let mut left = bytes.as_slice();
        let read = T::read(&mut left).expect("what was written is read");
        assert!(left.is_empty());
        for end in 0..bytes.len() {
            assert!(T::read(&mut &bytes[..end]).is_none(), "{end} of {} bytes", bytes.len());
        }
        read
    }

    #[test]
    fn values_arrive_as_they_were() {
        let value = (vec![Some(1.5f32), None], "grün\n".to_owned(), (-3i64, u8::MAX), true);
        assert_eq!(sent(&value), value);
        assert_eq!(sent(&f64::INFINITY), f64::INFINITY);
        assert!(sent(&f64::NAN).is_nan());
        sent(&());
        assert_eq!(sent(&Some('ß')), Some('ß'));
        assert_eq!(sent(&vec![(); 3]).len(), 3);
    }

    #[test]
    fn reports_arrive_as_they_were() {
        let elapsed = Duration::from_nanos(1_234_567_891);
        let point = LossPoint { step: 7, loss: 0.25, lr: Some(0.001) };
        let epoch = EpochReport { steps: 10, loss: 0.5, accuracy: None, lr: None, elapsed };
        let report = FitReport {
            points: vec![point; 2],
            epochs: vec![epoch],
            steps: 14,
            elapsed,
            interrupted: Some("after epoch 1".to_owned()),
        };
        assert_eq!(sent(&report), report);
        let classes = vec!["cat".to_owned(), "dog".to_owned()];
        let evaluation = Evaluation { classes, confusion: vec![vec![3, 1], vec![0, 4]] };
        assert_eq!(sent(&evaluation), evaluation);
    }

    #[test]
    fn tensors_arrive_with_kind_and_size() {
        let counted = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 3]);
        for kind in KINDS {
            let tensor = counted.to_kind(kind).transpose(0, 1);
            let read = sent(&tensor);
            assert_eq!((read.kind(), read.size()), (kind, vec![3, 2]));
            let wide = |tensor: &Tensor| tensor.to_kind(Kind::ComplexDouble);
            assert!(wide(&read).equal(&wide(&tensor)), "{kind:?}");
        }
        let empty = Tensor::zeros([0, 4], (Kind::Int64, Device::Cpu));
        assert_eq!(sent(&empty).size(), [0, 4]);
        let scalar = Tensor::from(2.5).set_requires_grad(true);
        assert_eq!(sent(&scalar).double_value(&[]), 2.5);
        assert!(!sent(&scalar).requires_grad());
    }
}
