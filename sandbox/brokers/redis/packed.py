"""fakeredis's table of commands, read also where fakeredis lies in an archive, as in the page.

fakeredis opens the file beside its modules; inside an archive there are no files to open.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from fakeredis.model import _command_info


def load() -> None:
    """Give fakeredis the table before it looks for it. Idempotent."""
    table: Any = _command_info
    if table._COMMAND_INFO is None:
        text = files("fakeredis").joinpath("commands.json").read_text(encoding="utf-8")
        table._COMMAND_INFO = table._encode_obj(json.loads(text))
