"""Variables of types that the engine must write down: from elsewhere, without a name, borrowed."""

import pytest

# A definition, and what a later cell sees of it.
KEPT = {
    "let joined = std::thread::spawn(|| 1).join();": ("joined.unwrap()", "1"),
    'let failed = std::io::Error::other("no"); let failed: std::io::Result<u8> = Err(failed);': (
        "failed.unwrap_err().to_string()",
        '"no"',
    ),
    'fn f() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> { Ok("x".parse()?) }\n'
    "let parsed = f();": ("parsed.unwrap_err().to_string()", '"invalid digit found in string"'),
    "static WORDS: &(dyn std::fmt::Debug + Send + Sync) = &5; let words = WORDS;": ("words", "5"),
    'let letters = "abc".chars().peekable();': ("letters.collect::<String>()", '"abc"'),
    "trait Area { fn area(&self) -> u8; } impl Area for u8 { fn area(&self) -> u8 { *self } }\n"
    "fn shape() -> std::rc::Rc<std::cell::RefCell<dyn Area>> "
    "{ std::rc::Rc::new(std::cell::RefCell::new(3u8)) }\nlet cell = shape();": (
        "cell.borrow().area()",
        "3",
    ),
    "fn twice(n: i32) -> i32 { 2 * n }\n"
    "let function = twice; let table = [twice as fn(i32) -> i32; 2];": (
        "(function(2), table[1](3))",
        "(4, 6)",
    ),
    "mod shapes { mod hidden { #[derive(Debug)] pub struct Inner; }\n"
    "pub type Shape = hidden::Inner;\n"
    "pub fn make() -> Option<Shape> { Some(hidden::Inner) } }\n"
    "let hidden = shapes::make();": ("hidden", "Some(Inner)"),
    # Without a name.
    "let plus = |n: i32| n + 1;": ("plus(4)", "5"),
    'let greet = |name: &str, mark: char| format!("{name}{mark}"); // a comment': (
        "greet(\"you\", '!')",
        '"you!"',
    ),
    "let mut n = 0; let mut count = move |by: i32| { n += by; n };": (
        "(count(2), count(3))",
        "(2, 5)",
    ),
    'let text = String::from("once"); let give = move || text;': ("give()", '"once"'),
    "let (double, half) = (|n: u8| 2 * n, |n: u8| n / 2);": ("half(double(5))", "5"),
    'let word: &\'static str = "hi"; let hello = move || word.len();': ("hello()", "2"),
    "fn evens() -> impl Iterator<Item = u64> + Clone { (0..).step_by(2) }\n"
    "let mut even = evens();": (
        "(even.next(), even.nth(1))",
        "(Some(0), Some(4))",
    ),
    "let squares = (1..4).map(|n| n * n).filter(|n| n % 2 == 1);": (
        "squares.collect::<Vec<i32>>()",
        "[1, 9]",
    ),
    "fn shown() -> impl std::fmt::Display + Send { 7 }\nlet seven = shown();": (
        "seven.to_string()",
        '"7"',
    ),
    "fn adder(by: i32) -> impl Fn(i32) -> i32 { move |n| n + by }\nlet add = adder(3);": (
        "add(4)",
        "7",
    ),
}


@pytest.mark.parametrize("definition", KEPT)
def test_it_is_kept(kernel, definition):
    kernel.execute(definition).ok()
    later, expected = KEPT[definition]
    assert kernel.execute(later).ok().result["text/plain"] == expected


def test_what_is_derived_from_it_has_a_type_too(kernel):
    kernel.execute('let result = std::thread::spawn(|| { if true { panic!("no") } }).join();').ok()
    kernel.execute("let reason = result.unwrap_err();").ok()
    shown = kernel.execute("reason.downcast_ref::<&str>()").ok().result["text/plain"]
    assert shown == 'Some("no")'
    assert ".downcast" not in kernel.execute(":vars").ok().result["text/plain"]


def test_closures_own_variables_of_earlier_cells(kernel):
    kernel.execute('let base = 10; let names = vec!["a", "b"]; let mut log = vec![0];').ok()
    kernel.execute("let add = move |n: i32| n + base;").ok()
    kernel.execute("let first = move || names[0];").ok()
    kernel.execute("let mut push = move |n| { log.push(n); log.len() };").ok()
    shown = kernel.execute("(add(1), base, first(), push(5), push(6))").ok().result["text/plain"]
    assert shown == '(11, 10, "a", 2, 3)'
    # What was moved is no variable any more.
    assert kernel.execute("names").error["ename"] == "compile error"


