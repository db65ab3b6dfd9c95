"""The documentation as a site: it builds without a warning, its links lead somewhere, and it asks nobody else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from mkdocs.config import load_config

import convoscope

ROOT = Path(__file__).parents[2]
LANGUAGES = {"en": ("mkdocs.yml", ""), "es": ("mkdocs.es.yml", "es/")}
LEFT_OPEN = {"404.html"}  # made for the root of a server

# What a browser fetches by itself; links that a reader follows may lead elsewhere.
_FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}


class Page(HTMLParser):
    """What a page of the site has and asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.without_words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {str(given[key]) for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href") is not None:
            self.links.append(str(given["href"]))
        if tag in _FETCHED and given.get(_FETCHED[tag]) and given.get("rel") not in ("canonical", "alternate"):
            self.fetched.append(str(given[_FETCHED[tag]]))
        if tag == "img" and not (given.get("alt") or "").strip():
            self.without_words.append(str(given.get("src")))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site in both languages, as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("documentation") / "site"
    for config, place in LANGUAGES.values():
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", config]
        done = subprocess.run(
            [*command, "--site-dir", str(folder / place)],
            cwd=ROOT,
            env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        assert (done.returncode, done.stdout.strip()) == (0, "")
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Page]:
    """Every page of the site."""
    return {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html")) if path.name not in LEFT_OPEN}


def in_navigation(entry: Any) -> Iterator[str]:
    for value in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
        yield from [value] if isinstance(value, str) else in_navigation(value)
    if isinstance(entry, list):
        yield from (each for each in entry if isinstance(each, str))


def test_both_languages_have_the_same_pages_in_the_same_order() -> None:
    english, spanish = (list(in_navigation(load_config(str(ROOT / config))["nav"])) for config, _ in LANGUAGES.values())
    assert english == spanish
    assert len(english) == len(set(english))


def test_every_page_is_built(site: Path) -> None:
    sources = [path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")]
    assert [str(path) for path in sources if not (site / path).is_file()] == []


def test_links_lead_to_pages_and_headings(site: Path, pages: dict[Path, Page]) -> None:
    lost = []
    for path, page in pages.items():
        for link in page.links:
            target = urlsplit(link)
            if target.scheme in ("http", "https", "mailto"):
                continue
            file = (path.parent / unquote(target.path)).resolve() if target.path else path
            file = file / "index.html" if file.is_dir() else file
            anchor = unquote(target.fragment)
            found = file.is_relative_to(site) and file.is_file()
            if not found or (anchor and anchor not in pages[file].anchors):
                lost.append((str(path.relative_to(site)), link))
    assert lost == []


def test_what_a_page_fetches_lies_beside_it(site: Path, pages: dict[Path, Page]) -> None:
    asked = [(path.parent, each) for path, page in pages.items() for each in page.fetched]
    elsewhere = [each for folder, each in asked if urlsplit(each).netloc or not (folder / urlsplit(each).path).exists()]
    assert elsewhere == []
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']*", styles) == []


def test_every_picture_has_words(site: Path, pages: dict[Path, Page]) -> None:
    assert {str(path.relative_to(site)): page.without_words for path, page in pages.items() if page.without_words} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_public_name_is_in_the_reference(site: Path, pages: dict[Path, Page], language: str) -> None:
    page = pages[site / LANGUAGES[language][1] / "reference" / "python.html"]
    names = [name for name in convoscope.__all__ if name != "__version__"]
    told = {anchor.rpartition(".")[2] for anchor in page.anchors}
    assert [name for name in names if name not in told] == []


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The site behind a plain file server, in a folder below its root."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site.parent)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{site.name}/"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "word", "found"),
    [("en", "padding", "explanation/windows.html"), ("es", "relleno", "explanation/windows.html")],
)
def test_a_browser_finds_its_way_and_asks_nobody_else(
    browser: Any, address: str, language: str, word: str, found: str
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_default_timeout(60_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("response", lambda response: faults.append(response.url) if response.status >= 400 else None)
    page.on("request", lambda request: None if request.url.startswith(address) else faults.append(request.url))
    start = address + LANGUAGES[language][1]
    for name in ("models.html", "reference/commands.html", "league.html"):
        page.goto(start + name)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
    page.click("label[for=__search]:visible")
    page.locator("input.md-search__input").press_sequentially(word)  # the search listens to keys
    page.wait_for_selector(f".md-search-result__link[href*='{found}']", state="attached")
    page.goto(start + "reference/names.html")
    page.click("a.other-language")
    page.wait_for_function(f"document.documentElement.lang !== '{language}'")
    assert page.url.endswith("/reference/names.html")
    context.close()
    assert faults == []
