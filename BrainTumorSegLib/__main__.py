"""`python -m BrainTumorSegLib` is the command `braintumorseg`."""

from __future__ import annotations

import sys

from BrainTumorSegLib.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
