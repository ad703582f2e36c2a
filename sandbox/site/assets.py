"""Everything a page loads: the front end, and the bundle with Python in it.

Both are built before the pages, because pages name their files, and copied into the site after.
They lie in `assets/sandbox/` and `assets/python/`; pages reach them by relative addresses only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.site.bundle.cache import Say
from sandbox.site.frontend import Frontend, build_frontend

FRONTEND = "assets/sandbox"
BUNDLE = "assets/python"


@dataclass(frozen=True)
class Built:
    """What was built."""

    frontend: Frontend


def build(say: Say = print) -> Built:
    """Build whatever is not built yet."""
    return Built(build_frontend(say))


def places(built: Built) -> dict[str, str]:
    """Addresses for the theme, relative to the site's root; see theme/main.html."""
    return {
        "script": f"{FRONTEND}/{built.frontend.script}",
        "style": f"{FRONTEND}/{built.frontend.style}",
        "font": f"{FRONTEND}/{built.frontend.font}",
        "worker": f"{BUNDLE}/worker.js",
        "bundle": f"{BUNDLE}/",
    }


def copy_into(built: Built, site: Path) -> None:
    """Put everything into a finished site."""
    built.frontend.copy_into(site / FRONTEND)
