"""The bundle: Python with every library the course needs, as static files a browser can fetch.

`python -m sandbox.site.bundle build --out DIR` makes it, `build.build_bundle` is the same from
Python. The way there, each step cached under the hash of what goes into it:

1. npm packages (`npm.py`): Pyodide itself, and esbuild.
2. wheels from PyPI (`wheels.py`), exactly those of `locks/page.txt`, plus one of our own sources
   and the labs (`own.py`).
3. byte-compiled inside Pyodide (`web/node/compile.ts`) and merged into two zip archives.
4. everything imported once and the memory kept (`web/node/snapshot.ts`, `preload.py`).
5. compressed, named by content, with the worker script that knows the names (`publish.py`).

To give the page another library, add it to `locks/page.in` and its imports to `preload.py`.
"""
