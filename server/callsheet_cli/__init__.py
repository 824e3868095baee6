"""The ``callsheet`` command.

One file per subcommand, each with ``add_parser(commands)``, which names ``run(args) -> int`` as the
parser's ``run`` default. A command imports what only an extra brings inside ``run``, so that the
light install can show every command's help. To add one: write the file, list it in ``main.py``.
"""

from callsheet_cli.main import main

__all__ = ["main"]
