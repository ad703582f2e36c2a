"""`python -m sandbox` is the command `sandbox`."""

import sys

from sandbox.cli import main

sys.exit(main())
