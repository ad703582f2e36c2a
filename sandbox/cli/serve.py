"""`sandbox serve`: the site, from this machine only, without any network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    folder: Annotated[Path, typer.Argument(help="A built site.")] = Path("site"),
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8000,
    prefix: Annotated[str, typer.Option(help="Serve it below this path.")] = "/",
) -> None:
    """Serve a built site on http://127.0.0.1:8000."""
    from sandbox.cli.problems import Refused
    from sandbox.site.server import serve as serve_folder

    if not (folder / "index.html").is_file():
        raise Refused(
            f"There is no site in {folder.resolve()}. In a checkout, `make site` builds one; "
            "elsewhere, name the folder of a site: sandbox serve FOLDER"
        )
    try:
        serve_folder(folder, port=port, prefix=prefix)
    except OSError as error:
        raise Refused(
            f"Port {port} cannot be used ({error.strerror}). Another one can: "
            f"sandbox serve --port {port + 1}"
        ) from None
