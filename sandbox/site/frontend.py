"""The page's scripts and styles: TypeScript and CSS in, a few files named by content out.

esbuild does the work; this says what to build and remembers what was built, so a second build of
the same sources does nothing. (The worker that runs Python is built with the bundle.)

To give the page another entry, add it to `ENTRIES`.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from sandbox.site.bundle.cache import Say, digest, step
from sandbox.site.bundle.errors import BundleError
from sandbox.site.bundle.nodejs import find_node
from sandbox.site.bundle.npm import install_npm_packages, web_folder

#: What is built, by the name the theme uses for it.
ENTRIES = {"script": "src/main.ts", "style": "src/style/index.css"}

#: The font of the first screen; the page asks for it early.
FONT = "source-sans-3-latin-wght-normal.woff2"

#: Says which file is which; not part of the site.
RECORD = "frontend.json"


@dataclass(frozen=True)
class Frontend:
    """A finished build: its folder, and its files' names by what they are for."""

    folder: Path
    script: str
    style: str
    font: str

    def copy_into(self, target: Path) -> None:
        """Put the built files into a folder of the site."""
        unwanted = shutil.ignore_patterns(RECORD)
        shutil.copytree(self.folder, target, dirs_exist_ok=True, ignore=unwanted)


def build_frontend(say: Say = print) -> Frontend:
    """Build the front end, or find it built.

    Raises:
        BundleError: Node or npm packages could not be had, or esbuild refused the sources; its
            words are in the text.
    """
    install_npm_packages(say)
    web = web_folder()
    key = digest(web / "src", web / "build.mjs", web / "package-lock.json", Path(__file__))
    folder = step("frontend", key, _make, say, "Building the page's scripts and styles")
    return Frontend(folder, **json.loads((folder / RECORD).read_text(encoding="utf-8")))


def _make(folder: Path) -> None:
    entries = {Path(source).stem: source for source in ENTRIES.values()}
    done = find_node().run("build.mjs", json.dumps(entries), folder, cwd=web_folder())
    if done.returncode != 0:
        raise BundleError(f"The page's scripts could not be built:\n{done.stderr.strip()}")
    made = json.loads(done.stdout)
    names = {key: made[Path(source).name] for key, source in ENTRIES.items()}
    names["font"] = made[FONT]
    (folder / RECORD).write_text(json.dumps(names), encoding="utf-8")
