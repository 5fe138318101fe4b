"""The audit itself: a page that is wrong in all ways has all findings, one that is right none."""

RIGHT = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Right</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root { color-scheme: light dark; }</style></head>
<body><main><h1>Right</h1><p>Words, and nothing else.</p></main></body></html>"""

WRONG = """<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>Wrong</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
.grey, .word { color: #999; } .wide { width: 340px; }
.moves { animation: m 9s infinite; width: 9px; }
@keyframes m { to { opacity: 0.5; } }
@media (prefers-color-scheme: dark) { .later { color: #111; background: #222; } }
</style></head>
<body><main><h1>Wrong</h1><h1 id="a">Again</h1><h4 id="a">Deep</h4>
<p class="grey">Grey words.</p><p class="later">Words that the dark scheme hides.</p>
<img src="missing.png"><table><tr><td>1</td></tr></table><div class="wide">wide</div>
<pre><span class="word">one</span> <span class="word">two</span>
<span style="color: #aaa">three</span></pre>
<div class="moves">m</div><p>PROSE</p></main>
<script>fetch("https://example.org/").catch(() => {}); undefinedFunction();</script>
</body></html>"""

EXPECTED = {
    "one-title",
    "words-for-pictures",
    "pictures",
    "table-headers",
    "one-id",
    "language",
    "sideways",
    "motion",
    "error",
    "network",
    "heading-order",
    "image-alt",
    "color-contrast",
}


def findings(auditor, tmp_path, html):
    page = tmp_path / "page.html"
    page.write_text(html, encoding="utf-8")
    return auditor.findings(page, page.name)


def test_a_page_that_is_right_has_no_findings(auditor, tmp_path):
    assert not findings(auditor, tmp_path, RIGHT)


def test_what_is_wrong_is_found(auditor, tmp_path):
    found = findings(auditor, tmp_path, WRONG.replace("PROSE", "English prose. " * 40))
    assert {finding.rule for finding in found} >= EXPECTED
    contrast = {(it.where, it.when.split(",")[0]) for it in found if it.rule == "color-contrast"}
    # Of the words of code that look alike, the first.
    grey = [".grey", ".word", "span:nth-child(2)"]
    seen = {(where, when) for where in grey for when in ["light", "dark"]}
    assert contrast == seen | {(".later", "dark")}
