"""MkDocs and the plugin make a whole site of docs/ and a folder of labs."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

mkdocs_build = pytest.importorskip("mkdocs.commands.build")
mkdocs_config = pytest.importorskip("mkdocs.config")

ROOT = Path(__file__).parents[2]
LABS = Path(__file__).parent / "course" / "labs"


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    config = mkdocs_config.load_config(
        str(ROOT / "mkdocs.yml"),
        site_dir=str(folder),
        strict=False,
        plugins=["search", {"sandbox": {"labs": str(LABS), "runtime": False}}],
    )
    # Plugins are what `mkdocs build` has already started when it comes to building.
    config.plugins.on_startup(command="build", dirty=False)
    mkdocs_build.build(config)
    return folder


def html(site: Path, page: str) -> str:
    return (site / page / "index.html").read_text(encoding="utf-8")


def test_a_lab_folder_is_a_page_under_its_slug(site: Path) -> None:
    page = html(site, "labs/fixture")
    assert "<h1" in page
    assert "Count what you send" in page
    assert 'data-cell="1"' in page
    assert 'data-exercise="send"' in page
    assert "data-sandbox-slot" not in page


def test_the_list_of_labs_links_to_it(site: Path) -> None:
    assert 'href="fixture/"' in html(site, "labs")
    assert 'href="labs/fixture/"' in html(site, ".")


def test_the_front_page_has_a_live_cell_with_its_output(site: Path) -> None:
    page = html(site, ".")
    assert page.count("data-cell=") == 1
    assert '<div class="sb-output sb-output--stored"' in page
    assert '"slug": "page:index"' in page


def test_no_solution_reaches_the_search_index(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    assert "Count what you send" in index
    assert "str(number)" not in index


def test_every_link_inside_the_site_is_relative_and_leads_somewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        if page.name == "404.html":  # served under any path, so its links cannot be relative
            continue
        links = Links()
        links.feed(page.read_text(encoding="utf-8"))
        for link in links.found:
            parts = urlsplit(link)
            if parts.scheme or not parts.path:
                continue
            assert not link.startswith("/"), f"{page}: {link}"
            target = (page.parent / unquote(parts.path)).resolve()
            written_by_the_labs = "labs/" in link and "fixture" not in link
            assert target.exists() or written_by_the_labs, f"{page}: {link}"


def test_pages_ask_nobody_else_for_anything(site: Path) -> None:
    loads = re.compile(
        r'(?:src|href)="(https?:)?//[^"]*"[^>]*(?:stylesheet|preload)|<script[^>]+src="(https?:)?//'
        r'|<link[^>]+(?:stylesheet|preload|preconnect)[^>]+href="(https?:)?//|@import|fonts\.g'
    )
    for page in site.rglob("*.html"):
        assert not loads.search(page.read_text(encoding="utf-8")), page


def test_lessons_get_the_whole_width(site: Path) -> None:
    assert re.search(r'data-md-type="toc"\s+hidden', html(site, "labs/fixture"))