def test_nothing_runs_twice(kernel, tmp_path):
    file = tmp_path / "log"
    write = (
        "use std::io::Write; "
        f"std::fs::File::options().append(true).create(true).open({str(file)!r}).unwrap()"
        '.write_all(b"x").unwrap();'
    ).replace("'", '"')
    kernel.execute(f"{write}\nlet f = |n: u8| n; let r = std::thread::spawn(|| 1).join();").ok()
    assert file.read_text() == "x"
    executed = kernel.execute(f"!echo y >> {file}; echo shown\nlet g = |n: u8| n;").ok()
    assert file.read_text() == "xy\n" and "shown" in executed.result["text/plain"]


def test_a_panic_in_such_a_line_has_its_place(kernel):
    executed = kernel.execute("let ok = 1;\nlet f = |n: i32| n; let bad: i32 = [1][f(7) as usize];")
    assert executed.error["ename"] == "panic"
    assert "line 2" in executed.traceback and "Box" not in executed.traceback


BORROWED = {
    "let first = &list[0];": ("first", "list", "let first = list[0].clone();"),
    "let part = &list[1..];": ("part", "list", "let part = list[1..].to_owned();"),
    "let it = list.iter();": ("it", "list", "let it = list.clone().into_iter();"),
    "let longest = list.iter().max();": (
        "longest",
        "list",
        "let longest = list.iter().max().cloned();",
    ),
    "let start = &text[..2];": ("start", "text", "let start = text[..2].to_owned();"),
    "let short = text.trim();": ("short", "text", "let short = text.trim().to_owned();"),
    "let add = |n: i32| n + base;": ("add", "base", "let add = move |n: i32| n + base;"),
    "let own = vec![1];\nlet all = &own;": ("all", "own", "let all = own.clone();"),
    "let mut change = &mut list;": ("change", "list", "let mut change = list.clone();"),
}


@pytest.mark.parametrize("code", BORROWED)
def test_a_borrow_is_refused_with_both_names_and_both_ways_out(kernel, code):
    kernel.execute('let mut list = vec!["b".to_owned(), "c".to_owned()];').ok()
    kernel.execute('let text = "abc ".to_owned(); let base = 1;').ok()
    variable, of, instead = BORROWED[code]
    executed = kernel.execute(code)
    traceback = executed.traceback
    assert executed.error["ename"] == "compile error"
    assert f"`{variable}` borrows from `{of}`" in executed.error["evalue"]
    assert instead in traceback and "in braces: `{ " in traceback, traceback
    assert f"line {code.count(chr(10)) + 1}" in traceback and "evcxr" not in traceback.lower()
    # Nothing has run, everything is kept, and what was said works.
    assert kernel.execute("list.len() + text.len()").ok().result["text/plain"] == "6"
    own = "let own = vec![1];\n" if of == "own" else ""
    kernel.execute(own + instead).ok()
    kernel.execute(f"{{ {code} }}").ok()


def test_a_borrow_of_a_value_without_a_name_keeps_the_value(kernel):
    kernel.execute('let name = &String::from("x");').ok()
    assert kernel.execute("name.len() + name.len()").ok().result["text/plain"] == "2"


UNNAMED = {
    "let steps = vec![|n: i32| n + 1];": ("steps", "Vec<Box<dyn Fn(i32) -> i32>>"),
    "let maybe = Some(|s: &str| s.len());": ("maybe", "Option<Box<dyn Fn(&str) -> usize>>"),
    "fn some() -> Option<impl std::fmt::Display> { Some(1) }\nlet value = some();": (
        "value",
        "Box<dyn std::fmt::Display>",
    ),
}


@pytest.mark.parametrize("code", UNNAMED)
def test_what_has_no_name_is_refused_with_the_line_to_write(kernel, code):
    variable, type_name = UNNAMED[code]
    executed = kernel.execute(code)
    assert executed.error["ename"] == "compile error"
    assert f"`{variable}` cannot be kept for later cells" in executed.error["evalue"]
    traceback = executed.traceback
    assert f"let {variable}: " in traceback and type_name in traceback, traceback
    assert "in braces: `{ " in traceback and "evcxr" not in traceback.lower()
    line = code.splitlines()[-1]
    kernel.execute(code.replace(line, f"{{ {line} }}")).ok()


def test_errors_of_the_cells_own_stay(kernel):
    executed = kernel.execute('let f = |n: i32| n + 1;\nlet n: u8 = f("1");')
    assert "E0308" in executed.traceback
    assert kernel.execute("let f = |n| n;").error["evalue"].startswith("type annotations needed")
