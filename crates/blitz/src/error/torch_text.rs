//! What libtorch says, without what C++, tch and a panic put around it.

use std::any::Any;

/// A panic of tch unwraps its error: this is before libtorch's message, and in the message the line
/// breaks and quotes are escaped, as in every debug form.
const UNWRAPPED: &str = "called `Result::unwrap()` on an `Err` value: Torch(\"";

/// Begins the C++ stack trace, after an escaped line break.
const STACK_TRACE: &str = "\\nException raised from";

/// What a panic said, as far as libtorch's message goes; `None` where it said nothing.
pub(crate) fn of_panic(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))?;
    let text = text.strip_prefix(UNWRAPPED).unwrap_or(text);
    Some(text.split(STACK_TRACE).next().unwrap_or(text))
}

/// The first line of what [`of_panic`] gives, without its full stop.
pub(crate) fn first_line(text: &str) -> String {
    let first = text.split("\\n").next().unwrap_or(text);
    first.lines().next().unwrap_or(first).trim_end_matches('.').replace("\\\"", "\"")
}

/// Of an error's message, which goes on with a C++ stack trace, the part that helps.
pub(super) fn first_sentence(text: &str) -> String {
    let line =
        text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason given");
    line.split_once(". ").map_or(line, |(first, _)| first).trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_tch_says_what_libtorch_says() {
        let panic = |text: &str| -> Box<dyn Any + Send> { Box::new(text.to_owned()) };
        let raw =
            format!("{UNWRAPPED}size 2 \\\"a\\\" is odd.\\nMore.\\nException raised from x\")");
        let payload = panic(&raw);
        let text = of_panic(&*payload).unwrap();
        assert_eq!(text, "size 2 \\\"a\\\" is odd.\\nMore.");
        assert_eq!(first_line(text), "size 2 \"a\" is odd");
        // One's own panics keep all their lines.
        let own = panic("left: 1\nright: 2.");
        assert_eq!(of_panic(&*own), Some("left: 1\nright: 2."));
        assert_eq!(first_line(of_panic(&*own).unwrap()), "left: 1");
        assert_eq!(of_panic(&5), None);
    }
}
