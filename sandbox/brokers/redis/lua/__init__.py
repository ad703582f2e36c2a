"""Lua 5.1 as far as Redis's scripts use it, in plain Python.

The same in a browser as in a terminal: `parser.py` makes a tree of a text, `compiler.py` makes
Python functions of the tree, `library.py` and `patterns.py` are what Lua brings along, `cjson.py`
and `cmsgpack.py` what Redis adds. What a script may do to Redis is `sandbox.brokers.redis.scripts`.

Left out: coroutines, metatables, `loadstring`, and the library struct; using them is an error.
[https://www.lua.org/manual/5.1/, https://redis.io/docs/latest/develop/programmability/lua-api/]
"""

from sandbox.brokers.redis.lua.compiler import compile_script
from sandbox.brokers.redis.lua.values import LuaError, Table

__all__ = ["LuaError", "Table", "compile_script"]
