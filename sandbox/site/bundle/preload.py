"""What Python imports before its memory is kept: run inside Pyodide, never on this side.

Everything imported here is there at once when a page starts. Everything else is read from the
archives when a program first imports it, which costs a download and some milliseconds.

To have a library at hand from the start, add it to `MODULES`.
"""

import gc
import importlib
import importlib.util
import pkgutil
import sys
import warnings

#: What learners' programs, the libraries they use and pytest's reports import sooner or later.
MODULES = """
asyncio collections concurrent.futures contextvars dataclasses datetime decimal difflib
email.message enum fractions functools hashlib heapq inspect io itertools json logging math
pathlib queue random re select selectors shutil signal socket ssl statistics string struct
tempfile textwrap threading time tokenize tomllib traceback typing unittest.mock urllib.parse
uuid zipfile zoneinfo
pamqp pamqp.commands
pika pika.adapters.blocking_connection pika.adapters.select_connection
pyodide.code pyodide.ffi
pytest _pytest._argcomplete _pytest.helpconfig _pytest.skipping
encodings.idna encodings.unicode_escape
"""


#: What of ours waits for a lesson that wants it: brokers whose code and libraries are large.
LATER = (
    "sandbox.brokers.kafka",
    "sandbox.brokers.mqtt",
    "sandbox.brokers.redis",
    "sandbox.stack.simulated.kafka",
    "sandbox.stack.simulated.mqtt",
    "sandbox.stack.simulated.redis",
)


def import_whole(package: str) -> None:
    """Import a package and everything in it, down to the last module, but for `LATER`.

    A module that wants a library the page does not have is left out, by name: a program in the page
    that imports it gets the same ImportError. A test knows which ones may be.
    """
    module = importlib.import_module(package)
    for found in pkgutil.iter_modules(module.__path__, package + "."):
        if found.name in LATER:
            continue
        try:
            if found.ispkg:
                import_whole(found.name)
            else:
                importlib.import_module(found.name)
        except ImportError as error:
            print(f"left out: {found.name} ({error})")


sys.dont_write_bytecode = True  # there is nowhere to keep it
warnings.simplefilter("ignore", ResourceWarning)
for name in MODULES.split():
    importlib.import_module(name)
import_whole("sandbox")
importlib.import_module("sandbox.site.runtime").remember_labs()
importlib.import_module("sandbox.site.runtime_resources").install()
# The first world of an interpreter puts the stand-ins in place, which takes a tenth of a second.
simulated = importlib.import_module("sandbox.stack.simulated")
simulated.SimulatedStack(seed=1, brokers=("rabbitmq",)).close()
# The directories of all archives, so that none is fetched to see that it lacks something.
importlib.util.find_spec("no_module_is_called_so")
gc.collect()
gc.freeze()  # what is here lives as long as the page: later collections need not look at it
