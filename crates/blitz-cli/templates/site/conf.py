"""Sphinx's settings for one language of the site; `cargo blitz site` writes site.json beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from blitz_site import SITE, jupyter_anchor  # noqa: E402

project = "Rust Blitz"
html_title = project
language = SITE["language"]
extensions = ["myst_nb", "sphinx_copybutton", "blitz_site"]
exclude_patterns = ["_*"]
# A function among the settings is no fault.
suppress_warnings = ["config.cache"]

nb_execution_mode = "off"
nb_merge_streams = True
# Blocks without a language are outputs and drawings.
highlight_language = "text"
myst_heading_anchors = 6
# Links between the pages are the notebooks'.
myst_heading_slug_func = jupyter_anchor

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["blitz.css"]
html_js_files = [("blitz.js", {"defer": "defer"})]
html_favicon = "_static/logo.svg"
html_logo = "_static/logo.svg"
html_copy_source = False
html_show_sourcelink = False
html_search_language = "cjk" if SITE["is_cjk"] else language
html_sidebars = {"**": ["contents"], "index": []}
html_context = {
    "words": SITE["words"],
    "languages": SITE["languages"],
    "own_language": language,
    "default_mode": "auto",
}
html_theme_options = {
    "logo": {"text": project, "alt_text": ""},
    "navbar_center": [],
    "navbar_end": ["language-switch", "theme-switcher"],
    "article_header_start": [],
    "article_header_end": ["code-switch"],
    "secondary_sidebar_items": ["downloads", "page-toc"],
    "show_prev_next": True,
    "footer_start": [],
    "footer_end": [],
    "footer_center": [],
    "back_to_top_button": False,
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_selector = "div.highlight pre"
copybutton_exclude = ".linenos, .gp, .go"

# All pages in one, to be printed.
if tags.has("book"):  # noqa: F821
    html_theme = "basic"
    html_theme_options = {"nosidebar": True}
    html_css_files = ["book.css"]
    html_js_files = []
    extensions.remove("sphinx_copybutton")
    pygments_style = "a11y-high-contrast-light"
