"""What evcxr and the kernel write around a cell works beside names of the cells' own."""

import pytest
from driver import DEPENDENCIES

DEFINITIONS = {
    "struct Result": "#[derive(Debug)] struct Result;",
    "struct Box and fn drop": "struct Box<T>(T); fn drop(n: i32) -> i32 { n }",
    "struct String": "struct String { text: &'static str }",
    "struct Vec": "struct Vec;",
    "struct Option": "struct Option<A, B>(A, B);",
    "variants": "enum E { Ok, Err, Some, None, Vec, String, Option } use E::*;",
    "functions": "fn stringify() {} fn Ok() {} fn Err() {} fn Some() {} fn mutex() {}",
    "constants": "const vars_ok: i32 = 1; const mutex: i32 = 2; const guard: bool = true;",
    "units": "struct vars_ok; struct poisoned; static r: i32 = 1; struct block; struct T;",
    "trait From": "trait From<T> { fn from(_: T) -> Self; } "
    "impl<T> From<T> for () { fn from(_: T) {} }",
    "traits": "trait Display {} trait Debug {} trait Deref {} trait Fn {} trait Send {}",
    "mod std": "mod std { pub mod fmt { pub struct Debug; } pub fn panic() {} }",
    "mod core": "mod core { pub mod option {} } mod alloc {}",
    "mod blitz and mod tch": "mod blitz { pub fn f() {} } mod tch { pub struct Tensor; }",
    "println": "macro_rules! println { ($($t:tt)*) => { 5 } } macro_rules! eprintln { () => {} }",
    "format": "macro_rules! format { () => { () } } macro_rules! stringify { () => {} }",
    "macros": "macro_rules! matches { () => {} } macro_rules! write { () => {} }",
    "primitive types": "struct i32; struct u8; struct str; struct usize;",
    "module i32": "mod i32 { pub fn f() {} } mod u8 {}",
    "an import as std": "use ::std::collections as std;",
    "an import as Vec": "use ::std::collections::VecDeque as Vec; use ::std::fmt::Result;",
    "a blanket trait": "trait Shown { fn shown(&self) {} } impl<T> Shown for T {}",
    "a blanket From": "struct Own; impl<T: ToString> ::std::convert::From<T> for Own "
    "{ fn from(_: T) -> Own { Own } }",
    "names that are also modules": "mod panic {} mod io {} mod fmt {} mod primitive {}",
}


@pytest.fixture
def cleared(torch_kernel):
    """A kernel in which no cell has run."""
    torch_kernel.execute(":clear").ok()
    torch_kernel.execute(DEPENDENCIES).ok()
    yield torch_kernel
    torch_kernel.execute(":clear").ok()


def shown(kernel, code):
    return kernel.execute(code).ok().result["text/plain"]


# rust-analyzer takes `i32` for the struct: a new variable of numbers gets no type that compiles.
PRIMITIVE = pytest.param(
    "primitive types",
    marks=pytest.mark.xfail(strict=True, reason="new variables of shadowed primitive types"),
)
CASES = [PRIMITIVE if name == "primitive types" else name for name in DEFINITIONS]


@pytest.mark.parametrize("name", CASES)
def test_cells_behave_as_before(cleared, name):
    cleared.execute('let numbers = vec![1, 2]; let mut text = "a".to_owned();').ok()
    cleared.execute('let maybe = [3].first().copied(); let word = &"b"[..];').ok()
    cleared.execute(DEFINITIONS[name]).ok()
    # Variables of earlier cells, of types whose names have another meaning now.
    assert shown(cleared, "numbers.len() + word.len()") == "3"
    cleared.execute("text.push('c');").ok()
    assert shown(cleared, "(&text, maybe.unwrap())") == '("ac", 3)'
    # Variables of this one.
    cleared.execute(
        "let more = numbers.iter().map(|n| n * 2).collect::<::std::vec::Vec<_>>();"
    ).ok()
    assert shown(cleared, "more") == "[2, 4]"
    # `?`, with a value and with an error.
    cleared.execute('let seven: u64 = "7".parse()?;').ok()
    assert shown(cleared, "seven") == "7"
    assert cleared.execute('"x".parse::<u64>()?').error["ename"] == "ParseIntError"
    # A panic, and the variables after it.
    assert cleared.execute("let n = numbers.len() + 5; numbers[n];").error["ename"] == "panic"
    assert shown(cleared, "seven + 1") == "8"
    # A tensor, shown and kept.
    cleared.execute(
        "let ones = ::tch::Tensor::ones([2], (::tch::Kind::Float, ::tch::Device::Cpu));"
    ).ok()
    assert "tensor([1., 1.])" in shown(cleared, "ones")


def test_the_names_mean_what_the_cells_say(cleared):
    cleared.execute("#[derive(Debug)] enum E { Ok(i64), Err } use E::*;").ok()
    cleared.execute("let own = Ok(5);").ok()
    assert shown(cleared, "own") == "Ok(5)"
    cleared.execute("#[derive(Debug)] struct Vec { length: u8 } let v = Vec { length: 3 };").ok()
    assert shown(cleared, "v.length") == "3"
    cleared.execute("macro_rules! println { ($n:expr) => { $n + 1 } }").ok()
    assert shown(cleared, "println!(1)") == "2"
    cleared.execute("mod std { pub fn own() -> u8 { 4 } }").ok()
    assert shown(cleared, "std::own()") == "4"
    assert shown(cleared, "(own, v)") == "(Ok(5), Vec { length: 3 })"


def test_a_type_shows_itself_through_a_trait_of_the_cells(cleared):
    cleared.execute(
        "trait Show { fn evcxr_display(&self); }\n#[derive(Debug)] struct Net;\n"
        'impl Show for Net { fn evcxr_display(&self) { println!("own"); } }'
    ).ok()
    executed = cleared.execute("Net").ok()
    assert executed.stdout == "own\n" and executed.result is None
    assert shown(cleared, "[Net]") == "[Net]"


def test_await_works_beside_names_of_the_cells(cleared):
    cleared.execute(
        "#[derive(Debug)] enum E { Ok, Err } use E::*; const mutex: u8 = 1; fn guard() {}"
    ).ok()
    cleared.execute("async fn four() -> u8 { 4 }").ok()
    cleared.execute('let n = four().await; println!("{n}");').ok()
    assert shown(cleared, "n") == "4"
