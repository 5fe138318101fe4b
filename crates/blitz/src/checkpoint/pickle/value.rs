//! The values that a pickle makes.

/// A value; whatever is larger than a number lies in one of the machine's lists.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Float(f64),
    Integer(i64),
    /// An integer of more than 8 bytes.
    Long,
    /// The number that PyTorch's files from before version 1.6 begin with.
    Magic,
    Text(usize),
    Bytes,
    Set,
    List(usize),
    Tuple(usize),
    Dict(usize),
    Name(usize),
    Storage(usize),
    Tensor(usize),
    Object(usize),
}

/// A class or function by its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) module: &'a str,
    pub(super) name: &'a str,
}

/// What a call that is not carried out would give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    /// The place of its class's or function's name, where it has one.
    pub(super) class: Option<usize>,
    /// What `BUILD` gave it.
    pub(super) state: Option<Value>,
}

impl Value {
    /// For messages about a pickle that is not put together as it should be.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Value::None => "None",
            Value::Bool(_) => "a bool",
            Value::Float(_) => "a float",
            Value::Integer(_) | Value::Long | Value::Magic => "an integer",
            Value::Text(_) => "a string",
            Value::Bytes => "bytes",
            Value::Set => "a set",
            Value::List(_) => "a list",
            Value::Tuple(_) => "a tuple",
            Value::Dict(_) => "a dict",
            Value::Name(_) => "a class or function",
            Value::Storage(_) => "a storage",
            Value::Tensor(_) => "a tensor",
            Value::Object(_) => "an object",
        }
    }
}
