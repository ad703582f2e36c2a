"""Run a JavaScript tool with the Node.js that the site is built with.

    python -m sandbox.site.node_tool sandbox/site/web/node_modules/prettier/bin/prettier.cjs FILES

For tools/lint: a contributor's machine need not have Node on PATH.
"""

from __future__ import annotations

import subprocess
import sys

from sandbox.site.bundle.nodejs import find_node


def main(arguments: list[str]) -> int:
    """Run `arguments` under Node, in this terminal, and return the exit status."""
    node = find_node()
    return subprocess.run([node.path, *arguments], env=node.environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
