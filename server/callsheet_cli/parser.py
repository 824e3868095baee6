"""Parser class, error class and ``add_subparsers`` type that all commands share."""

from __future__ import annotations

import argparse
import difflib
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

__all__ = ["CommandError", "Commands", "Parser"]

if TYPE_CHECKING:
    Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
    """Argument of each command's ``add_parser``."""
else:
    Commands = argparse._SubParsersAction


class CommandError(Exception):
    """A command cannot do what was asked; the text goes to stderr as it is.

    Args:
        message: what is wrong, and the fix.
        exit_code: 1 = it failed; 2 = it was asked for wrongly, or something is not installed.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Parser(argparse.ArgumentParser):
    """An argument parser that keeps the layout of its texts and knows misspelt commands."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)
        self._commands: Commands | None = None

    def add_commands(self) -> Commands:
        """Give the parser subcommands, one of which is required."""
        self._commands = self.add_subparsers(
            metavar="COMMAND", required=True, title="commands", parser_class=Parser
        )
        return self._commands

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, then exit with status 2."""
        wrong = re.search(r"invalid choice: '([^']*)'", message)
        if wrong and self._commands:
            near = difflib.get_close_matches(wrong[1], self._commands.choices, n=1)
            if near:
                message = f"no command {wrong[1]!r}; did you mean {near[0]!r}?"
        super().error(message)
