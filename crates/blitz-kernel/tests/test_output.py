"""Output: while the cell runs, in order, complete."""

import pytest
from driver import display_command

# Each prints the number `i` and no more; the cell then waits until that has arrived.
WHOLE_LINE = '{macro}!("{{i}}");'
FLUSHED = 'print!("{i} "); std::io::Write::flush(&mut std::io::stdout())?;'
UNFINISHED = 'print!("{i} ");'
WRITTEN_OVER = 'eprint!("\\r{i}");'


@pytest.mark.parametrize(
    "print_number, name",
    [
        (WHOLE_LINE.format(macro="println"), "stdout"),
        (WHOLE_LINE.format(macro="eprintln"), "stderr"),
        (FLUSHED, "stdout"),
        (UNFINISHED, "stdout"),
        (WRITTEN_OVER, "stderr"),
    ],
    ids=["line", "error line", "flushed part of a line", "part of a line", "line written over"],
)
def test_output_arrives_while_the_cell_runs(kernel, gates, print_number, name):
    cell = kernel.submit(f"for i in 0..10 {{ {print_number} {gates.wait_at_each('seen')} }}")
    for number in range(10):
        arrived = lambda: cell.text(name).split()[-1:] == [str(number)]  # noqa: E731, B023
        kernel.wait(arrived, f"{number} on {name}, while the cell waits for that")
        assert not cell.idle
        gates.open(f"seen-{number}")
    kernel.finish(cell).ok()
    assert cell.text(name).split() == [str(number) for number in range(10)]
    assert cell.text(name).count("\r") == (10 if print_number == WRITTEN_OVER else 0)


def test_the_two_streams_keep_their_order_where_one_waits_for_the_other(kernel, gates):
    cell = kernel.submit(
        f'for i in 0..5 {{ println!("out {{i}}"); {gates.wait_at_each("out")}'
        f' eprintln!("err {{i}}"); {gates.wait_at_each("err")} }}'
    )
    expected = []
    for number in range(5):
        for name in ["out", "err"]:
            expected.append(f"{name} {number}\n")
            kernel.wait(lambda: len(cell.of("stream")) >= len(expected), f"{expected[-1]!r}")
            gates.open(f"{name}-{number}")
    kernel.finish(cell).ok()
    assert [message.content["text"] for message in cell.of("stream")] == expected


def test_no_line_of_many_is_lost(kernel):
    expected = {name: "".join(f"{name} {i}\n" for i in range(1000)) for name in ["out", "err"]}
    for number in range(100):
        cell = kernel.execute(
            f"let number = {number};\n"
            'for i in 0..1000 { println!("out {i}"); eprintln!("err {i}"); }'
        ).ok()
        assert cell.stdout == expected["out"], f"cell {number}"
        assert cell.stderr == expected["err"], f"cell {number}"


@pytest.mark.parametrize("end", ["std::process::exit(3)", "std::process::abort()"])
def test_what_was_printed_before_the_process_ended_is_there(kernel, end):
    cell = kernel.execute(
        "use std::io::Write;\n"
        'for i in 0..1000 { println!("out {i}"); eprintln!("err {i}"); }\n'
        f'print!("in mid-"); std::io::stdout().flush()?; eprint!("in mid-"); {end};'
    )
    assert cell.error["ename"] == "crash"
    for text, name in [(cell.stdout, "out"), (cell.stderr, "err")]:
        lines = "".join(f"{name} {i}\n" for i in range(1000))
        assert text.startswith(lines + "in mid-"), text[-200:]


def test_output_of_threads_and_child_processes_is_there(kernel):
    cell = kernel.execute(
        'let thread = std::thread::spawn(|| println!("from a thread"));\n'
        "thread.join().unwrap();\n"
        'std::process::Command::new("sh").args(["-c", "echo from a child; echo oh >&2"]).status()?;'
    ).ok()
    assert cell.stdout == "from a thread\nfrom a child\n" and cell.stderr == "oh\n"


def test_a_character_that_arrives_in_two_pieces_is_whole(kernel):
    # Whether the pauses are long or short, no piece may be shown by itself.
    pause = "std::thread::sleep(std::time::Duration::from_millis(20));"
    cell = kernel.execute(
        "use std::io::Write;\n"
        "let mut out = std::io::stdout();\n"
        f'for byte in "né 😀!\\n".bytes() {{ out.write_all(&[byte])?; out.flush()?; {pause} }}'
    ).ok()
    assert cell.stdout == "né 😀!\n"


def test_pictures_arrive_in_their_place_and_at_once(kernel, gates):
    picture = {"image/png": "iVBORw==", "text/plain": "A dot."}
    metadata = {"image/png": {"width": 640, "height": 480}}
    show = display_command({"display": {"data": picture, "metadata": metadata}})
    cell = kernel.submit(
        f'print!("a");\n{show}\nprintln!("b"); {show} {gates.wait_at("end")}\n1 + 1'
    )
    kernel.wait(lambda: len(cell.of("display_data")) == 2, "both pictures, while the cell runs")
    assert not cell.idle
    gates.open("end")
    kernel.finish(cell).ok()
    shown = cell.of("stream", "display_data", "execute_result")
    assert [message.kind for message in shown] == [
        "stream",
        "display_data",
        "stream",
        "display_data",
        "execute_result",
    ]
    assert cell.stdout == "ab\n", "no part of a command is shown as text"
    first, second = cell.of("display_data")
    assert first.content["data"] == picture and first.content["metadata"] == metadata
    assert second.content == first.content
    assert cell.result["text/plain"] == "2"


