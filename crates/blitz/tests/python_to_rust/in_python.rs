//! Values as Python prints them.

use blitz::prelude::*;

/// Has a form that Python prints.
pub trait InPython {
    /// What Python's `repr` gives for the same value, with every list, tuple and `torch.Size` in
    /// square brackets.
    fn in_python(&self) -> String;
}

impl InPython for Tensor {
    fn in_python(&self) -> String {
        repr(self).to_string()
    }
}

impl<T: InPython + ?Sized> InPython for &T {
    fn in_python(&self) -> String {
        (**self).in_python()
    }
}

impl InPython for bool {
    fn in_python(&self) -> String {
        if *self { "True" } else { "False" }.to_owned()
    }
}

impl InPython for f64 {
    fn in_python(&self) -> String {
        format!("{self:?}")
    }
}

impl InPython for str {
    fn in_python(&self) -> String {
        format!("'{self}'")
    }
}

impl InPython for String {
    fn in_python(&self) -> String {
        self.as_str().in_python()
    }
}

impl InPython for Kind {
    fn in_python(&self) -> String {
        let name = match self {
            Kind::Float => "float32",
            Kind::Double => "float64",
            Kind::Int64 => "int64",
            Kind::Int => "int32",
            Kind::Bool => "bool",
            Kind::Uint8 => "uint8",
            other => panic!("name {other:?} here"),
        };
        format!("torch.{name}")
    }
}

impl InPython for Device {
    fn in_python(&self) -> String {
        assert_eq!(*self, Device::Cpu);
        "cpu".to_owned()
    }
}

impl<T: InPython> InPython for Option<T> {
    fn in_python(&self) -> String {
        self.as_ref().map_or("None".to_owned(), InPython::in_python)
    }
}

impl<T: InPython> InPython for [T] {
    fn in_python(&self) -> String {
        let items: Vec<String> = self.iter().map(InPython::in_python).collect();
        format!("[{}]", items.join(", "))
    }
}

impl<T: InPython> InPython for Vec<T> {
    fn in_python(&self) -> String {
        self.as_slice().in_python()
    }
}

impl<A: InPython, B: InPython> InPython for (A, B) {
    fn in_python(&self) -> String {
        format!("[{}, {}]", self.0.in_python(), self.1.in_python())
    }
}

macro_rules! integers {
    ($($integer:ty),*) => { $(
        impl InPython for $integer {
            fn in_python(&self) -> String {
                self.to_string()
            }
        }
    )* };
}
integers!(i64, u8, usize);
