use super::*;

fn translated(messages: &[(&str, &str)], text: &str) -> String {
    let parse = |text: &str| Template::parse(text).expect("a template");
    let pair = |(message, it): &(&str, &str)| (parse(message), parse(it));
    Recogniser::new(messages.iter().map(pair)).translated(text)
}

const CHECKS: [(&str, &str); 8] = [
    ("exercise {exercise}: {reason}", "练习 {exercise}：{reason}"),
    ("`{source}` {told}", "`{source}` {told}"),
    ("gave {0}, expected {1}", "得到 {0}，应为 {1}"),
    ("panicked: {0}", "发生 panic：{0}"),
    ("gave {got}, expected the {expected}{whole}", "得到{got}，应为{expected}{whole}"),
    ("{length} values", "{length} 个值"),
    (" of {expected}", "（{expected}）"),
    ("Hints: hint(1) to hint({hints})", "提示：hint(1) 到 hint({hints})"),
];

#[test]
fn messages_within_messages_are_found() {
    let text = "exercise 1 (Halves: f): `f(\"a: b\")` gave 3, expected 2\n→ why?\nHints: hint(1) to hint(2)";
    assert_eq!(
        translated(&CHECKS, text),
        "练习 1 (Halves: f)：`f(\"a: b\")` 得到 3，应为 2\n→ why?\n提示：hint(1) 到 hint(2)"
    );
    let text =
        "exercise 1 (Halves): `half(of(a, very), long(expression))` panicked: index out of bounds";
    assert_eq!(
        translated(&CHECKS, text),
        "练习 1 (Halves)：`half(of(a, very), long(expression))` 发生 panic：index out of bounds"
    );
    let text = "gave 3 values, expected the 2 values of [2, 3]";
    assert_eq!(translated(&CHECKS, text), "得到 3 个值，应为 2 个值（[2, 3]）");
}

#[test]
fn a_value_ends_with_its_line() {
    let messages = [
        ("gave {0}{whole}", "得到 {0}{whole}"),
        (" of {expected}", "（{expected}）"),
        ("Hints: {0}", "提示：{0}"),
    ];
    assert_eq!(translated(&messages, "gave 3 of [4]\nHints: 5"), "得到 3（[4]）\n提示：5");
}

#[test]
fn a_message_of_several_lines_ends_with_a_line_break_or_none() {
    let messages =
        [("NOTE: {0} stands in.\nWhy: {reason}.", "NOTE：用 {0} 代替。\n原因：{reason}。")];
    for (before, after) in [("", ""), ("", "\n"), ("\n", "\n\n")] {
        let text = format!("{before}NOTE: x stands in.\nWhy: y.{after}");
        let expected = format!("{before}NOTE：用 x 代替。\n原因：y。{after}");
        assert_eq!(translated(&messages, &text), expected);
    }
}

#[test]
fn the_message_that_knows_more_of_a_text_counts() {
    let messages = [
        ("{0} is {1}", "短 {0} {1}"),
        ("{0} is here", "长 {0}"),
        ("{0} is here, and {1}", "更长 {0} {1}"),
    ];
    assert_eq!(translated(&messages, "it is here"), "长 it");
    assert_eq!(translated(&messages, "it is here, and x"), "更长 it x");
    let backwards: Vec<_> = messages.iter().rev().copied().collect();
    assert_eq!(translated(&backwards, "it is here, and x"), "更长 it x");
}

#[test]
fn a_value_may_hold_what_stands_around_it() {
    let messages = [
        ("could not {operation} {0}: {source}. Look.", "不能{operation} {0}：{source}。看。"),
        ("read", "读取"),
    ];
    let text = "could not read a: b. Look.: gone. Look.";
    assert_eq!(translated(&messages, text), "不能读取 a：b. Look.: gone。看。");
    // The verb is one in its place only.
    assert_eq!(translated(&messages, "could not x read: y. Look."), "不能 x read：y。看。");
    assert_eq!(translated(&messages, "read"), "读取");
}

#[test]
fn a_name_that_stands_twice_is_one_value() {
    let messages = [("`{a}` hides {b}: rename `{a}`", "`{a}` 遮住了 {b}")];
    assert_eq!(translated(&messages, "`x` hides y: rename `x`"), "`x` 遮住了 y");
    assert_eq!(translated(&messages, "`x` hides y: rename `z`"), "`x` hides y: rename `z`");
}

#[test]
fn neighbours_are_divided_where_the_second_is_known() {
    let messages = [
        ("{layer} expected {expected}, got {got}{hint}", "{layer} 需要{expected}，得到{got}{hint}"),
        (". Flatten it first: input.flatten(1, -1)", "。先展平：input.flatten(1, -1)"),
    ];
    let text = "Linear(2, 3) expected x, got [1. 2]. Flatten it first: input.flatten(1, -1)";
    assert_eq!(
        translated(&messages, text),
        "Linear(2, 3) 需要 x，得到 [1. 2]。先展平：input.flatten(1, -1)"
    );
    assert_eq!(translated(&messages, "L expected x, got y"), "L 需要 x，得到 y");
}

#[test]
fn sentences_and_lines_are_known_one_by_one() {
    let messages = [
        ("Name a file.", "请指定一个文件。"),
        ("it is a folder", "它是文件夹"),
        ("Paths are looked for from {0}.", "路径从 {0} 开始找。"),
    ];
    let text = "Name a file. Paths are looked for from /x. No idea.";
    assert_eq!(translated(&messages, text), "请指定一个文件。路径从 /x 开始找。No idea.");
    assert_eq!(translated(&messages, "Oh. it is a folder."), "Oh. 它是文件夹。");
    assert_eq!(translated(&messages, "a\nit is a folder\n\nb"), "a\n它是文件夹\n\nb");
}

#[test]
fn what_is_not_ours_stays_as_it_is() {
    let messages =
        [("{0} and {1}", "{0} 和 {1}"), ("{place} failed: {message}", "{place} 失败：{message}")];
    assert_eq!(translated(&messages, "cat and dog"), "cat 和 dog");
    for text in ["x and y must be positive", "", "…", "loading failed: no such file here"] {
        assert_eq!(translated(&messages, text), text);
    }
}

#[test]
fn no_text_takes_long() {
    let many: String = "a, b, ".repeat(600);
    let messages = [("{0}, {1}, {2}, {3}, {4} and so on", "…"), ("{0}, {1}, {2}", "{0} {1} {2}")];
    assert!(!translated(&messages, &many).is_empty());
    let long = "x ".repeat(1 << 20);
    assert_eq!(translated(&CHECKS, &long), long);
}
