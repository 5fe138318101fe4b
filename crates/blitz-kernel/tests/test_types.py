"""Variables get their types without being told, though rust-analyzer is shown only what cells
can name."""

import pytest

DEFINITIONS = {
    'let mut ages = HashMap::new(); *ages.entry("a").or_insert(0) += 1;': 'ages["a"]',
    "let squares: Vec<_> = (1..4).map(|i| i * i).collect();": "squares[2]",
    "let words = \"b a\".split(' ').map(str::to_owned).collect::<BTreeSet<_>>();": "words.len()",
    "let shared = Arc::new(Mutex::new(vec![1.5f32]));": "shared.lock().unwrap().len()",
    "let maybe = Some(2).and_then(|n| u8::try_from(n).ok());": "maybe.unwrap()",
    "let boxed: Box<dyn Fn(i64) -> i64> = Box::new(|n| n + 1);": "boxed(1)",
    "let four = std::thread::spawn(|| 4).join().unwrap();": "four",
    "let (rows, columns) = Tensor::ones([2, 3], tch::kind::FLOAT_CPU).size2()?;": "rows * columns",
}
EXPECTED = ["1", "9", "2", "1", "2", "2", "4", "6"]
IMPORTS = "use std::collections::{BTreeSet, HashMap}; use std::sync::{Arc, Mutex};"


@pytest.mark.parametrize(("definition", "expected"), list(zip(DEFINITIONS, EXPECTED, strict=True)))
def test_a_variable_without_a_type_is_kept(torch_kernel, definition, expected):
    torch_kernel.execute(IMPORTS).ok()
    torch_kernel.execute(definition).ok()
    assert torch_kernel.execute(DEFINITIONS[definition]).ok().result["text/plain"] == expected
