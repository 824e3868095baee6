"""``callsheet serve``: run the server until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from callsheet._version import __version__
from callsheet_cli.parser import CommandError, Commands

if TYPE_CHECKING:
    from callsheet_server.app.server import CallsheetServer
    from callsheet_server.app.settings import LoadedSettings
    from callsheet_server.transport.settings import ServerSettings

__all__ = [
    "add_parser",
    "add_settings_arguments",
    "configure_logging",
    "load",
    "run",
    "serve_until_stopped",
]

LINGER_S: Final = 15.0
"""Time in which a server that is to end with its game saves and says goodbye."""
ENGINE_FIELDS = {
    "model": "which model: the same as --set ENGINE.model=...",
    "device": "where it runs, such as cpu or cuda: the same as --set ENGINE.device=...",
    "emulate": "a GPU/MODEL whose speed sglang has, without it: the same as --set "
    "sglang.emulate=...",
    "url": "where it is served, for sglang and openai; given again for sglang: another replica of "
    "one cluster",
}
"""Flag -> its help; a field of the section that is called as the engine is."""

EPILOG = """
settings, later wins:
  1. the defaults
  2. the TOML file: --config FILE, else callsheet.toml in this folder
  3. environment variables, such as CALLSHEET_SERVER__PORT=9000
  4. flags

examples:
  callsheet serve
  callsheet serve --config town.toml --port 9000
  callsheet serve --engine scripted --set limits.max_npcs_per_world=500
  callsheet serve --engine sglang --model Qwen/Qwen2.5-7B-Instruct
  callsheet serve --engine sglang --device cpu
  callsheet serve --engine sglang --emulate l40s/llama-3.1-8b
  callsheet serve --engine sglang --url http://gpu-box:30000
  callsheet serve --engine sglang --url http://gpu-1:30000 --url http://gpu-2:30000
  callsheet serve --engine openai --url http://127.0.0.1:11434/v1 --model qwen2.5
  callsheet serve --list-settings          every setting, what it may be and what it is now
