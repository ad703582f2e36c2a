"""`python -m sandbox.site.bundle`: build the bundle, or lock what goes into it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from sandbox.site.bundle import wheels
from sandbox.site.bundle.build import build_bundle, build_runtime
from sandbox.site.bundle.errors import BundleError


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 could not."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.site.bundle", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="write the bundle as static files")
    build.add_argument("--out", type=Path, required=True, help="the folder to write")
    commands.add_parser("runtime", help="make what Node restores, and print where it is")
    commands.add_parser("lock", help="resolve locks/*.in into locks/*.txt")
    chosen = parser.parse_args(arguments)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - began:5.1f} s  {text}", file=sys.stderr, flush=True)

    try:
        if chosen.command == "build":
            print(build_bundle(chosen.out, say))
        elif chosen.command == "runtime":
            print(build_runtime(say))
        else:
            for name, whole in (("page", False), (wheels.STRIPPED, True), ("tools", True)):
                print(f"{name}.txt: {len(wheels.lock(name, whole=whole))} wheels")
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