def test_data_in_json_is_passed_on_as_json(kernel):
    data = {"application/vnd.vegalite.v5+json": {"mark": "bar", "é": [1, None, "\n"]}}
    cell = kernel.execute(display_command({"display": {"data": data}})).ok()
    assert cell.of("display_data")[0].content["data"] == data


def test_a_display_is_updated_by_its_id_also_from_a_later_cell(kernel):
    data = lambda text: {"data": {"text/plain": text}, "id": "the-one"}  # noqa: E731
    shown = kernel.execute(display_command({"display": data("waiting")})).ok()
    [message] = shown.of("display_data")
    assert message.content["transient"] == {"display_id": "the-one"}
    later = kernel.execute(display_command({"update": data("done")})).ok()
    [message] = later.of("update_display_data")
    assert message.content["transient"] == {"display_id": "the-one"}
    assert message.content["data"] == {"text/plain": "done"} and not later.of("display_data")


def test_output_is_cleared(kernel):
    clear = [display_command({"clear": {"wait": wait}}) for wait in [True, False]]
    cell = kernel.execute(f'println!("a");\n{clear[0]}\nprintln!("b");\n{clear[1]}').ok()
    kinds = [message.kind for message in cell.of("stream", "clear_output")]
    assert kinds == ["stream", "clear_output", "stream", "clear_output"]
    assert [m.content["wait"] for m in cell.of("clear_output")] == [True, False]


def test_a_damaged_display_command_is_told_and_does_no_harm(kernel):
    cell = kernel.execute('print!("\\u{1e}blitz {{no json\\n");\nprintln!("on");').ok()
    assert "on\n" in cell.stdout and not cell.of("display_data")


@pytest.mark.parametrize(
    "code, plain",
    [
        ("1 + 1", "2"),
        ('"text"', '"text"'),
        ("vec![1.5, 2.0]", "[1.5, 2.0]"),
        ("let x = 4;\nx * 2", "8"),
        ("Some(3)", "Some(3)"),
    ],
)
def test_the_last_expression_is_the_result(kernel, code, plain):
    assert kernel.execute(code).ok().result["text/plain"] == plain


@pytest.mark.parametrize("code", ["let x = 1;", 'println!("x");', "fn f() {}", "1 + 1;"])
def test_a_cell_without_a_value_has_no_result(kernel, code):
    assert kernel.execute(code).ok().result is None


def test_a_value_shows_itself_in_all_its_forms(kernel):
    kernel.execute(
        "struct Bold(&'static str);\n"
        "impl Bold {\n"
        "    fn evcxr_display(&self) {\n"
        "        let text = self.0;\n"
        '        println!("EVCXR_BEGIN_CONTENT text/html\\n<b>{text}</b>\\nEVCXR_END_CONTENT");\n'
        '        println!("EVCXR_BEGIN_CONTENT text/plain\\n{text}\\nEVCXR_END_CONTENT");\n'
        "    }\n"
        "}"
    ).ok()
    cell = kernel.execute('println!("first");\nBold("loud")').ok()
    assert cell.result == {"text/html": "<b>loud</b>", "text/plain": "loud"}
    assert cell.stdout == "first\n"


def test_blitz_displays(torch_kernel):
    cell = torch_kernel.execute(
        "use blitz::display::{self, Html, Markdown};\n"
        'display::show(Html("<i>one</i>"));\n'
        'let mut status = display::show_updatable(Markdown("*waiting*"));\n'
        'status.update(Markdown("**done**"));'
    ).ok()
    one, waiting = cell.of("display_data")
    [done] = cell.of("update_display_data")
    assert one.content["data"]["text/html"] == "<i>one</i>"
    assert waiting.content["data"]["text/markdown"] == "*waiting*"
    assert done.content["data"]["text/markdown"] == "**done**"
    assert done.content["transient"] == waiting.content["transient"] != {}
    later = torch_kernel.execute('status.update(Markdown("later"));').ok()
    assert later.of("update_display_data")[0].content["transient"] == done.content["transient"]


def test_a_grid_of_images_is_a_picture_with_a_text_alternative(torch_kernel):
    cell = torch_kernel.execute(
        "let images = Tensor::rand([2, 3, 32, 32], (Kind::Float, Device::Cpu));\n"
        'image_grid(&images, &["cat", "dog"], ImageGridOptions::default())?'
    ).ok()
    assert cell.result["image/png"].startswith("iVBOR") and "cat" in cell.result["text/plain"]


def test_idle_comes_after_all_output(kernel):
    cell = kernel.execute('for i in 0..2000 { eprintln!("{i}"); println!("{i}"); }').ok()
    # What was sent late would have come before this request's end.
    kernel.ask("kernel_info")
    assert cell.messages[-1].kind == "status" and cell.stderr.count("\n") == 2000
