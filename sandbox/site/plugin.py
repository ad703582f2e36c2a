"""MkDocs plugin: carries lab pages, front end and bundle into the site, and decides nothing else.

MkDocs and Material are near the end of their lives, so this stays one thin adapter: what a page
says is made by `pages`, `widgets` and `map_html`, which know nothing of MkDocs, and what is built
is built by `frontend` and `bundle`. To move to another generator, write this file anew.

Any page of docs/ may hold ```` ```python run ```` cells (the front page does), a
`<div data-sandbox-map></div>` for the course map and a `<div data-sandbox-work></div>` for the
buttons that save the reader's work.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage

from sandbox.course.errors import CourseError
from sandbox.course.lesson import Cell, parse
from sandbox.course.manifest import find_labs, load_lab
from sandbox.course.model import Lab
from sandbox.site import map_html, pages
from sandbox.site.assets import Assets, build
from sandbox.site.bundle.errors import BundleError

#: Where a lesson's pictures may lie beside it, and what they may be.
PICTURES = {".svg", ".png", ".jpg", ".webp"}

LABS_INDEX = """---
title: Labs
hide: [navigation, toc]
---
# Labs

Each lab is a lesson with code to run, questions to answer before running it, and exercises that
tell you what holds and what does not. Take them in order, or take the one you need: every lab
names what it builds on.

<div data-sandbox-map></div>

## Your work {#your-work}

Your code, your attempts and your points are kept in this browser and nowhere else. Save them to a
file to move to another computer, or to hand them in.

<div data-sandbox-work></div>
"""


class SandboxConfig(Config):  # type: ignore[no-untyped-call]
    """The plugin's options in mkdocs.yml."""

    #: A folder of labs; left out, those of the course.
    labs = config_options.Optional(config_options.Type(str))
    #: Build and ship Python and the front end. Off, pages can be read but not run.
    runtime = config_options.Type(bool, default=True)


class SandboxPlugin(BasePlugin[SandboxConfig]):  # type: ignore[no-untyped-call]
    """The `sandbox` plugin."""

    def __init__(self) -> None:
        self.labs: list[Lab] = []
        self.pages: dict[str, pages.Page] = {}
        self.assets: Assets | None = None

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Find the labs, put them into the navigation, and build what pages will refer to."""
        try:
            self.labs = self._find_labs()
            titles = {lab.slug: lab.title for lab in self.labs}
            self.pages = {_uri(lab): pages.lab_page(lab, titles=titles) for lab in self.labs}
            if self.config.runtime:
                self.assets = build(say)
                config.extra["sandbox"] = self.assets.places()
        except (CourseError, BundleError) as error:
            raise PluginError(str(error)) from None
        if config.nav is not None:
            config.nav = [self._with_labs(entry) for entry in config.nav]
        return config

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Add a page for every lab, the list of labs, and the pictures of lessons."""
        files.append(File.generated(config, "labs/index.md", content=LABS_INDEX))
        for lab in self.labs:
            page = self.pages[_uri(lab)]
            front = json.dumps(page.meta)  # JSON is YAML, and never surprises
            text = f"---\n{front}\n---\n{page.markdown}"
            files.append(File.generated(config, _uri(lab), content=text))
            for picture in sorted(lab.folder.glob("*")):
                if picture.suffix in PICTURES:
                    uri = f"labs/{lab.slug}/{picture.name}"
                    files.append(File.generated(config, uri, abs_src_path=str(picture)))
        return files

    def on_page_markdown(
        self, markdown: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files
    ) -> str:
        """Take the cells out of any other page that has some."""
        uri = page.file.src_uri
        if uri in self.pages or "python run" not in markdown:
            return markdown
        blocks = parse(markdown, path=Path(config.docs_dir) / uri)
        if not any(isinstance(block, Cell) for block in blocks):
            return markdown
        made = pages.block_page(blocks)
        made.data = {
            "slug": f"page:{uri.removesuffix('.md')}",
            "title": str(page.title),
            "version": pages.text_version(markdown),
            "seed": 1,
            "exercises": [],
        }
        self.pages[uri] = made
        return made.markdown

    def on_page_content(
        self, html: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files
    ) -> str:
        """Put cells, questions, cards and the map into their places."""
        uri = page.file.src_uri
        made = self.pages.get(uri)
        if made is not None:
            html = made.fill(html)
        to_labs = "" if uri == "labs/index.md" else "labs/"
        if "data-sandbox-map" in html:
            course = map_html.map_html(self.labs, to_labs=to_labs)
            html = html.replace("<div data-sandbox-map></div>", course)
        return html.replace("<div data-sandbox-work></div>", map_html.work_html())

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Put the front end and the bundle into the finished site."""
        if self.assets is not None:
            self.assets.put_into(Path(config.site_dir))

    def _find_labs(self) -> list[Lab]:
        if self.config.labs is None:
            return find_labs()
        folder = Path(self.config.labs)
        labs = [
            load_lab(path.parent, folder.parent / "solutions" / path.parent.name)
            for path in sorted(folder.glob("*/lab.toml"))
        ]
        return sorted(labs, key=lambda lab: lab.order)

    def _with_labs(self, entry: Any) -> Any:
        """The navigation's entry for labs/index.md, followed by every lab."""
        if isinstance(entry, dict) and "labs/index.md" in entry.values():
            (title,) = entry
            return {title: ["labs/index.md", *[{lab.title: _uri(lab)} for lab in self.labs]]}
        return entry


def say(sentence: str) -> None:
    """Tell the person who waits, also when MkDocs is told to be quiet."""
    print(sentence, file=sys.stderr, flush=True)


def _uri(lab: Lab) -> str:
    return f"labs/{lab.slug}/index.md"
