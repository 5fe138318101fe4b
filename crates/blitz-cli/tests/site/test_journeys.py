"""What readers do on the site: without a network, in light and dark, on a large screen and a
small one."""

import re
from urllib.parse import unquote, urlsplit

import pytest
from audit import OWN
from playwright.sync_api import TimeoutError as TookTooLong

# A size, and the colour scheme of the system.
SCREENS = {
    "large, light": ((1400, 900), "light"),
    "large, dark": ((1400, 900), "dark"),
    "small, light": ((360, 740), "light"),
    "small, dark": ((360, 740), "dark"),
}
# Enough for a page that is opened as a file, on a machine that does other things, too.
PATIENCE = 30_000


@pytest.fixture(params=SCREENS.values(), ids=SCREENS.keys())
def page(browser, request):
    (width, height), scheme = request.param
    size = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme, offline=True)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture
def large(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def open_page(page, site, name):
    page.goto((site / name).as_uri())


def place(page, site):
    """The page below the site, and the anchor."""
    parts = urlsplit(page.url)
    return unquote(parts.path).removeprefix(f"{site}/"), unquote(parts.fragment)


def shown(page, selector):
    """The first such element that is visible; on a small screen it may stand in a side bar."""
    if not page.locator(selector).locator("visible=true").count():
        for toggle in (".primary-toggle", ".secondary-toggle"):
            button = page.locator(toggle).locator("visible=true")
            if button.count():
                button.click()
                if page.locator(selector).locator("visible=true").count():
                    break
                page.keyboard.press("Escape")
    return page.locator(selector).locator("visible=true").first


def results(page, words):
    """Searches as a reader does, and returns the addresses that are found."""
    page.locator(".search-button__button").locator("visible=true").first.click()
    field = page.locator("#pst-search-dialog input[name=q]")
    field.fill(words)
    field.press("Enter")
    page.wait_for_url("**/search.html*")
    found = page.locator("#search-results ul.search li a")
    found.first.wait_for()
    page.wait_for_function(
        "!document.querySelector('#search-progress')?.textContent.includes('...')"
    )
    return [link.get_attribute("href") for link in found.all()]


@pytest.mark.parametrize(
    ("start", "words", "expected"),
    [
        ("index.html", "broadcasting", "01_tensors.html"),
        ("exercises/01_tensors.html", "broadcasting", "01_tensors.html"),
        ("zh/index.html", "广播", "01_tensors.html"),
        ("zh/03_neural_networks.html", "自动求导", "02_autograd.html"),
    ],
)
def test_search_finds(page, site, start, words, expected):
    open_page(page, site, start)
    found = results(page, words)
    pages = [urlsplit(address).path for address in found]
    assert any(path.endswith(expected) for path in pages[:5]), found
    link = page.locator("#search-results ul.search li a").nth(
        next(at for at, path in enumerate(pages) if path.endswith(expected))
    )
    link.click()
    page.wait_for_url(f"**/{expected}*")
    folder = start.rpartition("/")[0].partition("/")[0]
    name, _ = place(page, site)
    assert name.startswith("zh/") == (folder == "zh")
    assert words.lower() in page.locator("article").inner_text().lower()


def test_what_is_not_there_is_not_found(large, site):
    large.goto((site / "search.html").as_uri() + "?q=xyzzyplugh")
    large.locator("#search-results p").first.wait_for()
    assert large.locator("#search-results ul.search li a").count() == 0


@pytest.mark.parametrize(
    ("name", "section"),
    [("01_tensors", "Broadcasting"), ("03_neural_networks", "Backprop"), ("kernel", None)],
)
def test_the_language_changes_in_the_middle_of_a_section(page, site, name, section):
    open_page(page, site, f"{name}.html")
    section = page.evaluate(IN_THE_MIDDLE, section)
    shown(page, "a.blitz-language[lang|=zh]").click()
    page.wait_for_url("**/zh/**")
    arrives(page, section)
    assert place(page, site) == (f"zh/{name}.html", section)
    shown(page, "a.blitz-language[lang=en]").click()
    page.wait_for_function("document.documentElement.lang === 'en'")
    arrives(page, section)
    assert place(page, site) == (f"{name}.html", section)


# Goes to a section, or to the fourth one, and reads on a little. Returns its anchor.
IN_THE_MIDDLE = """(wanted) => {
  const all = [...document.querySelectorAll(".bd-article section section[id]")];
  const section = wanted ? document.getElementById(wanted).closest("section[id]") : all[3];
  section.scrollIntoView({ behavior: "instant" });
  scrollBy({ top: 20, behavior: "instant" });
  return section.id;
}"""


def arrives(page, anchor):
    """Waits until a section begins in the upper half of the window, below what covers it."""
    script = """id => {
      const top = document.getElementById(id)?.getBoundingClientRect().top;
      const header = document.querySelector(".bd-header")?.getBoundingClientRect().bottom;
      return document.readyState === "complete" && top >= header - 1 && top < innerHeight / 2;
    }"""
    page.wait_for_function(script, arg=anchor)


def test_a_cell_is_copied(page, site):
    open_page(page, site, "01_tensors.html")
    cell = page.locator(".cell_input .highlight").nth(2)
    cell.scroll_into_view_if_needed()
    cell.hover()
    cell.locator("button.copybtn").click()
    page.evaluate(
        "() => { const field = document.createElement('textarea'); field.id = 'pasted';"
        " document.body.append(field); field.focus(); }"
    )
    page.keyboard.press("Control+V")
    pasted = page.locator("#pasted").input_value()
    assert pasted.strip() == cell.locator("pre").inner_text().strip()
    assert len(pasted) > 10


@pytest.mark.parametrize(
    ("name", "ending", "text"),
    [
        ("03_neural_networks", "rs", "fn main()"),
        ("03_neural_networks", "ipynb", '"nbformat"'),
        ("zh/03_neural_networks", "rs", "图片会存成文件"),
    ],
)
def test_03_is_downloaded(page, site, tmp_path, name, ending, text):
    open_page(page, site, f"{name}.html")
    link = shown(page, f".blitz-downloads a[href$='.{ending}']")
    with page.expect_download() as download:
        link.click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == f"03_neural_networks.{ending}"
    assert text in path.read_text(encoding="utf-8")


def test_the_next_page_and_back(page, site):
    open_page(page, site, "01_tensors.html")
    page.locator("a.right-next").click()
    page.wait_for_url("**/02_autograd.html")
    page.locator("a.left-prev").click()
    page.wait_for_url("**/01_tensors.html")


def test_all_pages_are_in_the_contents(page, site):
    open_page(page, site, "01_tensors.html")
    shown(page, ".blitz-contents a[href$='04_cifar10_classifier.html']").click()
    page.wait_for_url("**/04_cifar10_classifier.html")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_light_and_dark_are_chosen_and_kept(page, site, mode):
    open_page(page, site, "01_tensors.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    shown(page, ".theme-switch-button").click()
    page.locator(f".theme-change-button[data-mode={mode}]").locator("visible=true").first.click()
    page.wait_for_function(f"document.documentElement.dataset.theme === '{mode}'")
    colour = page.evaluate(ground)
    open_page(page, site, "zh/02_autograd.html")
    assert page.evaluate("document.documentElement.dataset.theme") == mode
    assert page.evaluate(ground) == colour
    brightness = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
    assert (brightness > 128) == (mode == "light")


def test_python_or_rust_is_chosen_and_kept(page, site):
    open_page(page, site, "01_tensors.html")
    python, rust = (page.locator(it).first for it in (".pair .pair-python", ".pair .cell_input"))
    both = {"python": (True, False), "rust": (False, True), "both": (True, True)}

    def wait_for_both(expected):
        for code, is_shown in zip((python, rust), expected, strict=True):
            code.wait_for(state="visible" if is_shown else "hidden")

    def keeps(which, expected):
        """Chooses, and looks at the same page loaded anew and at another one."""
        button = page.locator(f"#blitz-languages [data-show={which}]")
        button.click()
        wait_for_both(expected)
        assert button.get_attribute("aria-pressed") == "true"
        try:
            page.reload()
            wait_for_both(expected)
            page.wait_for_function(f"localStorage.getItem('blitz-show') === '{which}'")
            open_page(page, site, "zh/01_tensors.html")
            wait_for_both(expected)
        except TookTooLong:
            return False
        finally:
            open_page(page, site, "01_tensors.html")
        return True

    for which, expected in both.items():
        # On a busy machine Chromium sometimes forgets what a page has stored just before it is
        # loaded anew; a person chooses again.
        assert any(keeps(which, expected) for _ in range(3)), which


def test_a_choice_in_one_tab_is_that_of_the_others(page, site):
    open_page(page, site, "01_tensors.html")
    other = page.context.new_page()
    open_page(other, site, "02_autograd.html")
    page.locator("#blitz-languages [data-show=rust]").click()
    other.locator(".pair .pair-python").first.wait_for(state="hidden")
    assert (
        other.locator("#blitz-languages [aria-pressed=true]").get_attribute("data-show") == "rust"
    )
    other.close()


@pytest.mark.parametrize("name", ["index.html", "01_tensors.html", "zh/03_neural_networks.html"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(page, site, name):
    walk_through(page, site / name)


def test_the_keyboard_goes_through_search(large, site):
    open_page(large, site, "index.html")
    large.keyboard.press("Control+K")
    large.keyboard.type("broadcasting")
    large.keyboard.press("Enter")
    large.wait_for_url("**/search.html*")
    large.locator("#search-results ul.search li a").first.wait_for()


def walk_through(page, path):
    """Goes through a page by the Tab key: what can have the focus gets it, in sight and marked."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(path.as_uri())
    page.evaluate(OWN)
    page.evaluate(
        "window.wanted = new Map(blitzAudit.reachable().map(it => [it, blitzAudit.mark(it)]))"
    )
    steps = page.evaluate("wanted.size")
    unseen = []
    for _ in range(steps + 5):
        page.keyboard.press("Tab")
        told = page.evaluate(STEP)
        unseen += [told] if told else []
        if page.evaluate("wanted.size") == 0:
            break
    left = page.evaluate("[...wanted.keys()].map(blitzAudit.selector)")
    assert not left and not unseen, f"not reached: {left[:10]}; not to be seen: {unseen[:10]}"


STEP = """() => {
  const element = document.activeElement;
  const before = wanted.get(element);
  wanted.delete(element);
  if (before === undefined) return null;
  const box = element.getBoundingClientRect();
  const inSight = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const isMarked = blitzAudit.mark(element) !== before;
  return inSight && isMarked ? null : blitzAudit.selector(element);
}"""
