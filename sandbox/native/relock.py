"""Write `kafka.lock` anew: `python -m sandbox.native.relock` (needs Maven).

To be run after `VERSION` or `ROOTS` in `sandbox.native.kafka` have changed.
"""

from __future__ import annotations

import sys

from sandbox.native import kafka, maven, programs


def main() -> int:
    """Resolve Kafka and what it needs; the exit status."""
    program = programs.find(maven.PROGRAMS)
    if program is None:
        print("Locking needs Maven, and there is none here.", file=sys.stderr)
        return 2
    kafka.LOCK.write_text(maven.make_lock(program, kafka.ROOTS), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
