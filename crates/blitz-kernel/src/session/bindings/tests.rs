use super::*;

/// The constants that the session of these tests has.
fn is_constant(name: &str) -> bool {
    ["MAX", "Unit", "Red", "limit"].contains(&name)
}

fn rebound(code: &str) -> String {
    rebind(code, &is_constant).apply(code)
}

/// Each pattern with what follows its statement.
#[test]
fn each_pattern_of_the_reference() {
    for (pattern, bound) in [
        // Identifier patterns.
        ("mut x @ 1..=5", "let mut x = x;"),
        ("whole @ (a, b)", "let whole = whole; let a = a; let b = b;"),
        ("whole @ Point { x, .. }", "let whole = whole; let x = x;"),
        ("list @ [first, .., last]", "let list = list; let first = first; let last = last;"),
        // Wildcard, rest.
        ("(a, _)", "let a = a;"),
        ("(first, .., last)", "let first = first; let last = last;"),
        ("(_x, mut _y)", "let _x = _x; let mut _y = _y;"),
        // Reference patterns.
        ("&x", "let x = x;"),
        ("&mut (a, mut b)", "let a = a; let mut b = b;"),
        ("&&(a, b)", "let a = a; let b = b;"),
        // Struct patterns.
        ("Point { x, y }", "let x = x; let y = y;"),
        ("Point { x: left, mut y }", "let left = left; let mut y = y;"),
        ("Line { from: Point { x, .. }, to: (a, b) }", "let x = x; let a = a; let b = b;"),
        ("Pair { 0: a, 1: b }", "let a = a; let b = b;"),
        ("shapes::Point::<f32> { x, .. }", "let x = x;"),
        // Tuple struct patterns.
        ("Some(x)", "let x = x;"),
        ("Pair(a, .., mut b)", "let a = a; let mut b = b;"),
        ("Ok((a, [b, _]))", "let a = a; let b = b;"),
        // Grouped patterns.
        ("(x)", "let x = x;"),
        ("((mut x))", "let mut x = x;"),
        // Slice patterns.
        ("[a, b, c]", "let a = a; let b = b; let c = c;"),
        ("[first, rest @ ..]", "let first = first; let rest = rest;"),
        ("[.., last]", "let last = last;"),
        // Or-patterns.
        ("(Ok(x) | Err(x))", "let x = x;"),
        ("Left { n, .. } | Right(n)", "let n = n;"),
        ("(A(x, y) | B(y, x))", "let x = x; let y = y;"),
        // Macros.
        ("pair!(a, b)", "let a = a; let b = b;"),
        ("pair!(Some(mut a), f::Two { x: b }, None)", "let mut a = a; let b = b;"),
        // A raw name, a type, several of both.
        ("(r#type, b)", "let r#type = r#type; let b = b;"),
        ("(a, b): (u8, Vec<_>)", "let a = a; let b = b;"),
        // A matrix is no constant.
        ("(Q, R)", "let Q = Q; let R = R;"),
    ] {
        for rest in ["", " // a comment", "\nlet y = 1;"] {
            let code = format!("let {pattern} = f();{rest}");
            assert_eq!(rebound(&code), format!("let {pattern} = f(); {bound}{rest}"));
        }
        let refuted = format!("let {pattern} = f() else {{ panic!() }};");
        assert_eq!(rebound(&refuted), format!("{refuted} {bound}"));
    }
}

#[test]
fn what_evcxr_is_right_about_stays() {
    for code in [
        "let x = 1;",
        "let mut x = 1;",
        "let x: Vec<u8> = f();",
        "let x;\nx = 1;",
        "let (a, b);\na = 1; b = 2;",
        "let _ = f();",
        "let x = f() else { panic!() };",
        "let (a, b) = f()",
        "let [] = x;",
        "let (..) = x;",
        "let 1 = x else { panic!() };",
        "let Direction::Up = x else { panic!() };",
        "let \"a\" | \"b\" = x else { panic!() };",
        "{ let (a, b) = f(); }",
        "fn g() { let (a, b) = f(); }",
        "if let Some(x) = f() { x } else { 0 }",
        "let x = &1;",
        "let x = &y;",
        "let x = &list[0];",
        "let f: &dyn Fn(i32) -> i32 = &|x| x + 1;",
        "let f = || { let (a, b) = f(); a };",
        "let = ;",
        "!ls\n:dep a",
    ] {
        assert_eq!(rebound(code), code);
    }
}

