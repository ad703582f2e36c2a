"""Runs every measurement beside this file, one after another.

A measurement is a module with a function `main()` that prints its numbers. Ratios come from one
run on one machine, because absolute times of two machines say nothing about each other.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import traceback
from pathlib import Path


def main(wanted: list[str]) -> int:
    """Run the named measurements, or all; 1 when one of them could not be made."""
    found = [each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)])]
    failed = 0
    for name in [each for each in found if each != "__main__"]:
        module = importlib.import_module(f"bench.{name}")
        if (wanted and name not in wanted) or not hasattr(module, "main"):
            continue
        print(f"== {name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        try:
            module.main()
        except Exception:
            traceback.print_exc()
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
