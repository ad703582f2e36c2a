"""Every step from sources to a folder of static files, none done twice.

Steps depend on one another only through the hashes of what they read, so a change to our own
sources makes our wheel and the snapshot again and nothing else.

To add a step, write a function that returns the folder `step` gives it, and let the next depend on
that folder's digest.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.site.bundle import own, publish, wheels
from sandbox.site.bundle.cache import Say, digest, step
from sandbox.site.bundle.errors import BundleError
from sandbox.site.bundle.nodejs import Node, find_node
from sandbox.site.bundle.npm import install_npm_packages, web_folder

#: Archives of libraries, by the wheels that are in them. Those of `packages` every lesson uses and
#: the snapshot holds; each other archive is fetched when something in it is first imported. What
#: is named nowhere goes into the last.
ARCHIVES: Mapping[str, tuple[str, ...]] = {
    "packages": ("iniconfig", "packaging", "pamqp", "pika", "pluggy", "pygments", "pytest"),
    "kafka": ("aiokafka", "async_timeout", "kafka_python"),
    "redis": ("fakeredis", "redis", "sortedcontainers", "typing_extensions"),
    "clients": (),
}

#: Files that stand for libraries which no program in the page can use: Celery's interactive shell.
INSTEAD = {"click_repl/__init__.py": b"def register_repl(group, name='repl'):\n    pass\n"}

#: Parts of libraries that no program in the page can use.
LEFT_OUT = (
    "click_repl/",
    "pip/",
    "prompt_toolkit/",
    "pygments/lexers/",
    "pygments/styles/",
    "wcwidth/",
)
KEPT = (
    "pygments/lexers/__init__",
    "pygments/lexers/_mapping",
    "pygments/lexers/diff",
    "pygments/lexers/python",
    "pygments/lexers/special",
    "pygments/lexers/teal",
    "pygments/styles/__init__",
    "pygments/styles/_mapping",
    "pygments/styles/default",
)


def build_bundle(out: Path, say: Say = print) -> Path:
    """Write the bundle into `out` and return the path of its manifest.

    Args:
        out: The folder that is served, such as `site/assets/python`. Files in it that belong to an
            older bundle are removed.
        say: Told what is being done, a line at a time, when there is something to do.

    Raises:
        BundleError: something is missing or broke; the sentence says what to do.
    """
    runtime = build_runtime(say)
    published = publish.publish(runtime, find_node(), say)
    return publish.copy_changed(published, out)


def build_runtime(say: Say = print) -> Path:
    """Return a folder with the uncompressed snapshot and archives, as Node restores them.

    Raises:
        BundleError: something is missing or broke; the sentence says what to do.
    """
    node = find_node()
    modules = install_npm_packages(say, node)
    tools = _tool_wheels(say)
    libraries = _libraries(node, tools, say)
    sandbox = _sandbox(node, tools, say)
    return _snapshot(node, modules / "pyodide", libraries, sandbox, say)


def _page_wheels(say: Say) -> Path:
    # First those that are changed: what is stripped must be all there is.
    locks = (wheels.STRIPPED, "page")

    def make(folder: Path) -> None:
        for lock in locks:
            wheels.download(lock, folder)

    key = digest(*(wheels.LOCKS / f"{lock}.txt" for lock in locks))
    return step("wheels-page", key, make, say, "Fetching libraries from PyPI")


def _tool_wheels(say: Say) -> Path:
    def make(folder: Path) -> None:
        wheels.download("tools", folder)

    key = digest(wheels.LOCKS / "tools.txt")
    return step("wheels-tools", key, make, say, "Fetching the byte-compiler")


def _libraries(node: Node, tools: Path, say: Say) -> Path:
    page = _page_wheels(say)

    def make(folder: Path) -> None:
        compiled = _compile(node, tools, page, folder)
        for name, files in _sorted_out(compiled).items():
            own.write_zip(folder / f"{name}.zip", files, compress=True)
        shutil.rmtree(compiled)

    locks = [wheels.LOCKS / f"{name}.txt" for name in ("page", wheels.STRIPPED, "tools")]
    key = digest(_compiler(), *locks, *LEFT_OUT, repr(ARCHIVES), repr(INSTEAD))
    return step("libraries", key, make, say, "Byte-compiling libraries for the page's Python")


def _sandbox(node: Node, tools: Path, say: Say) -> Path:
    files = own.own_files()

    def make(folder: Path) -> None:
        wheel = folder / "wheel"
        wheel.mkdir()
        own.write_wheel(wheel, files)
        compiled = _compile(node, tools, wheel, folder)
        own.write_zip(folder / "sandbox.zip", _merge(compiled.glob("*.whl")), compress=True)
        shutil.rmtree(compiled)
        shutil.rmtree(wheel)

    contents = (part for name, data in sorted(files.items()) for part in (name, data))
    key = digest(_compiler(), wheels.LOCKS / "tools.txt", *contents)
    return step("sandbox", key, make, say, "Byte-compiling our own package")


def _snapshot(node: Node, pyodide: Path, libraries: Path, sandbox: Path, say: Say) -> Path:
    preload = Path(__file__).parent / "preload.py"
    script = web_folder() / "node" / "snapshot.ts"
    archives = [
        pyodide / "python_stdlib.zip",
        sandbox / "sandbox.zip",
        *(libraries / f"{name}.zip" for name in ARCHIVES),
    ]

    def make(folder: Path) -> None:
        _run(node, script, preload, folder / "snapshot.bin", *archives)
        for archive in archives:
            shutil.copyfile(archive, folder / archive.name)
        manifest = {"snapshot": "snapshot.bin", "archives": [path.name for path in archives]}
        (folder / "node.json").write_text(json.dumps(manifest), encoding="utf-8")

    key = digest(preload, script, _compiler(), *archives)
    return step("snapshot", key, make, say, "Importing everything once and keeping the memory")


def _compile(node: Node, tools: Path, wheels_in: Path, folder: Path) -> Path:
    compiled = folder / "compiled"
    _run(node, web_folder() / "node" / "compile.ts", tools, wheels_in, compiled)
    return compiled


def _compiler() -> str:
    """What every compiled file depends on: the scripts and the version of Pyodide."""
    web = web_folder()
    locked = json.loads((web / "package-lock.json").read_text(encoding="utf-8"))
    pyodide = locked["packages"]["node_modules/pyodide"]["version"]
    scripts = [web / "node" / "compile.ts", web / "node" / "pieces.ts"]
    return digest(pyodide, *scripts, web / "src" / "worker" / "restore.ts")


def _run(node: Node, *arguments: Path) -> None:
    done = node.run(*arguments)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        raise BundleError(f"{arguments[0].name} failed under Node. It said:\n{said}")


def _sorted_out(compiled: Path) -> dict[str, dict[str, bytes]]:
    """The files of each archive."""
    *_, last = ARCHIVES
    place = {wheel: name for name, wheels in ARCHIVES.items() for wheel in wheels}
    wheels: dict[str, list[Path]] = {name: [] for name in ARCHIVES}
    for path in sorted(compiled.glob("*.whl")):
        wheels[place.get(path.name.partition("-")[0], last)].append(path)
    files = {name: _merge(found) for name, found in wheels.items()}
    files[last] |= INSTEAD
    return files


def _merge(compiled: Iterable[Path]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for wheel in sorted(compiled):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.startswith(LEFT_OUT) and not name.startswith(KEPT):
                    continue
                if not name.endswith(("/", "/RECORD")):
                    files[name] = archive.read(name)
    return files