#[test]
fn constants_are_no_variables() {
    for (code, expected) in [
        ("let None = x else { return };", "let None {} = x else { return };"),
        ("let (None, b) = x else { f() };", "let (None {}, b) = x else { f() }; let b = b;"),
        ("let (Some(n) | None) = x;", "let (Some(n) | None {}) = x; let n = n;"),
        ("let Unit = x;", "let Unit {} = x;"),
        ("let (Unit, a) = x;", "let (Unit {}, a) = x; let a = a;"),
        ("let MAX = x else { f() };", "let self::MAX = x else { f() };"),
        ("let [MAX, a] = x else { f() };", "let [self::MAX, a] = x else { f() }; let a = a;"),
        ("let limit = x else { f() };", "let self::limit = x else { f() };"),
        ("let 0..=MAX = x else { f() };", "let 0..=self::MAX = x else { f() };"),
        (
            "let n @ LOW..=HIGH = x else { f() };",
            "let n @ self::LOW..=self::HIGH = x else { f() }; let n = n;",
        ),
        ("let Red | Blue = x else { f() };", "let Red {} | Blue {} = x else { f() };"),
        ("let (Less, n) = x else { f() };", "let (Less {}, n) = x else { f() }; let n = n;"),
        (
            "let (Q, Some(x)) = x else { f() };",
            "let (Q, Some(x)) = x else { f() }; let Q = Q; let x = x;",
        ),
        ("let Point { limit, .. } = x;", "let Point { limit, .. } = x; let limit = limit;"),
        ("let Point { x: Unit } = x;", "let Point { x: Unit {} } = x;"),
        ("let mut MAX = 1;", "let mut MAX = 1;"),
    ] {
        assert_eq!(rebound(code), expected);
    }
}

#[test]
fn references_to_values_last() {
    let (open, close) = LEAK;
    for (code, expected) in [
        ("let ref x = f();", format!("let ref x = {open}f(){close}; let x = x;")),
        ("let ref mut x = 5;", format!("let ref mut x = {open}5{close}; let x = x;")),
        (
            "let (ref a, ref mut b) = f();",
            format!("let (ref a, ref mut b) = {open}f(){close}; let a = a; let b = b;"),
        ),
        (
            "let ref whole @ (ref a, _) = f();",
            format!("let ref whole @ (ref a, _) = {open}f(){close}; let whole = whole; let a = a;"),
        ),
        (
            "let (ref a, b) = f();",
            format!("let (    a, b) = f(); let a = &{open}a{close}; let b = b;"),
        ),
        (
            "let (ref mut a, b) = f();",
            format!("let (        a, b) = f(); let a = &mut {open}a{close}; let b = b;"),
        ),
        ("let &(ref a, b) = f();", "let &(ref a, b) = f(); let a = a; let b = b;".to_owned()),
        ("let ref x = &f();", format!("let ref x = {open}&{open}f(){close}{close}; let x = x;")),
        (
            "let &(ref a, b) = &f();",
            format!("let &(ref a, b) = &{open}f(){close}; let a = a; let b = b;"),
        ),
        ("let (a, b) = &f();", format!("let (a, b) = &{open}f(){close}; let a = a; let b = b;")),
        ("let x = &mut f();", format!("let x = &mut {open}f(){close};")),
        ("let ref x = y;", "let ref x = y; let x = x;".to_owned()),
        ("let Point { ref x, .. } = p.q;", "let Point { ref x, .. } = p.q; let x = x;".to_owned()),
        (
            "let [a, ..] = &list[1..] else { f() };",
            "let [a, ..] = &list[1..] else { f() }; let a = a;".to_owned(),
        ),
        ("let ref x = MAX;", format!("let ref x = {open}MAX{close}; let x = x;")),
    ] {
        assert_eq!(rebound(code), expected);
    }
}

#[test]
fn lines_stay_and_errors_are_shown_at_the_pattern() {
    let code = ":dep a\n// é\nlet (\n    first,\n    Some(second) | second,\n) = f();\nlet y = 1; let (a, b) = g(); h(a);";
    let edits = rebind(code, &is_constant);
    let changed = edits.apply(code);
    assert_eq!(changed.lines().count(), code.lines().count());
    for (line, changed) in code.lines().zip(changed.lines()) {
        assert!(changed.starts_with(line) || changed.ends_with("h(a);"), "{changed}");
    }
    let shown = |part: &str| {
        let start = changed.find(part).expect("a part");
        edits.original(start..start + part.len())
    };
    let place = |part: &str| code.find(part).map(|at| at..at + part.len()).expect("a place");
    assert_eq!(shown("first = first"), place("first"));
    assert_eq!(shown("second = second"), place("second"));
    assert_eq!(shown("h(a)"), place("h(a)"));
}

#[test]
fn constants_of_items() {
    let items = [
        "const A: u8 = 1;",
        "struct Unit;",
        "struct Tuple(u8);",
        "struct Record { x: u8 }",
        "enum Colour { Red, Rgb(u8) }",
        "enum Shade { Dark }",
        "use Colour::*;",
        "static S: u8 = 1;",
        "fn f() {}",
        "const fn g() {}",
    ];
    let constants = constants(items.into_iter());
    assert_eq!(constants.iter().collect::<Vec<_>>(), ["A", "Red", "Unit"]);
}
