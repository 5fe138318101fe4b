//! The type under which a variable can be kept.

use blitz_toolchain::variable_types::{Variable, extent};

const BOX: &str = "::std::boxed::Box";
/// Traits that a box of another trait may promise besides.
const AUTO: [&str; 5] = ["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];
/// Traits that no box can promise.
const NOT_DYN: [&str; 9] =
    ["Clone", "Copy", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd", "Sized"];
/// Iterators that can more than `Iterator`.
const ITERATORS: [&str; 2] = ["DoubleEndedIterator", "ExactSizeIterator"];

/// A variable's new type, and the value of that type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebinding {
    /// The type.
    pub type_name: String,
    /// An expression in which the variable is the old one.
    pub value: String,
}

/// How a variable can be kept, or `None` where nothing has a type with a name.
pub fn rebinding(variable: &Variable) -> Option<Rebinding> {
    let (name, type_name) = (&variable.name, &variable.type_name);
    if variable.is_nameable() {
        return Some(Rebinding { type_name: type_name.clone(), value: name.clone() });
    }
    let traits = if let Some(bounds) = type_name.strip_prefix("impl ") {
        dyn_traits(bounds)?
    } else if let Some(signature) =
        variable.signature.as_ref().filter(|_| type_name.starts_with("{closure"))
    {
        let output = match signature.output.as_str() {
            "()" => String::new(),
            output => format!(" -> {output}"),
        };
        format!("::std::ops::{}({}){output}", signature.kind, signature.arguments)
    } else if let Some(output) = &variable.future {
        format!("::std::future::Future<Output = {output}>")
    } else {
        format!("::std::iter::Iterator<Item = {}>", variable.item.as_ref()?)
    };
    let boxed = format!("{BOX}<dyn {traits}>");
    let is_nameable = Variable { type_name: boxed.clone(), ..Variable::default() }.is_nameable();
    let rebinding = match last_name(&traits) {
        // A future is polled where it is pinned.
        "Future" => Rebinding {
            type_name: format!("::std::pin::Pin<{boxed}>"),
            value: format!("{BOX}::pin({name})"),
        },
        _ => Rebinding { type_name: boxed, value: format!("{BOX}::new({name})") },
    };
    is_nameable.then_some(rebinding)
}

/// `impl A` and `impl B` inside a type as boxes, for people to read; `None` where there is none.
pub fn boxed_parts(type_name: &str) -> Option<String> {
    let mut shown = String::new();
    let mut rest = type_name;
    while let Some(at) = rest.find("impl ") {
        let bounds = &rest[at + 5..];
        let end = extent(bounds);
        shown.push_str(&format!("{}Box<dyn {}>", &rest[..at], &bounds[..end]));
        rest = &bounds[end..];
    }
    (!shown.is_empty()).then(|| (shown + rest).replace("::std::", "std::"))
}

/// The type of a variable that holds closures with these in boxes, for people to read; `None` where
/// rustc does not know how they are called.
pub fn boxed_closure(variable: &Variable) -> Option<String> {
    let signature = variable.signature_of_item.as_ref()?;
    let start = variable.type_name.find("{closure")?;
    let end = start + variable.type_name[start..].find('}')? + 1;
    let (before, after) = (&variable.type_name[..start], &variable.type_name[end..]);
    let output = match signature.output.as_str() {
        "()" => String::new(),
        output => format!(" -> {output}"),
    };
    let closure = format!("Box<dyn Fn({}){output}>", signature.arguments);
    // The path before it leads to what holds the closures; its last name says enough.
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let (holder, bracket) = before.strip_suffix('<').map_or((before, ""), |holder| (holder, "<"));
    let path = holder.rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
    let name = holder[path..].rsplit("::").next().unwrap_or_default();
    Some(format!("{}{name}{bracket}{closure}{after}", &holder[..path]))
}

/// The bounds of an `impl` type that a box can promise.
fn dyn_traits(bounds: &str) -> Option<String> {
    let bounds: Vec<&str> = split(bounds);
    let is_one_of = |bound: &&&str, names: &[&str]| names.contains(&last_name(bound));
    let is_plain = |bound: &&&str| {
        !is_one_of(bound, &AUTO)
            && !is_one_of(bound, &NOT_DYN)
            && !bound.starts_with(['\'', '?'])
            && !bound.starts_with("use<")
            && !bound.starts_with("const ")
    };
    let iterator = bounds.iter().find(|bound| is_one_of(bound, &ITERATORS) && bound.contains('<'));
    let main = iterator.or_else(|| bounds.iter().find(is_plain))?;
    let auto = bounds.iter().filter(|bound| is_one_of(bound, &AUTO));
    Some([main].into_iter().chain(auto).copied().collect::<Vec<_>>().join(" + "))
}

/// The last name of a path, without its arguments.
fn last_name(path: &str) -> &str {
    let path = path.split(['<', '(']).next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or_default().trim()
}

/// Bounds with `+` between them.
fn split(bounds: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut last) = (0, 0, ' ');
    for (at, character) in bounds.char_indices() {
        match character {
            '<' | '(' | '[' => depth += 1,
            '>' if last == '-' => {}
            '>' | ')' | ']' => depth -= 1,
            // What a function returns reaches to the end.
            '+' if depth == 0 => {
                parts.push(bounds[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        last = character;
    }
    parts.push(bounds[start..].trim());
    parts
}
