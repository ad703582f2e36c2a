"""Everything a page loads: the front end, and the bundle with Python in it.

The front end is built before the pages, because pages name its files; the bundle after them, for
its only name is fixed. They lie in `assets/sandbox/` and `assets/python/`; pages reach them by
relative addresses only.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.site.bundle.build import build_bundle
from sandbox.site.bundle.cache import Say
from sandbox.site.frontend import Frontend

FRONTEND = "assets/sandbox"
BUNDLE = "assets/python"


def places(frontend: Frontend) -> dict[str, str]:
    """Addresses for the theme, relative to the site's root; see theme/main.html."""
    return {
        "script": f"{FRONTEND}/{frontend.script}",
        "style": f"{FRONTEND}/{frontend.style}",
        "font": f"{FRONTEND}/{frontend.font}",
        "worker": f"{BUNDLE}/worker.js",
        "bundle": f"{BUNDLE}/",
    }


def put_into(site: Path, frontend: Frontend, say: Say = print) -> None:
    """Put everything into a finished site, building what is not built yet."""
    frontend.copy_into(site / FRONTEND)
    build_bundle(site / BUNDLE, say)
