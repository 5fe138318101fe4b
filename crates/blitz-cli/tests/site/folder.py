"""Pages in a folder, as files: which there are, and where their links lead."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# The folder of rustdoc's pages. They have rustdoc's own styles and scripts; they are linked to,
# and not judged.
API = "api"


@dataclass
class Links(HTMLParser):
    """The anchors of a page, and the addresses that it names."""

    anchors: set = field(default_factory=set)
    addresses: list = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors.update(filter(None, [attributes.get("id"), attributes.get("name")]))
        for name in ("href", "src", "action"):
            if attributes.get(name):
                self.addresses.append(attributes[name])


class Folder:
    """The pages of a site, or single ones."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        self._read = {}

    def pages(self):
        """Those that are ours, in order."""
        pages = sorted(self.root.rglob("*.html"))
        return [page for page in pages if self._is_ours(self.name(page).split("/"))]

    def _is_ours(self, parts):
        return parts[0] != API and not any(part.startswith("_") for part in parts)

    def name(self, page):
        """A page's path below the folder."""
        return page.relative_to(self.root).as_posix()

    def links(self, page):
        """The anchors and addresses of a page."""
        if page not in self._read:
            links = Links()
            links.feed(page.read_text(encoding="utf-8"))
            self._read[page] = links
        return self._read[page]

    def broken(self, page):
        """The addresses in a page that lead nowhere, with what is missing."""
        told = ((address, self._missing(page, address)) for address in self.links(page).addresses)
        return [(address, missing) for address, missing in told if missing]

    def _missing(self, page, address):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return None
        path = unquote(parts.path)
        target = (page.parent / path).resolve() if path else page
        if not target.is_relative_to(self.root):
            return f"{target} is outside"
        if not target.is_file():
            return f"there is no file {self.name(target)}"
        fragment = parts.fragment
        if not fragment or target.suffix != ".html" or target not in self.pages_set():
            return None
        # Browsers look for it as it is written, then for what that means.
        is_there = {fragment, unquote(fragment)} & self.links(target).anchors
        return None if is_there else f"{self.name(target)} has no anchor {fragment}"

    def pages_set(self):
        """The pages, to look one up."""
        if "pages" not in self._read:
            self._read["pages"] = set(self.pages())
        return self._read["pages"]
