"""Every binding of every kind of pattern is a variable of the later cells.

The kinds are those of the Rust reference, in its order.
"""

import pytest

SETUP = """
#[derive(Clone, Debug)] struct Point { x: i32, y: String }
struct Line { from: Point, to: (i32, i32) }
struct Pair(i32, String);
struct Unit;
enum Side { Left(i32), Right { n: i32 }, Middle }
use Side::*;
const MAX: i32 = 7;
const lowest: i32 = 1;
macro_rules! both { ($a:pat, $b:pat) => { ($a, $b) } }
fn point() -> Point { Point { x: 3, y: "y".into() } }
"""


@pytest.fixture
def session(kernel):
    if not hasattr(kernel, "has_patterns"):
        kernel.execute(SETUP).ok()
        kernel.has_patterns = True
    return kernel


def text(kernel, code):
    return kernel.execute(code).ok().result["text/plain"]


@pytest.mark.parametrize(
    "cell, question, answer",
    [
        # Identifier patterns.
        ("let mut a = 1;", "a += 1; a", "2"),
        ("let n @ 1..=9 = 5 else { panic!() };", "n", "5"),
        ("let whole @ (a, b) = (1, 2);", "(whole, a, b)", "((1, 2), 1, 2)"),
        ("let list @ [first, .., last] = [1, 2, 3];", "(list, first, last)", "([1, 2, 3], 1, 3)"),
        ("let mut n @ (1 | 2) = 2 else { panic!() };", "n += 1; n", "3"),
        ("let ref r = vec![1];", "r.len()", "1"),
        ("let ref mut m = vec![1];", "m.push(2); m.len()", "2"),
        ("let (ref r, mut v) = (vec![1], vec![2]);", "v.extend(r); v", "[2, 1]"),
        ("let ref whole @ (ref a, _) = (vec![1], 2);", "(whole, a)", "(([1], 2), [1])"),
        # Literal, range and path patterns bind nothing; constants and variants are no variables.
        ('let ((1, a) | (2, a)) = (2, "b") else { panic!() };', "a", '"b"'),
        ("let None = None::<i32> else { panic!() };", "Some(1).or(None::<i32>)", "Some(1)"),
        ("let (None, a) = (None::<i32>, 4) else { panic!() };", "a", "4"),
        ("let (MAX, a) = (7, 5) else { panic!() };", "a + MAX", "12"),
        ("let (lowest, a) = (1, 6) else { panic!() };", "a + lowest", "7"),
        ("let n @ lowest..=MAX = 6 else { panic!() };", "n", "6"),
        (
            "let (Middle, a) = (Middle, 8) else { panic!() };",
            "matches!(Middle, Side::Middle)",
            "true",
        ),
        ("let (Unit, a) = (Unit, 9);", "let _: Unit = Unit; a", "9"),
        # Wildcard and rest patterns.
        ("let _ = String::new(); let (_, _kept, ..) = (1, 2, 3, 4);", "_kept", "2"),
        # Reference patterns, and references that come of matching one.
        ("let &a = &5; let &mut (b, mut c) = &mut (6, 7);", "c += 1; (a, b, c)", "(5, 6, 8)"),
        ('let (a, b) = &(String::from("a"), 2);', "(a, b)", '("a", 2)'),
        ('let &(ref a, b) = &(String::from("a"), 2);', "(a, b)", '("a", 2)'),
        # Struct patterns.
        ("let Point { x, mut y } = point();", "y.push('!'); (x, y.clone())", '(3, "y!")'),
        ("let Point { x: left, .. } = point();", "left", "3"),
        (
            "let Line { from: Point { x, .. }, to: (a, b) } = Line { from: point(), to: (1, 2) };",
            "(x, a, b)",
            "(3, 1, 2)",
        ),
        ('let Pair { 0: a, 1: b } = Pair(1, "b".into());', "(a, b.clone())", '(1, "b")'),
        ("let whole @ Point { x, .. } = point();", "(x, whole.y.clone())", '(3, "y")'),
        # Tuple structs, tuples, groups.
        ('let Pair(a, ref b) = Pair(1, "b".into());', "(a, b)", '(1, "b")'),
        ("let Some(a) = Some(5) else { panic!() };", "a", "5"),
        ("let (a, (b, mut c), ..) = (1, (2, 3), 4, 5);", "c += 1; (a, b, c)", "(1, 2, 4)"),
        ("let (a) = 1; let ((mut b)) = 2;", "b += 1; (a, b)", "(1, 3)"),
        # Slices and arrays.
        ("let [a, rest @ ..] = [1, 2, 3];", "(a, rest)", "(1, [2, 3])"),
        (
            'let [a, .., mut b] = ["a", "b", "c"].map(String::from);',
            "b.push('!'); b.clone()",
            '"c!"',
        ),
        # Or-patterns.
        ('let (Ok(a) | Err(a)) = "5".parse::<i32>().map_err(|_| 0);', "a", "5"),
        ("let (Left(n) | Right { n }) = Left(4) else { panic!() };", "n", "4"),
        # Macros.
        ('let both!(a, mut b) = (1, "b".to_string());', "b.push('!'); (a, b.clone())", '(1, "b!")'),
        # Types for the whole, values that come later, the same name twice.
        ("let (a, b): (u8, Vec<_>) = (1, vec![2i64]);", "(a, b.clone())", "(1, [2])"),
        ("let a; if 1 < 2 { a = 1.5 } else { a = 2.5 }", "a", "1.5"),
        ('let (a, b); a = 1; b = "x";', "(a, b)", '(1, "x")'),
        (
            'let a = 5; let (a, b) = (a + 1, 2); let a = format!("{a}");',
            "(a.clone(), b)",
            '("6", 2)',
        ),
        ("let mut a = 5; let [a, b] = [a, 1];", "(a, b)", "(5, 1)"),
        # A matrix is no constant, whatever its case.
        ("let (Q, R) = (1.5, 2.5);", "Q + R", "4.0"),
    ],
)
def test_bindings_persist(session, cell, question, answer):
    session.execute(cell).ok()
    assert text(session, question) == answer


