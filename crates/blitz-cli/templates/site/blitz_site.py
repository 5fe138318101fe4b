"""What the site adds to Sphinx: English anchors in every language, Python beside Rust, search in
languages without spaces, downloads."""

import json
import re
from pathlib import Path

import snowballstemmer
from docutils import nodes
from myst_parser.slugs import github_slugify
from sphinx.search import SearchLanguage
from sphinx.transforms import SphinxTransform

# Written by `cargo blitz site`.
SITE = json.loads((Path(__file__).parent / "site.json").read_text(encoding="utf-8"))


def jupyter_anchor(title):
    """The anchor of a heading in JupyterLab."""
    return title.replace(" ", "-")


class EnglishAnchors(SphinxTransform):
    """Gives each section the anchor that it has in English, so that a place has one address in all
    languages."""

    default_priority = 500

    def apply(self):
        anchors = SITE["anchors"].get(self.env.docname, [])
        slugs = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        for section, anchor in zip(self.document.findall(nodes.section), anchors, strict=False):
            if self.app.tags.has("book"):
                # On one page, each anchor stands once.
                anchor = f"{self.env.docname.replace('/', '-')}-{anchor}"
            if anchor in section["ids"]:
                section["ids"].remove(anchor)
            section["ids"].insert(0, anchor)
            title = section.next_node(nodes.title).astext()
            # Pages in Markdown name headings as GitHub does.
            for slug in (section["ids"][0], github_slugify(title)):
                slugs.setdefault(slug, (section.line, anchor, title))


class PythonBesideRust(SphinxTransform):
    """Makes one unit of a quoted Python block and the Rust cell below it."""

    default_priority = 510

    def apply(self):
        for quote in list(self.document.findall(nodes.block_quote)):
            cell = quote.next_node(descend=False, siblings=True)
            if not is_python(quote) or not is_code_cell(cell):
                continue
            pair = nodes.container(classes=["pair"])
            quote.replace_self(pair)
            cell.parent.remove(cell)
            python = nodes.container("", *quote.children, classes=["pair-python"])
            pair.extend([python, cell])


def is_python(quote):
    """Whether a quotation is nothing but a block of Python."""
    blocks = [child for child in quote.children if not isinstance(child, nodes.comment)]
    return bool(blocks) and all(
        isinstance(block, nodes.literal_block) and block.get("language") == "python"
        for block in blocks
    )


def is_code_cell(node):
    """Whether a node is a cell with code in it."""
    return isinstance(node, nodes.container) and "cell" in node["classes"]


class CjkSearch(SearchLanguage):
    """Search for languages written without spaces: each two neighbouring characters are a word, in
    the index and in what is searched for. Words in Latin letters are stemmed as in English, whose
    name tells Sphinx which stemmer the browser needs."""

    lang = "cjk"
    language_name = "English"
    js_stemmer_rawcode = "english-stemmer.js"
    stopwords = set()
    characters = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W\u3400-\u9fff\uf900-\ufaff]+")
    js_splitter_code = """
function splitQuery(query) {
  const cjk = /[\\u3400-\\u9fff\\uf900-\\ufaff]/u;
  const parts = query.match(/[\\u3400-\\u9fff\\uf900-\\ufaff]+|[\\p{Letter}\\p{Number}_]+/gu) ?? [];
  const pairs = (part) => part.length < 2 ? [part]
    : Array.from({ length: part.length - 1 }, (_, at) => part.slice(at, at + 2));
  return parts.flatMap((part) => {
    if (cjk.test(part[0])) return pairs(part);
    const kinds = /[\\u3400-\\u9fff\\uf900-\\ufaff]+|[^\\u3400-\\u9fff\\uf900-\\ufaff]+/gu;
    const mixed = part.match(kinds);
    return mixed.flatMap((piece) => cjk.test(piece[0]) ? pairs(piece) : [piece]);
  });
}
"""

    def __init__(self, options):
        super().__init__(options)
        self.stemmer = snowballstemmer.stemmer("english")

    def split(self, input):
        return [word for run in self.characters.findall(input) for word in pairs(run)]

    def word_filter(self, stemmed_word):
        return len(stemmed_word) > 0

    def stem(self, word):
        return self.stemmer.stemWord(word.lower()) if word.isascii() else word


def pairs(run):
    """The words of a run of characters of one kind."""
    if not re.match(r"[\u3400-\u9fff\uf900-\ufaff]", run):
        return [run]
    return [*run] + [run[at : at + 2] for at in range(len(run) - 1)]


def setup(app):
    app.add_search_language(CjkSearch)
    app.add_transform(EnglishAnchors)
    app.add_transform(PythonBesideRust)
    app.connect("html-page-context", add_page)


def add_page(_app, page, _template, context, _doctree):
    """Tells the templates what there is for this page."""
    up = "../" * page.count("/")
    context["up"] = up
    context["root"] = SITE["root"]
    context["page_downloads"] = SITE["downloads"].get(page, [])
