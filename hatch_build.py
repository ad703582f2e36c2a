"""Put labs and solutions into the wheel, so that `pip install queue-sandbox` is a whole course.

An editable install reads them from the checkout instead: a copy would grow stale unnoticed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LabsInWheel(BuildHookInterface):  # type: ignore[type-arg]
    """The wheel's `sandbox/_labs` and `sandbox/_solutions`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add every file of the labs, unless the wheel only points at the checkout."""
        if version == "editable":
            return
        for folder in ("labs", "solutions"):
            for path in sorted(Path(self.root, folder).rglob("*")):
                relative = path.relative_to(self.root).as_posix()
                if path.is_file() and "__pycache__" not in relative and path.name[0] != ".":
                    build_data["force_include"][str(path)] = f"sandbox/_{relative}"
