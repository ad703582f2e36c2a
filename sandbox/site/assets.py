"""Everything a page loads: the front end, and the bundle with Python in it.

Both are built before the pages, because pages name their files, and put into the site after them.
They lie in `assets/sandbox/` and `assets/python/`; pages reach them by relative addresses only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.site.bundle.build import build_runtime
from sandbox.site.bundle.cache import Say
from sandbox.site.bundle.nodejs import find_node
from sandbox.site.bundle.publish import copy_changed, publish
from sandbox.site.frontend import Frontend, build_frontend

FRONTEND = "assets/sandbox"
BUNDLE = "assets/python"


@dataclass(frozen=True)
class Assets:
    """What was built, as the cache keeps it."""

    frontend: Frontend
    #: The published bundle; the folder's name ends in its hash.
    bundle: Path

    def places(self) -> dict[str, str]:
        """Addresses for the theme, relative to the site's root; see theme/main.html."""
        # The worker's name never changes, so its address carries the bundle's hash: a browser that
        # has it starts the next worker without asking the server, or without a network at all.
        version = self.bundle.name.rpartition("-")[2]
        return {
            "script": f"{FRONTEND}/{self.frontend.script}",
            "style": f"{FRONTEND}/{self.frontend.style}",
            "font": f"{FRONTEND}/{self.frontend.font}",
            "worker": f"{BUNDLE}/worker.js?v={version}",
            "bundle": f"{BUNDLE}/",
        }

    def put_into(self, site: Path) -> None:
        """Copy everything into a finished site."""
        self.frontend.copy_into(site / FRONTEND)
        copy_changed(self.bundle, site / BUNDLE)


def build(say: Say = print) -> Assets:
    """Build whatever is not built yet.

    Raises:
        BundleError: something is missing or broke; the sentence says what to do.
    """
    return Assets(build_frontend(say), publish(build_runtime(say), find_node(), say))
