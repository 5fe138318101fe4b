use super::*;
use crate::display::output::test::{Memory, output, terminal};
use crate::display::throttle::test::Hand;

fn options() -> ProgressOptions {
    ProgressOptions { label: "a <b>".to_owned(), ..ProgressOptions::default() }
}

fn bar(frontend: Frontend, total: Option<u64>) -> (ProgressBar, Memory, Hand) {
    let (output, memory) = output(frontend);
    let hand = Hand::default();
    (ProgressBar::on(output, hand.clock(), total, options()), memory, hand)
}

/// The commands since the last call: their name, HTML and text.
fn drawings(memory: &Memory) -> Vec<(String, String, String)> {
    let parse = |line: &str| {
        let command: serde_json::Value =
            serde_json::from_str(line.strip_prefix("\x1eblitz ").unwrap()).unwrap();
        let (name, message) = command.as_object().unwrap().iter().next().unwrap();
        let form = |mime_type: &str| message["data"][mime_type].as_str().unwrap().to_owned();
        assert!(message["id"].is_string());
        (name.clone(), form("text/html"), form("text/plain"))
    };
    memory.take().lines().map(parse).collect()
}

fn texts(memory: &Memory) -> Vec<String> {
    drawings(memory).into_iter().map(|(.., text)| text).collect()
}

#[test]
fn the_kernel_gets_a_named_element_and_a_line() {
    let (mut bar, memory, hand) = bar(Frontend::Blitz, Some(4));
    hand.advance(2_000);
    bar.step().unwrap();
    let [empty, first] = drawings(&memory).try_into().unwrap();
    assert_eq!(empty.0, "display");
    assert_eq!(
        empty.1,
        "<div><label>a &lt;b&gt; <progress max=\"4\" value=\"0\">0 %</progress></label> \
         0/4 steps (0 %) · 0:00 elapsed</div>"
    );
    assert_eq!(empty.2, "a <b>: 0/4 steps (0 %) · 0:00 elapsed");
    assert_eq!(first.0, "update");
    assert!(first.1.contains("<progress max=\"4\" value=\"1\">25 %</progress>"), "{}", first.1);
    assert_eq!(first.2, "a <b>: 1/4 steps (25 %) · 0.50 steps/s · 0:02 elapsed · 0:06 left");
}

#[test]
fn redrawing_waits_for_its_time_and_the_end_does_not() {
    let (mut bar, memory, hand) = bar(Frontend::Blitz, Some(1_000));
    assert_eq!(drawings(&memory).len(), 1);
    // A second of 1,000 steps: at most a drawing each 100 ms, and the last.
    let mut count = 0;
    for _ in 0..1_000 {
        hand.advance(1);
        bar.step().unwrap();
        count += drawings(&memory).len();
    }
    assert_eq!(count, 10);
    bar.message("loss 0.5");
    drop(bar);
    assert_eq!(
        texts(&memory),
        ["a <b>: 1000/1000 steps (100 %) · 1000 steps/s · 0:01 elapsed · loss 0.5"]
    );
}

#[test]
fn the_last_step_is_drawn_at_once_and_only_once() {
    let (mut bar, memory, hand) = bar(Frontend::Blitz, Some(2));
    hand.advance(1);
    bar.step().unwrap();
    bar.step().unwrap();
    assert_eq!(texts(&memory)[1..], ["a <b>: 2/2 steps (100 %) · 2000 steps/s · 0:00 elapsed"]);
    bar.finish();
    assert_eq!(memory.take(), "");
}

#[test]
fn a_bar_dropped_early_says_stopped() {
    let (mut bar, memory, hand) = bar(Frontend::Blitz, Some(8));
    hand.advance(10);
    bar.advance(2).unwrap();
    memory.take();
    drop(bar);
    let [(name, html, text)] = drawings(&memory).try_into().unwrap();
    assert_eq!(name, "update");
    assert!(html.contains("value=\"2\">25 %"), "{html}");
    assert_eq!(text, "a <b>: 2/8 steps (25 %) · 200 steps/s · 0:00 elapsed · stopped");
}

#[test]
fn an_unknown_total_is_an_element_without_a_value_until_the_end() {
    let (mut bar, memory, hand) = bar(Frontend::Blitz, None);
    hand.advance(500);
    bar.advance(3).unwrap();
    bar.finish();
    let html: Vec<String> = drawings(&memory).into_iter().map(|(_, html, _)| html).collect();
    assert!(html[0].contains("<progress></progress>") && html[1].contains("<progress></progress>"));
    assert!(html[2].contains("<progress max=\"1\" value=\"1\"></progress>"), "{}", html[2]);
    assert!(html[2].ends_with("3 steps · 6.00 steps/s · 0:00 elapsed</div>"), "{}", html[2]);
}

#[test]
fn no_step_at_all_is_complete() {
    let (bar, memory, _) = bar(Frontend::Blitz, Some(0));
    drop(bar);
    let html = drawings(&memory).pop().unwrap().1;
    assert!(html.contains("<progress max=\"1\" value=\"1\">100 %</progress>"), "{html}");
}

#[test]
fn a_stock_kernel_gets_one_line() {
    for steps in [3, 5] {
        let (mut bar, memory, hand) = bar(Frontend::Stock, Some(5));
        for _ in 0..steps {
            hand.advance(200);
            bar.step().unwrap();
        }
        bar.finish();
        let line = match steps {
            3 => "a <b>: 3/5 steps (60 %) · 5.00 steps/s · 0:00 elapsed · stopped",
            _ => "a <b>: 5/5 steps (100 %) · 5.00 steps/s · 0:01 elapsed",
        };
        assert_eq!(memory.take(), format!("{line}\n"));
    }
}

#[test]
fn a_program_logs_the_last_line() {
    let (mut bar, memory, hand) = bar(Frontend::Program, Some(2));
    hand.advance(500);
    bar.advance(2).unwrap();
    bar.message("done");
    assert_eq!(memory.take(), "");
    drop(bar);
    assert_eq!(memory.take(), "a <b>: 2/2 steps (100 %) · 4.00 steps/s · 0:00 elapsed · done\n");
}

#[test]
fn a_terminal_shows_one_line_over_and_over() {
    let (output, memory) = terminal();
    let hand = Hand::default();
    let mut bar = ProgressBar::on(output, hand.clock(), Some(2), options());
    hand.advance(500);
    bar.step().unwrap();
    bar.step().unwrap(); // too soon to draw
    bar.finish();
    assert_eq!(
        memory.take(),
        "\ra <b>: 0/2 steps (0 %) · 0:00 elapsed\x1b[K\
         \ra <b>: 1/2 steps (50 %) · 2.00 steps/s · 0:00 elapsed · 0:00 left\x1b[K\
         \ra <b>: 2/2 steps (100 %) · 4.00 steps/s · 0:00 elapsed\x1b[K\n"
    );
}
