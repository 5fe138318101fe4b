"""Asynchronous cells: `.await` at top level, on tokio's runtime."""


def value(cell):
    return cell.ok().result["text/plain"]


def test_a_cell_awaits_what_it_defines(kernel):
    cell = kernel.execute("async fn twice(n: i32) -> i32 { n * 2 }\ntwice(21).await")
    assert value(cell) == "42"
    assert value(kernel.execute("twice(4).await + twice(5).await")) == "18"
    assert value(kernel.execute("1 + 1")) == "2"


def test_an_async_function_is_a_definition_like_others(kernel):
    kernel.execute("async fn base() -> i32 { 1 }").ok()
    kernel.execute("async fn sum() -> i32 { base().await + base().await }").ok()
    kernel.execute("async fn base() -> i32 { 5 }").ok()
    assert value(kernel.execute("sum().await")) == "10"


def test_variables_live_on_beyond_an_await(kernel):
    kernel.execute("async fn three() -> i32 { 3 }").ok()
    made = "let mut list = vec![1];\nlist.push(three().await);\nlet text = three().await;"
    kernel.execute(made).ok()
    kernel.execute("list.push(text + three().await);").ok()
    assert value(kernel.execute("list.clone()")) == "[1, 3, 6]"
    assert value(kernel.execute("(list.len(), text)")) == "(3, 3)"


def test_a_question_mark_behind_an_await(kernel):
    parse = "async fn parse(text: &str) -> Result<i32, std::num::ParseIntError> { text.parse() }"
    kernel.execute(parse).ok()
    assert value(kernel.execute('let n = parse("7").await?;\nn')) == "7"
    wrong = kernel.execute('let kept = 1;\nlet m = parse("seven").await?;\nm')
    assert wrong.error["ename"] == "ParseIntError" and "invalid digit" in wrong.error["evalue"]
    assert value(kernel.execute("n + 1")) == "8"


def test_a_panic_in_a_future_is_the_cells(kernel):
    kernel.execute('async fn fail() -> i32 { panic!("no {}", 7) }').ok()
    assert kernel.execute("fail().await").error["evalue"] == "no 7"
    assert value(kernel.execute("async { 5 }.await")) == "5", "the runtime lives on"


def test_tasks_run_on_several_threads(kernel):
    code = """
let tasks: Vec<_> = (0..4).map(|i| tokio::spawn(async move { i * i })).collect();
let mut squares = vec![];
for task in tasks { squares.push(task.await?); }
squares"""
    assert value(kernel.execute(code)) == "[0, 1, 4, 9]"


def test_output_comes_while_a_cell_awaits(kernel, gates):
    kernel.execute("async fn pause() {}").ok()
    code = f'pause().await;\nprintln!("before");\n{gates.wait_at("go")}\nprintln!("after");'
    cell = kernel.submit(code)
    kernel.wait_for_text(cell, "before")
    gates.open("go")
    assert kernel.finish(cell).ok().stdout == "before\nafter\n"


def test_a_cell_that_does_not_compile_is_an_error_of_its_own(kernel):
    wrong = kernel.execute("async fn one() -> i32 { 1 }\nlet n: String = one().await;")
    assert wrong.error["ename"] == "compile error" and "E0308" in wrong.traceback
    assert value(kernel.execute("async { 1 }.await")) == "1"