def test_a_pattern_that_does_not_match_keeps_the_variables_of_before(session):
    session.execute("let kept = 1;").ok()
    failed = session.execute('let (new, Some(kept_not)) = (2, None::<i32>) else { panic!("no") };')
    assert failed.error["ename"] == "panic" and "line 1" in failed.traceback
    assert text(session, "kept") == "1"
    assert "new" in session.execute("new").error["evalue"]


def test_a_part_that_is_moved_is_gone_and_the_others_stay(session):
    session.execute("let (gone, stays) = (vec![1], 2); drop(gone);").ok()
    assert text(session, "stays") == "2"
    assert "gone" in session.execute("gone").error["evalue"]


@pytest.mark.parametrize(
    "code, line, marked",
    [
        ('let (a, b): (i32, i32) = (1, "a");', 1, '"a"'),
        ("let y = 1;\nlet (a, b) = (1, 2); let c: bool = a;", 2, "a"),
        ("let (k, o) = (1, 2); k = 3;", 1, "k = 3"),
        ("let (\n    first,\n    second,\n) = (1, nope);", 4, "nope"),
        ("let Point { z, .. } = point();", 1, "z"),
    ],
)
def test_errors_are_shown_in_the_person_s_words(session, code, line, marked):
    shown = session.execute(code).traceback
    written = code.splitlines()[line - 1]
    assert f"{line} │ {written}" in shown, shown
    assert "let a = a" not in shown and "Box::leak" not in shown
    # The mark stands below the very text.
    rows = shown.splitlines()
    row = next(at for at, text in enumerate(rows) if f"{line} │ {written}" in text)
    column = rows[row].index("│ ") + 2 + written.rindex(marked)
    assert rows[row + 1][column] in "─┬", shown


def test_a_reference_to_another_variable_is_named(session):
    session.execute("let list = vec![point()];").ok()
    failed = session.execute("let [ref first, ..] = list[..] else { panic!() };")
    assert "first" in failed.traceback
    assert text(session, "list.len()") == "1"
