"""``python -m callsheet`` is the ``callsheet`` command."""

import sys

from callsheet.cli import main

if __name__ == "__main__":
    sys.exit(main())
