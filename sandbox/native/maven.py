"""Jar files from Maven Central into a folder, each with the checksum that a lock file names.

A lock file has one line for each jar: its SHA-256 and its path in the repository. Maven's own
client is used where there is one, so that a person's mirrors and proxies hold; elsewhere the files
are fetched over HTTPS, which needs nothing but Python. Either way nothing gets into the folder
whose checksum differs, and what is there once is never fetched again.

To change what is locked: `python -m sandbox.native.relock` (needs Maven).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import platformdirs

from sandbox.native import programs
from sandbox.native.errors import ServerUnavailable

PROGRAMS = ("mvn", "mvn.cmd")
CENTRAL = "https://repo1.maven.org/maven2"
#: A mirror of Maven Central, for the way without Maven; with it, Maven's settings.xml says.
MIRROR_VARIABLE = "SANDBOX_MAVEN_REPOSITORY"
_AT_ONCE = 4
_FETCH_TIMEOUT_S = 60.0
_MAVEN_TIMEOUT_S = 900.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Jar:
    """A jar file: its checksum and where a repository has it."""

    sha256: str
    path: PurePosixPath

    @property
    def coordinates(self) -> tuple[str, str, str]:
        """Group, artifact and version, as Maven names it."""
        *group, artifact, version, _ = self.path.parts
        return ".".join(group), artifact, version


def read_lock(text: str) -> list[Jar]:
    """The jars of a lock file."""
    lines = (line.split("#")[0].split() for line in text.splitlines())
    return [Jar(words[0], PurePosixPath(words[1])) for words in lines if words]


def cache_folder() -> Path:
    """Where downloads are kept from one run to the next; SANDBOX_CACHE overrides."""
    chosen = os.environ.get("SANDBOX_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("queue-sandbox", False))


def jars(name: str, lock: str, say: Say = lambda sentence: None) -> Path:
    """A folder that holds exactly the jars of a lock, fetched the first time.

    Raises:
        ServerUnavailable: they cannot be had; says why and what to do.
    """
    folder = _folder(name, lock)
    if folder.is_dir():
        return folder
    wanted = read_lock(lock)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{name}-") as temporary:
        fetched = Path(temporary) / "fetched"
        maven = programs.find(PROGRAMS)
        how = "with Maven" if maven else "from Maven Central"
        say(f"Fetching {len(wanted)} files for {name} {how}, once")
        if maven:
            _with_maven(maven, wanted, Path(temporary), fetched)
        else:
            _over_https(wanted, fetched)
        ready = Path(temporary) / "ready"
        ready.mkdir()
        for jar in wanted:
            _check(fetched / jar.path, jar)
            shutil.move(fetched / jar.path, ready / jar.path.name)
        try:
            ready.rename(folder)
        except OSError:
            if not folder.is_dir():  # somebody else was quicker
                raise
    return folder


def fetched(name: str, lock: str) -> bool:
    """Whether the jars of a lock are here already."""
    return _folder(name, lock).is_dir()


def _folder(name: str, lock: str) -> Path:
    digest = hashlib.sha256(lock.encode()).hexdigest()[:12]
    return cache_folder() / f"{name}-{digest}"


def _check(file: Path, jar: Jar) -> None:
    found = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "no file"
    if found != jar.sha256:
        raise ServerUnavailable(
            f"{jar.path.name} is not the file that is expected (its checksum is {found}). The "
            "download was cut short or altered; try again, on another network if it stays so."
        )


def _with_maven(maven: Path, wanted: Iterable[Jar], folder: Path, fetched: Path) -> None:
    """Let Maven copy the jars, in the layout of a repository."""
    (folder / "pom.xml").write_text(
        _pom((jar.coordinates for jar in wanted), transitive=False), encoding="utf-8"
    )
    command = [
        *(str(maven), "--batch-mode", "--quiet", "dependency:copy-dependencies"),
        *(f"-DoutputDirectory={fetched}", "-Dmdep.useRepositoryLayout=true"),
    ]
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_MAVEN_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ServerUnavailable(
            f"Maven had not finished after {_MAVEN_TIMEOUT_S / 60:.0f} minutes. Look at its "
            "settings (mvn help:effective-settings) and the network, then try again."
        ) from None
    if ran.returncode != 0:
        said = "\n".join((ran.stdout + ran.stderr).strip().splitlines()[:8])
        raise ServerUnavailable(
            f"Maven could not fetch what Kafka needs; it says:\n{said}\n"
            "This is needed once, and then works offline."
        )


def _over_https(wanted: list[Jar], fetched: Path) -> None:
    """Fetch the jars one by one, a few at once."""
    repository = (os.environ.get(MIRROR_VARIABLE) or CENTRAL).rstrip("/")

    def fetch(jar: Jar) -> None:
        target = fetched / jar.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            urllib.request.urlopen(f"{repository}/{jar.path}", timeout=_FETCH_TIMEOUT_S) as answer,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(answer, file)

    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(fetch, wanted))
    except (urllib.error.URLError, OSError) as error:
        raise ServerUnavailable(
            f"The files that Kafka needs cannot be fetched from {repository}: {error}. Connect to "
            f"the network (needed once), or name a mirror of Maven Central in {MIRROR_VARIABLE}."
        ) from None


def _pom(dependencies: Iterable[tuple[str, str, str]], *, transitive: bool) -> str:
    alone = (
        "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId>"
        "</exclusion></exclusions>"
    )
    listed = "\n".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version>{'' if transitive else alone}</dependency>"
        for group, artifact, version in dependencies
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>queue-sandbox</groupId>"
        "<artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>\n"
        f"<dependencies>\n{listed}\n</dependencies></project>\n"
    )


def make_lock(maven: Path, roots: Iterable[tuple[str, str, str]]) -> str:
    """Resolve these artifacts and what they need; a lock file of all of it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "pom.xml").write_text(_pom(roots, transitive=True), encoding="utf-8")
        subprocess.run(
            [
                *(str(maven), "--batch-mode", "--quiet", "dependency:copy-dependencies"),
                *(f"-DoutputDirectory={folder / 'lib'}", "-Dmdep.useRepositoryLayout=true"),
                "-DincludeScope=runtime",
            ],
            cwd=folder,
            check=True,
        )
        found = sorted((folder / "lib").rglob("*.jar"))
        return "".join(
            f"{hashlib.sha256(file.read_bytes()).hexdigest()}  "
            f"{file.relative_to(folder / 'lib').as_posix()}\n"
            for file in found
        )
