"""The page's npm packages, installed exactly as `web/package-lock.json` says.

They stay in `sandbox/site/web/node_modules`, where esbuild and Node look for them. When the package
is installed read-only, `SANDBOX_WEB` may name a writable copy of the folder.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from sandbox.site.bundle.cache import Say, alone, digest
from sandbox.site.bundle.errors import BundleError
from sandbox.site.bundle.nodejs import Node, find_node

_STAMP = ".sandbox-stamp"


def web_folder() -> Path:
    """Where `package.json` and the TypeScript sources are."""
    named = os.environ.get("SANDBOX_WEB")
    return Path(named).resolve() if named else Path(__file__).resolve().parents[1] / "web"


def install_npm_packages(say: Say, node: Node | None = None) -> Path:
    """Make `node_modules` match the lock file and return its path; nothing to do when it does.

    Raises:
        BundleError: npm could not; its own words are in the text.
    """
    node = node or find_node()
    web = web_folder()
    modules = web / "node_modules"
    stamp = modules / _STAMP
    wanted = digest(web / "package.json", web / "package-lock.json")
    with alone(web / ".install.lock"):
        if not (stamp.is_file() and stamp.read_text() == wanted):
            say("Fetching npm packages")
            _install(node, web)
            stamp.write_text(wanted)
    return modules


def _install(node: Node, web: Path) -> None:
    done = subprocess.run(
        [*node.npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=web,
        env=node.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BundleError(
            "npm could not fetch the page's packages. Is there a network? It said:\n"
            f"{done.stderr.strip() or done.stdout.strip()}"
        )
