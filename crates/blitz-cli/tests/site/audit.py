"""A page under all conditions that readers have: light and dark, wide and narrow, without the
network."""

from dataclasses import dataclass
from pathlib import Path

from axe_playwright_python.base import AXE_FILE_PATH

AXE = Path(AXE_FILE_PATH).read_text(encoding="utf-8")
OWN = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")

# WCAG 2.2, levels A and AA, and what axe-core recommends beyond them.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What light and dark decide on. The rest is looked at in one of them.
COLOURS = ["color-contrast", "link-in-text-block"]
# What axe-core counts as an experiment, and WCAG does not: 2.5.3.
EXPERIMENTS = ["label-content-name-mismatch"]

SCHEMES = ["light", "dark"]
WIDTHS = [1400, 360]
# WCAG 1.4.10: 1280 pixels at 400 percent.
NARROWEST = 320
HEIGHT = 900


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong with a page, and where."""

    page: str
    rule: str
    where: str
    what: str
    when: str = ""

    def __str__(self):
        when = f" ({self.when})" if self.when else ""
        return f"{self.page}: {self.rule}{when}\n    {self.where}\n    {self.what}"


class Auditor:
    """A tab of the browser that looks at one page after the other."""

    def __init__(self, browser):
        # Who asks for less motion gets none: colours are then what they will be at once.
        self.context = browser.new_context(reduced_motion="reduce", offline=True)
        self.page = self.context.new_page()
        self.said = []
        self.page.on("pageerror", lambda error: self.said.append(("error", str(error))))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.said.append(("console", message.text))

    def _request(self, request):
        if request.url.split(":")[0] not in ("file", "data", "blob", "about"):
            self.said.append(("network", f"it asks for {request.url}"))

    def findings(self, path, name):
        """All that is wrong with the page at `path`."""
        self.said.clear()
        self._set(WIDTHS[0], SCHEMES[0])
        self.page.goto(path.as_uri())
        self.page.evaluate(AXE)
        self.page.evaluate(OWN)
        found = [Finding(name, *it) for it in self._ask("structure") + self._ask("language")]
        self._ask("thin")
        for width in WIDTHS:
            for scheme in SCHEMES:
                found += self._under(name, width, scheme)
            arguments = [TAGS, COLOURS, EXPERIMENTS]
            others = self.page.evaluate("them => blitzAudit.others(...them)", arguments)
            found += [Finding(name, *it, f"{width} px") for it in others]
        self._set(NARROWEST, SCHEMES[0])
        found += [Finding(name, *it, f"{NARROWEST} px") for it in self._ask("sideways")]
        found += [Finding(name, rule, "", what) for rule, what in self.said]
        return found

    def _under(self, name, width, scheme):
        when = f"{scheme}, {width} px"
        self._set(width, scheme)
        found = self._ask("motion")
        if not self.page.evaluate("scheme => blitzAudit.becomes(scheme)", scheme):
            found.append(("scheme", "html", f"it does not become {scheme} as the system does"))
        found += self.page.evaluate("rules => blitzAudit.colours(rules)", COLOURS)
        return [Finding(name, *it, when) for it in found]

    def _set(self, width, scheme):
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.page.emulate_media(color_scheme=scheme)

    def _ask(self, what):
        return self.page.evaluate(f"blitzAudit.{what}()")

    def close(self):
        self.context.close()
