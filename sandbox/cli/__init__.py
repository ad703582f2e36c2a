"""The `sandbox` command: assembles sub-commands, and turns problems into sentences.

Exit status: 0 done (all checks pass), 1 some checks fail, 2 it could not be done; 130 after Ctrl-C.
Colour appears on a terminal only, and never when `NO_COLOR` is set.

To add a command, write it in a file beside this one and add it to `app`.
"""

from __future__ import annotations

import sys

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status. `sys.argv` speaks when `arguments` is left out."""
    from sandbox.cli.app import app
    from sandbox.cli.problems import SENTENCES

    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # ✓ must not be what breaks a Windows console or a log
            reconfigure(errors="replace")
    try:
        app(args=arguments, prog_name="sandbox")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `sandbox labs | head`
        sys.stderr.close()
        return 0
    except SENTENCES as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return EXIT_ERROR
    return 0
