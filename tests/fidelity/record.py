"""Makes recordings anew, as root in tests/: `python -m fidelity.record NAME...`; without names, all of them.

What each does stands in `statements.py`, `mishaps.py` and `mishaps_more.py`; it goes to `data/NAME`.
"""

from __future__ import annotations

import sys
from inspect import getmembers, isfunction
from pathlib import Path

from fidelity import mishaps, mishaps_more, statements

DATA = Path(__file__).parent / "data"
RECORDINGS = {
    name: function
    for module in (statements, mishaps, mishaps_more)
    for name, function in getmembers(module, isfunction)
    if function.__module__ == module.__name__
}


def main() -> None:
    """Make the recordings that the command line names."""
    for name in sys.argv[1:] or RECORDINGS:
        RECORDINGS[name](DATA / name)


if __name__ == "__main__":
    main()
