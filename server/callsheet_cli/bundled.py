"""Program of a bundle: ``callsheet`` with the model and the settings that lie beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from callsheet_cli.main import main as run_command

__all__ = ["main", "prepared"]


def main() -> int:
    """Run a command, or llama.cpp as a child of the server that is this program too."""
    from callsheet_server.engine.llamacpp.child import main as run_child
    from callsheet_server.engine.llamacpp.process import CHILD_COMMAND

    if sys.argv[1:2] == [CHILD_COMMAND]:
        return run_child()
    return run_command(prepared(Path(sys.executable).parent, sys.argv[1:], os.environ))


def prepared(
    folder: Path, arguments: Sequence[str], environment: MutableMapping[str, str]
) -> Sequence[str]:
    """Return the arguments to run with; name the bundle's model unless another one is named."""
    if model := next((folder / "models").glob("*.gguf"), None):
        environment.setdefault("CALLSHEET_EMBEDDED__MODEL", str(model))
    settings = folder / "callsheet.toml"
    if arguments[:1] == ["serve"] and settings.is_file() and "--config" not in arguments:
        return ["serve", "--config", str(settings), *arguments[1:]]
    return arguments