"""


def add_parser(commands: Commands) -> None:
    """Add ``serve``."""
    parser = commands.add_parser(
        "serve",
        help="run the server",
        description="Run the server until Ctrl-C; replies under way may end first.",
        epilog=EPILOG,
    )
    add_settings_arguments(parser)
    parser.add_argument(
        "--list-settings", action="store_true", help="print every setting and its value, then stop"
    )
    parser.add_argument(
        "--child",
        action="store_true",
        help="run for a game that holds the other end of standard input, and end with it: on any "
        "free port unless one is set; the first line printed is JSON with the URL",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="log sessions and moves: the same as server.log_level = info",
    )
    parser.set_defaults(run=run)


def add_settings_arguments(
    parser: argparse.ArgumentParser, engine_fields: Iterable[str] = ENGINE_FIELDS
) -> None:
    """Add the flags that ``load`` reads; ``engine_fields`` that another flag does not take."""
    group = parser.add_argument_group("settings")
    group.add_argument("--config", type=Path, metavar="FILE", help="TOML file to read")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="flags",
        help="set one key, such as server.port=9000; may be repeated",
    )
    for flag, key in (
        ("--host", "server.host"),
        ("--port", "server.port"),
        ("--engine", "engine.name"),
    ):
        group.add_argument(
            flag,
            action="append",
            dest="flags",
            type=f"{key}={{}}".format,
            metavar=key.rpartition(".")[2].upper(),
            help=f"the same as --set {key}=...",
        )

    of_engine = parser.add_argument_group("settings of the engine in use")
    for field in engine_fields:
        of_engine.add_argument(
            f"--{field}",
            action="append" if field == "url" else "store",
            dest=f"engine_{field}",
            metavar=field.upper(),
            help=ENGINE_FIELDS[field],
        )


def load(args: argparse.Namespace, presets: Sequence[str] = ()) -> LoadedSettings:
    """Load the settings that file, environment and ``args`` give.

    Args:
        args: with the flags of ``add_settings_arguments``.
        presets: ``section.field=value`` each, the command's own defaults.

    Raises:
        CommandError: a setting is wrong.
    """
    from callsheet_server.app.engine_choice import settings_section
    from callsheet_server.app.settings import SettingsError, load_settings

    given = {name: getattr(args, f"engine_{name}", None) for name in ENGINE_FIELDS}
    fields = {name: value for name, value in given.items() if value is not None}
    try:
        loaded = load_settings(args.config, os.environ, args.flags, presets)
        if not fields:
            return loaded
        section = settings_section(loaded.settings.engine.name)
        flags = [*args.flags, *(_flag(section, name, value) for name, value in fields.items())]
        return load_settings(args.config, os.environ, flags, presets)
    except SettingsError as error:
        raise CommandError(str(error), exit_code=2) from None


def _flag(section: str, name: str, value: str | list[str]) -> str:
    """``section.field=value`` of a flag in ``ENGINE_FIELDS``."""
    if isinstance(value, str):
        return f"{section}.{name}={value}"
    if section == "sglang":
        return f"sglang.urls={json.dumps(value)}"
    return f"{section}.url={value[-1]}"


def run(args: argparse.Namespace) -> int:
    """Serve, or list the settings."""
    from callsheet_server.storage.settings import default_directory

    presets = [f"storage.directory={default_directory()}"]
    if args.child:
        presets.append("server.port=0")
    loaded = load(args, presets)
    if not default_directory() and loaded.origins.get("storage.directory") == "preset":
        raise CommandError(
            "this user has no home folder to keep worlds in: set storage.directory to a folder "
            "(empty = nothing is kept), or HOME"
        )
    if args.list_settings:
        print_settings(loaded)
        return 0
    configure_logging(loaded.settings.server, args.verbose)
    if not args.child:
        serve_until_stopped(loaded)
        return 0
    threading.Thread(target=end_with_input, args=(sys.stdin.fileno(),), daemon=True).start()
    serve_until_stopped(loaded, listening=tell_url)
    return 0


def end_with_input(file: int) -> None:
    """Stop the server when its input ends: whoever started it has closed it, or is dead."""
    while os.read(file, 4096):
        pass
    signal.raise_signal(signal.SIGINT)
    time.sleep(LINGER_S)
    os._exit(1)


def tell_url(url: str) -> None:
    """Print the URL for a program that waits for it."""
    print(json.dumps({"url": url}), flush=True)


def serve_until_stopped(
    loaded: LoadedSettings,
    record: Path | None = None,
    listening: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve, and say where.

    Args:
        loaded: settings of the server.
        record: the file to write a trace to.
        listening: told of the URL as soon as clients can connect.

    Raises:
        CommandError: the server did not come up.
    """
    from callsheet_cli.progress import progress_bars
    from callsheet_server.app.engine_choice import choose_engine
    from callsheet_server.app.serving import StartError, listening_url, page_url, serve
    from callsheet_server.engine.models.catalogue import DEFAULT_MODEL

    def ready(server: CallsheetServer) -> None:
        bars.stop()
        info = server.engine.info
        why = choose_engine(loaded.settings).reason
        print(f"callsheet {__version__}: engine {info.name} ({info.model}, {info.device}); {why}")
        print(f"listening on {listening_url(server)}/  (Ctrl-C stops)")
        print(f"live page: {page_url(server)}")
        if info.model == DEFAULT_MODEL:
            print(f"{DEFAULT_MODEL} shows speed, not wit; for wit: callsheet models recommend")
        kept = loaded.settings.storage.directory
        print(f"worlds are kept in {kept}" if kept else "worlds are not kept")
        if record is not None:
            print(f"recording the first world to tick to {record}")
        sys.stdout.flush()
        # What the start has made stays; a full collection of it stops the loop for 0.1 s.
        gc.collect()
        gc.freeze()

    with progress_bars() as (bars, report):
        try:
            asyncio.run(serve(loaded.settings, report, ready, record, listening))
        except StartError as error:
            raise CommandError(str(error)) from None
    print("stopped")


def configure_logging(server: ServerSettings, verbose: bool = False) -> None:
    """Log to stderr as the settings say; ``verbose`` = from INFO on."""
    from callsheet_server.telemetry import logs

    logs.configure_logging(server.log_format, "info" if verbose else server.log_level)


def print_settings(loaded: LoadedSettings) -> None:
    """Print all settings in the form of the TOML file."""
    from callsheet_server.app.settings import describe

    section = ""
    for key in describe(type(loaded.settings)):
        if key.section != section:
            section = key.section
            print(f"[{section}]")
        print(f"# {key.description}\n# {key.allowed}; default: {key.default}")
        if key.name in loaded.origins:
            print(f"# now from {loaded.origins[key.name]}")
        value = key.value_in(loaded.settings)
        unset = value == "none" or key.secret
        print(f"{'# ' if unset else ''}{key.field} = {value}", end="\n\n")
