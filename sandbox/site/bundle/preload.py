"""What Python imports before its memory is kept: run inside Pyodide, never on this side.

Everything imported here is there at once when a page starts. Everything else is read from the
archives when a program first imports it, which costs a download and some milliseconds.

To have a library at hand from the start, import it here.
"""

# ruff: noqa: F401
import gc
import importlib
import pkgutil
import sys
import warnings

ARCHIVES: list[str]  # set by web/node/snapshot.ts

# Before the standard library, so that nothing of ours is looked for there.
sys.path[1:1] = [str(path) for path in ARCHIVES]
sys.dont_write_bytecode = True  # there is nowhere to keep it
warnings.simplefilter("ignore", ResourceWarning)

# What the programs of learners, the libraries and pytest's reports import sooner or later.
import asyncio
import collections
import concurrent.futures
import contextvars
import dataclasses
import datetime
import decimal
import difflib
import email.message
import enum
import fractions
import functools
import heapq
import hashlib
import inspect
import io
import itertools
import json
import logging
import math
import pathlib
import queue
import random
import re
import select
import selectors
import shutil
import signal
import socket
import ssl
import statistics
import string
import struct
import tempfile
import textwrap
import threading
import time
import tokenize
import tomllib
import traceback
import typing
import unittest.mock
import urllib.parse
import uuid
import zipfile
import zoneinfo

import _pytest
import pamqp
import pamqp.commands
import pika
import pika.adapters.blocking_connection
import pika.adapters.select_connection
import pytest
import pyodide.code
import pyodide.ffi


def import_whole(package: str) -> None:
    """Import a package and everything in it, down to the last module.

    A module that wants a library the page does not have is left out, by name: it serves only the
    terminal, and a program in the page that imports it gets the same ImportError.
    """
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, package + ".", onerror=lambda _: None):
        try:
            importlib.import_module(found.name)
        except ImportError as error:
            print(f"left out: {found.name} ({error})")


import_whole("sandbox")
importlib.import_module("sandbox.site.runtime").remember_labs(ARCHIVES[-1])
gc.collect()
gc.freeze()  # what is here lives as long as the page: later collections need not look at it
