"""Prints an HTML file as a PDF that can be searched, walked through by its bookmarks, and read
aloud.

Usage: pdf.py SOURCE.html TARGET.pdf, with BLITZ_CHROMIUM naming the browser.

A4, light, page numbers, all fonts in it. Chromium names some Chinese characters in a PDF by the
radicals that look the same (U+2F83 for U+81EA), so that nobody would find them; they get their
own names again. The PDF is read once more before it gets its name: it must have bookmarks where
the page has headings, all its fonts, and the Chinese that the page has.
"""

import os
import re
import sys
import unicodedata
from pathlib import Path

from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject

FOOTER = (
    '<div style="width: 100%; font: 8pt sans-serif; color: #444; text-align: center">'
    '<span class="pageNumber"></span> / <span class="totalPages"></span></div>'
)
MARGIN = {"top": "15mm", "bottom": "18mm", "left": "15mm", "right": "15mm"}
# A book of all pages is laid out in minutes on a slow machine.
PATIENCE = 600_000
HAN = re.compile(r"[\u3400-\u9fff]")
# Of the different Chinese characters of a page, those that must be found in the PDF: some stand in
# pictures' words, which are not printed.
FOUND = 0.97

# Radicals that are characters by themselves, and of which Unicode's normal forms do not say so.
SUPPLEMENT = dict(
    zip(
        "⺟⺠⻁⻄⻅⻆⻉⻋⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻳",
        "母民虎西见角贝车長长门雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾齐齿龙龟",
        strict=True,
    )
)
RADICAL = re.compile("[\u2e80-\u2fd5]")
# Lines of the table by which a PDF names the characters of a font: one, or several in a row.
ONE = re.compile(r"^<([0-9A-F]+)> <([0-9A-F]{4})>$", re.MULTILINE)
ROW = re.compile(r"^<([0-9A-F]+)> <([0-9A-F]+)> <([0-9A-F]{4})>$", re.MULTILINE)

# What a reader would unfold is printed, and pictures are there before that.
PREPARE = """async () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await document.fonts.ready;
}"""

# Characters that no font has are all drawn as the same box.
CAN_DRAW = """(characters) => {
  const drawn = (character) => {
    const canvas = new OffscreenCanvas(48, 48);
    const context = canvas.getContext("2d");
    context.font = `32px ${getComputedStyle(document.body).fontFamily}`;
    context.fillText(character, 4, 36);
    return context.getImageData(0, 0, 48, 48).data.join();
  };
  return new Set(characters.map(drawn)).size === characters.length;
}"""


def main(source, target):
    made = target.with_suffix(".part.pdf")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        program = os.environ["BLITZ_CHROMIUM"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        page = browser.new_page(color_scheme="light", reduced_motion="reduce", offline=True)
        page.set_default_timeout(PATIENCE)
        page.goto(source.as_uri())
        page.evaluate(PREPARE)
        headings = page.locator("h1, h2, h3").count()
        han = sorted(set(HAN.findall(page.locator("body").inner_text())))
        if han and not page.evaluate(CAN_DRAW, han[:: max(1, len(han) // 20)][:20]):
            sys.exit(
                "no font here has Chinese characters: `sudo apt install fonts-noto-cjk`, or remove "
                ".blitz/browser, and the next run installs a font there"
            )
        page.pdf(
            path=made,
            format="A4",
            margin=MARGIN,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            tagged=True,
            outline=True,
        )
        browser.close()
    name_characters(made)
    told = check(made, headings, set(han))
    made.replace(target)
    print(told)


def name_characters(path):
    """Gives characters that are named by radicals their own names."""
    writer = PdfWriter(clone_from=path)
    tables = {}
    for page in writer.pages:
        for font in fonts_in(page.get("/Resources", DictionaryObject())):
            if "/ToUnicode" in font:
                tables[font.raw_get("/ToUnicode").idnum] = font["/ToUnicode"]
    for table in tables.values():
        named = table.get_data().decode("ascii")
        renamed = ROW.sub(renamed_row, ONE.sub(renamed_one, named))
        if renamed != named:
            table.set_data(renamed.encode("ascii"))
    writer.write(path)


def renamed_one(line):
    """A line with the name of one character."""
    return f"<{line[1]}> <{ord(character(int(line[2], 16))):04X}>"


def renamed_row(line):
    """A line with the names of several in a row, which need not be in a row any more."""
    count = int(line[2], 16) - int(line[1], 16) + 1
    names = [character(int(line[3], 16) + at) for at in range(count)]
    listed = " ".join(f"<{ord(name):04X}>" for name in names)
    return f"<{line[1]}> <{line[2]}> [{listed}]"


def character(code):
    """The character that a code stands for, where it is a radical's."""
    named = chr(code)
    if not RADICAL.match(named):
        return named
    return SUPPLEMENT.get(named, unicodedata.normalize("NFKC", named))


def check(path, headings, han):
    """What there is to say of the PDF; ends the program where something is missing in it."""
    reader = PdfReader(path)
    fonts = {font for page in reader.pages for font in fonts_of(page)}
    missing = sorted(name for name, is_there in fonts if not is_there)
    bookmarks = count(reader.outline)
    found = han & set("".join(page.extract_text() for page in reader.pages)) if han else set()
    if missing:
        sys.exit(f"{path}: fonts that are not in it: {', '.join(missing)}")
    if headings and not bookmarks:
        sys.exit(f"{path}: {headings} headings and no bookmark")
    if len(found) < FOUND * len(han):
        sys.exit(f"{path}: of {len(han)} Chinese characters, only {len(found)} are found in it")
    if "/StructTreeRoot" not in reader.trailer["/Root"]:
        sys.exit(f"{path}: it cannot be read aloud: it has no structure")
    return f"{len(reader.pages)} pages, {bookmarks} bookmarks, {len(fonts)} fonts"


def fonts_of(page):
    """The fonts of a page: the name, and whether the font itself is in the file."""
    for font in fonts_in(page.get("/Resources", DictionaryObject())):
        if font["/Subtype"] == "/Type3":
            # Its glyphs are drawings in the file.
            yield font.get("/Name", "Type 3"), True
            continue
        if "/DescendantFonts" in font:
            font = font["/DescendantFonts"][0].get_object()
        descriptor = font.get("/FontDescriptor", {})
        yield font["/BaseFont"], any(name.startswith("/FontFile") for name in descriptor)


def fonts_in(resources):
    """The fonts of what is drawn on a page, and of what is drawn within that."""
    resources = resources.get_object()
    yield from (font.get_object() for font in resources.get("/Font", {}).values())
    for drawing in resources.get("/XObject", {}).values():
        yield from fonts_in(drawing.get_object().get("/Resources", DictionaryObject()))


def count(outline):
    """The number of bookmarks, with those below others."""
    return sum(count(it) if isinstance(it, list) else 1 for it in outline)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
