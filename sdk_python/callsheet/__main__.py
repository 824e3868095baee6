"""``python -m callsheet`` is the ``callsheet`` command, as this distribution installed it."""

import sys
from importlib.metadata import entry_points

if __name__ == "__main__":
    (_command,) = entry_points(group="console_scripts", name="callsheet")
    sys.exit(_command.load()())
