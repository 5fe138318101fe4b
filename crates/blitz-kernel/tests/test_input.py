"""What a cell reads from its standard input, the person types: one question a line."""

import pytest

# Jupyter's console sends it for Ctrl-D.
END = "\x04"

READ_LINE = "let mut line = String::new();\nstd::io::stdin().read_line(&mut line)?;"


def questions(cell):
    return [(m.content["prompt"], m.content["password"]) for m in cell.of("input_request")]


def start(kernel, code, **options):
    return kernel.submit(code, **({"allow_stdin": True} | options))


def wait_for_question(kernel, cell, number=1):
    kernel.wait(lambda: len(questions(cell)) >= number or cell.reply, f"question {number}")
    assert len(questions(cell)) == number, f"the cell ended: {cell.summary()}"


def converse(kernel, code, *answers):
    """Runs a cell in which a person gives these answers."""
    cell = start(kernel, code)
    for number, answer in enumerate(answers, 1):
        wait_for_question(kernel, cell, number)
        kernel.client.input(answer)
    kernel.finish(cell)
    assert len(questions(cell)) == len(answers), questions(cell)
    return cell


def prompts(cell):
    return [prompt for prompt, _ in questions(cell)]


def value(cell):
    return cell.ok().result["text/plain"]


LINES = {
    "plain": "Ferris",
    "empty": "",
    "blanks": "  two  words  ",
    "unicode": "Ünïcödé 课程 𝄞 👩‍🔬",
    "quotes": "\"a\" 'b' \\ {} \\n $x `y`",
    "longer than a page": "x" * 5000 + "é" + "y" * 5000,
    "longer than a pipe": "课" * 100_000,
    "like a mark": "EVCXR_",
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_arrives_as_it_was_typed(kernel, name):
    code = READ_LINE + '\nprintln!("{line}");'
    cell = converse(kernel, code, LINES[name]).ok()
    assert cell.stdout == LINES[name] + "\n\n"
    assert not cell.stderr


PROMPTS = {
    "of the line": ('print!("name? ");', "", "name? "),
    "flushed": (
        'use std::io::Write;\nprint!("name? ");\nstd::io::stdout().flush()?;',
        "",
        "name? ",
    ),
    "in pieces": ('print!("What is ");\nprint!("your name? ");', "", "What is your name? "),
    "behind a line": ('println!("Hello.");\nprint!("Name: ");', "Hello.\n", "Name: "),
    "behind lines": ('print!("1\\n2\\n3: ");', "1\n2\n", "3: "),
    "ends with a line break": ('println!("Name:");', "Name:\n", ""),
    "none": ("", "", ""),
    "unicode": ('print!("名前は？ é ");', "", "名前は？ é "),
    "begins like a mark": ('print!("NAME");', "", "NAME"),
    "ends like a mark": ('print!("which E");', "", "which E"),
    "on standard error": ('eprint!("name? ");', "", "name? "),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_the_prompt_is_seen_once(kernel, name):
    code, before, prompt = PROMPTS[name]
    cell = start(kernel, f'{code}\n{READ_LINE}\nprintln!("hello, {{}}", line.trim());')
    wait_for_question(kernel, cell)
    # It comes by another socket.
    kernel.wait(lambda: len(cell.stdout) >= len(before), "what is above the question")
    assert cell.stdout == before
    kernel.client.input("Ferris")
    kernel.finish(cell).ok()
    assert questions(cell) == [(prompt, False)]
    assert cell.stdout == before + "hello, Ferris\n" and not cell.stderr


def test_what_was_shown_before_is_not_shown_again(kernel, gates):
    say = 'use std::io::Write;\nprint!("thinking ");\nstd::io::stdout().flush()?;'
    cell = start(kernel, f"{say}\n{gates.wait_at('asked')}\n{READ_LINE}")
    kernel.wait_for_text(cell, "thinking ")
    gates.open("asked")
    wait_for_question(kernel, cell)
    kernel.client.input("")
    assert kernel.finish(cell).ok().stdout + prompts(cell)[0] == "thinking "


def test_each_line_is_a_question(kernel):
    code = """
let mut total = 0;
for i in 1..=3 {
    print!("number {i}: ");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    total += line.trim().parse::<i32>()?;
    println!("so far {total}");
}
total"""
    cell = converse(kernel, code, "1", " 20 ", "300")
    assert value(cell) == "321"
    assert prompts(cell) == ["number 1: ", "number 2: ", "number 3: "]
    assert cell.stdout == "so far 1\nso far 21\nso far 321\n"


READS_ALL = {
    "lines": "std::io::stdin().lines().collect::<Result<Vec<_>, _>>()?",
    "locked lines": "std::io::BufRead::lines(std::io::stdin().lock())"
    ".collect::<Result<Vec<_>, _>>()?",
    "flattened lines": "std::io::stdin().lines().flatten().collect::<Vec<_>>()",
    "read_to_string": "std::io::read_to_string(std::io::stdin())?"
    ".lines().map(str::to_owned).collect::<Vec<_>>()",
    "read_to_end": "{ use std::io::Read; let mut all = vec![];"
    " std::io::stdin().read_to_end(&mut all)?;"
    " String::from_utf8(all)?.lines().map(str::to_owned).collect::<Vec<_>>() }",
    "copy": "{ let mut all = vec![]; std::io::copy(&mut std::io::stdin(), &mut all)?;"
    " String::from_utf8(all)?.lines().map(str::to_owned).collect::<Vec<_>>() }",
    "a reader of one's own": "std::io::BufRead::lines(std::io::BufReader::new(std::io::stdin()))"
    ".collect::<Result<Vec<_>, _>>()?",
    "read_line until 0": "{ let mut all = vec![]; loop { let mut line = String::new();"
    " if std::io::stdin().read_line(&mut line)? == 0 { break all }"
    " all.push(line.trim_end().to_owned()); } }",
}


@pytest.mark.parametrize("end", [END, "^D"])
@pytest.mark.parametrize("way", READS_ALL)
def test_all_lines_until_the_end(kernel, way, end):
    cell = converse(kernel, READS_ALL[way], "one", "", "drei é", end)
    assert value(cell) == '["one", "", "drei é"]'
    again = converse(kernel, READS_ALL[way], end)
    assert value(again) == "[]", "the end of one cell's input is not the next one's"


def test_a_front_end_that_cancels_ends_the_input(kernel):
    cell = start(kernel, READ_LINE + "\nline")
    wait_for_question(kernel, cell)
    client = kernel.client
    client.stdin_channel.send(client.session.msg("input_reply", {"status": "abort"}))
    assert value(kernel.finish(cell)) == '""'


def test_several_lines_at_once_are_read_one_by_one(kernel):
    code = "std::io::stdin().lines().take(3).collect::<Result<Vec<_>, _>>()?"
    assert value(converse(kernel, code, "a\nb", "c")) == '["a", "b", "c"]'


BYTES = {
    "read": ("let mut b = [0; 100]; let n = stdin().read(&mut b)?; &b[..n]", 'b"hello\\n"'),
    "read little": ("let mut b = [0; 2]; let n = stdin().read(&mut b)?; &b[..n]", 'b"he"'),
    "read_exact": ("let mut b = [0; 4]; stdin().read_exact(&mut b)?; &b[..]", 'b"hell"'),
    "bytes": ("&[stdin().bytes().next().unwrap()?][..]", 'b"h"'),
    "fill_buf": ("&stdin().lock().fill_buf()?.to_vec()[..]", 'b"hello\\n"'),
    "read_until": (
        "let mut b = vec![]; stdin().lock().read_until(b'e', &mut b)?; &b[..]",
        'b"he"',
    ),
    "read_vectored": (
        "let mut b = [0; 3];"
        " let n = stdin().read_vectored(&mut [std::io::IoSliceMut::new(&mut b)])?; &b[..n]",
        'b"hel"',
    ),
}


@pytest.mark.parametrize("way", BYTES)
def test_bytes_are_read_and_the_rest_of_a_line_is_not_the_next_cells(kernel, way):
    code, expected = BYTES[way]
    imports = "use std::io::{BufRead, Read, stdin};\n"
    cell = converse(kernel, f"{imports}let same = {{ {code} == {expected} }};\nsame", "hello")
    assert value(cell) == "true"
    assert value(converse(kernel, READ_LINE + "\nline", "next")) == '"next\\n"'


def test_the_rest_is_forgotten_also_where_a_lock_is_kept(kernel):
    kernel.execute("let mut kept = std::io::stdin().lock();").ok()
    code = "let mut byte = [0];\nstd::io::Read::read_exact(&mut kept, &mut byte)?;\nbyte"
    assert value(converse(kernel, code, "a")) == "[97]"
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"
    kernel.execute("drop(kept);").ok()
    assert value(converse(kernel, READ_LINE + "\nline", "b")) == '"b\\n"'


def test_a_thread_reads(kernel):
    code = """
let reader = std::thread::spawn(|| {
    print!("in a thread: ");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map(|_| line)
});
reader.join().unwrap()?"""
    cell = converse(kernel, code, "yes")
    assert value(cell) == '"yes\\n"' and prompts(cell) == ["in a thread: "]


def test_output_of_another_thread_goes_on_while_the_cell_waits(kernel):
    code = """
let other = std::thread::spawn(|| {
    std::thread::sleep(std::time::Duration::from_millis(300));
    println!("meanwhile");
});
%s
other.join().unwrap();
line"""
    cell = start(kernel, code % READ_LINE)
    wait_for_question(kernel, cell)
    kernel.wait_for_text(cell, "meanwhile")
    kernel.client.input("done")
    assert value(kernel.finish(cell)) == '"done\\n"'


def test_a_thread_that_is_left_behind_does_not_take_the_next_cells_line(kernel):
    code = """
std::thread::spawn(|| {
    let mut line = String::new();
    let error = std::io::stdin().read_line(&mut line).unwrap_err();
    eprintln!("left: {error}");
});
std::thread::sleep(std::time::Duration::from_millis(300));"""
    cell = start(kernel, code)
    kernel.finish(cell).ok()
    assert len(questions(cell)) == 1
    assert value(converse(kernel, READ_LINE + "\nline", "mine")) == '"mine\\n"'


def test_a_number_is_parsed_and_a_wrong_one_is_an_error_of_the_cell(kernel):
    code = READ_LINE + "\nlet n: i32 = line.trim().parse()?;\nn * 2"
    assert value(converse(kernel, code, "21")) == "42"
    wrong = converse(kernel, code, "many")
    assert wrong.error["ename"] == "ParseIntError" and "invalid digit" in wrong.error["evalue"]
    assert value(converse(kernel, code, "4")) == "8"


def test_a_panic_after_reading(kernel):
    wrong = converse(kernel, READ_LINE + '\npanic!("not {}", line.trim());', "this")
    assert wrong.error["evalue"] == "not this"
    inside = "let lines = std::io::stdin().lock();\nstd::io::BufRead::lines(lines)"
    inside = converse(kernel, inside + '.for_each(|line| panic!("{}", line.unwrap()));', "that")
    assert inside.error["evalue"] == "that"
    assert value(converse(kernel, READ_LINE + "\nline", "next")) == '"next\\n"'


def test_functions_and_helpers_of_earlier_cells_read(kernel):
    function = """
fn ask(prompt: &str) -> String {
    print!("{prompt}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    line.trim().to_owned()
}"""
    kernel.execute(function).ok()
    cell = converse(kernel, 'let (a, b) = (ask("a? "), ask("b? "));\nformat!("{a}{b}")', "x", "y")
    assert value(cell) == '"xy"' and prompts(cell) == ["a? ", "b? "]
    assert value(kernel.execute("a.clone() + &b")) == '"xy"'


HANDLED = {
    "question mark": READ_LINE,
    "unwrap": "let mut line = String::new();\nstd::io::stdin().read_line(&mut line).unwrap();",
    "lines": "for line in std::io::stdin().lines() { line?; }",
    "read_to_string": "let all = std::io::read_to_string(std::io::stdin())?;",
    "evcxr_input": 'let line = evcxr_input::get_string("name? ");',
    "evcxr_input, again and again": """
loop { if evcxr_input::get_string("n? ").len() > 3 { break } }""",
    "in a thread": "std::thread::spawn(|| std::io::stdin().read_line(&mut String::new()))"
    ".join().unwrap()?;",
}


@pytest.mark.parametrize("way", [way for way in HANDLED if "evcxr_input" not in way])
def test_an_interrupt_ends_the_wait(kernel, way):
    kernel.execute("let alive = vec![1, 2, 3];").ok()
    cell = start(kernel, HANDLED[way])
    wait_for_question(kernel, cell)
    assert kernel.interrupt().status == "ok"
    kernel.finish(cell)
    assert cell.error["ename"] == "interrupted"
    assert value(kernel.execute("alive.clone()")) == "[1, 2, 3]"
    assert value(converse(kernel, READ_LINE + "\nline", "next")) == '"next\\n"'


def test_a_cell_that_passes_over_an_interrupt_goes_on_without_input(kernel):
    cell = start(kernel, "let n = std::io::stdin().lines().flatten().count();\nn")
    wait_for_question(kernel, cell)
    kernel.client.input("one")
    wait_for_question(kernel, cell, 2)
    kernel.interrupt()
    assert value(kernel.finish(cell)) == "1"


def test_an_answer_that_comes_too_late_is_not_the_next_cells(kernel):
    cell = start(kernel, READ_LINE)
    wait_for_question(kernel, cell)
    kernel.interrupt()
    kernel.finish(cell)
    kernel.client.input("late")
    kernel.ask("kernel_info")
    assert value(converse(kernel, READ_LINE + "\nline", "in time")) == '"in time\\n"'


def test_cells_behind_one_that_waits(kernel):
    first = start(kernel, READ_LINE + "\nlet first = line.clone();")
    second = start(kernel, READ_LINE + '\nformat!("{first}{line}")')
    wait_for_question(kernel, first)
    assert not questions(second)
    kernel.client.input("a")
    kernel.finish(first).ok()
    wait_for_question(kernel, second)
    kernel.client.input("b")
    assert value(kernel.finish(second)) == '"a\\nb\\n"'


@pytest.mark.parametrize("way", HANDLED)
def test_a_front_end_without_input_is_an_error_that_says_so(kernel, way):
    cell = kernel.execute(HANDLED[way], allow_stdin=False)
    assert "front end cannot ask for input" in cell.error["evalue"]
    assert not questions(cell)
    assert value(kernel.execute("1 + 1")) == "2"
    assert value(converse(kernel, READ_LINE + "\nline", "next")) == '"next\\n"'


def test_the_error_has_its_text_for_the_cell_and_what_was_printed_is_shown(kernel):
    code = """
print!("name? ");
let error = std::io::stdin().read_line(&mut String::new()).unwrap_err();
println!("{error}");
println!("{:?}", std::fs::read("/no/such/file").unwrap_err().kind());"""
    cell = kernel.execute(code, allow_stdin=False).ok()
    assert cell.stdout.startswith("name? this front end cannot ask for input")
    assert cell.stdout.endswith("NotFound\n")
    assert "cannot ask for input" in cell.stderr, "the person is told, whatever the cell does"


def test_errors_that_are_passed_over_end(kernel):
    code = "let n = std::io::stdin().lines().flatten().count();\nn"
    cell = kernel.execute(code, allow_stdin=False)
    assert value(cell) == "0" and cell.stderr.count("cannot ask for input") == 1


def test_a_caught_refusal_leaves_the_output_whole(kernel):
    code = """
println!("before");
for _ in 0..3 {
    let asked = std::panic::catch_unwind(|| evcxr_input::get_string("name? "));
    println!("{}", asked.is_err());
}
println!("after");"""
    cell = kernel.execute(code, allow_stdin=False).ok()
    assert cell.stdout == "before\n" + "true\n" * 3 + "after\n"


def test_another_program_finds_no_input(kernel):
    code = """
use std::process::{Command, Stdio};
let status = Command::new("cat").stdin(Stdio::inherit()).status()?;
let output = Command::new("wc").arg("-c").stdin(Stdio::inherit()).output()?;
let file = std::fs::read("/dev/stdin")?;
(status.success(), String::from_utf8(output.stdout)?.trim().to_owned(), file.len())"""
    cell = start(kernel, code)
    assert value(kernel.finish(cell)) == '(true, "0", 0)'
    assert not questions(cell)
    assert value(converse(kernel, READ_LINE + "\nline", "still")) == '"still\\n"'


def test_a_program_gets_what_the_cell_pipes_to_it(kernel):
    code = (
        READ_LINE
        + """
use std::io::{Read, Write};
let mut child = std::process::Command::new("tr").args(["a-z", "A-Z"])
    .stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn()?;
child.stdin.take().unwrap().write_all(line.as_bytes())?;
let mut upper = String::new();
child.stdout.take().unwrap().read_to_string(&mut upper)?;
child.wait()?;
upper"""
    )
    assert value(converse(kernel, code, "loud")) == '"LOUD\\n"'


def test_a_process_that_ends_while_it_waits(kernel):
    code = """
std::thread::spawn(|| {
    std::thread::sleep(std::time::Duration::from_millis(500));
    std::process::exit(3);
});
"""
    cell = start(kernel, code + READ_LINE)
    wait_for_question(kernel, cell)
    kernel.finish(cell)
    assert cell.error["ename"] == "crash" and "exit code 3" in cell.error["evalue"]
    assert value(converse(kernel, READ_LINE + "\nline", "again")) == '"again\\n"'


@pytest.mark.parametrize(
    "dependency",
    [
        "",
        ":dep evcxr_input\n",
        ':dep evcxr_input = "0.1"\n',
        ':dep evcxr_input = "1"\n',
        ':dep evcxr_input = { version = "1.0.0" }\n',
    ],
)
def test_evcxr_input_is_there_and_nothing_is_compiled_for_it(kernel, dependency):
    code = dependency + 'let name = evcxr_input::get_string("Who? ");\nname.clone()'
    cell = converse(kernel, code, " Ferris é ")
    assert value(cell) == '"Ferris é"' and questions(cell) == [("Who? ", False)]
    assert not cell.stderr and not cell.stdout
    code = 'let word = evcxr_input::get_password("Word: a:b? ");\nword.len()'
    cell = converse(kernel, code, "secret")
    assert value(cell) == "6" and questions(cell) == [("Word: a:b? ", True)]


def test_evcxr_input_takes_the_end_for_an_empty_line(kernel):
    ended = converse(kernel, 'println!("first");\nevcxr_input::get_string("Who? ")', END)
    assert value(ended) == '""' and ended.stdout == "first\n"


def test_an_interrupt_of_evcxr_input_is_an_empty_line_and_no_further_question(kernel):
    cell = start(kernel, 'evcxr_input::get_string("Who? ")')
    wait_for_question(kernel, cell)
    kernel.interrupt()
    assert value(kernel.finish(cell)) == '""', "the crate takes every error for one"
    cell = start(kernel, 'loop { println!("got {:?}", evcxr_input::get_string("Who? ")); }')
    wait_for_question(kernel, cell)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.error["ename"] == "interrupted" and cell.stdout == 'got ""\n'
    assert value(kernel.execute("1 + 1")) == "2"


def test_a_long_prompt_of_evcxr_input(kernel):
    prompt = "é" * 3000 + "? "
    cell = converse(kernel, f'evcxr_input::get_string("{prompt}")', "yes")
    assert value(cell) == '"yes"' and questions(cell) == [(prompt, False)] and not cell.stdout


def test_an_expression_that_a_client_wants_may_ask(kernel):
    expression = (
        "{ let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap(); s.len() }"
    )
    cell = start(kernel, "1", user_expressions={"length": expression})
    wait_for_question(kernel, cell)
    kernel.client.input("four")
    kernel.finish(cell).ok()
    assert cell.reply["user_expressions"]["length"]["data"]["text/plain"] == "5"
