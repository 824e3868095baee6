"""``callsheet doctor``: is everything a server needs in place, and if not, what is the fix?"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict

from callsheet_cli.check_engine import check_engine
from callsheet_cli.check_sglang import check_cluster
from callsheet_cli.checks import Finding, check_packages, check_port, check_python
from callsheet_cli.parser import CommandError, Commands
from callsheet_cli.serve import add_settings_arguments, load

__all__ = ["add_parser", "run"]

EPILOG = """
The exit status is 1 if anything fails; warnings leave it at 0.

examples:
  callsheet doctor
  callsheet doctor --port 9000 --json
  callsheet doctor --engine embedded
  callsheet doctor --engine openai --model qwen2.5
  callsheet doctor --sglang-url http://gpu-box:30000 --api-key-env SGLANG_API_KEY
"""


def add_parser(commands: Commands) -> None:
    """Add ``doctor``."""
    parser = commands.add_parser(
        "doctor",
        help="check this machine and name the fix of what is wrong",
        description="Check Python, packages, settings, the port, and what the engine in use needs: "
        "llama.cpp or torch with a model and room for it, an SGLang, or an endpoint.",
        epilog=EPILOG,
    )
    add_settings_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument(
        "--sglang-url",
        action="append",
        default=[],
        metavar="URL",
        help="also check the SGLang running there; given again: as one cluster",
    )
    parser.add_argument(
        "--api-key-env",
        metavar="NAME",
        help="the environment variable that holds the API key of that SGLang",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run every check and print what it found."""
    findings = []
    for finding in examine(args):
        findings.append(finding)
        if not args.json:
            print(f"{finding.status:<5} {finding.check:<9} {finding.detail}", flush=True)
            if finding.fix:
                print(f"{'':<15} fix: {finding.fix}")
    if args.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=2))
    return int(any(finding.status == "fail" for finding in findings))


def examine(args: argparse.Namespace) -> Iterator[Finding]:
    """Yield the findings as they come."""
    yield from check_python()
    yield from check_packages()
    yield from check_cluster(args.sglang_url, api_key_from(args.api_key_env))
    try:
        settings = load(args).settings
    except CommandError as error:
        fix = "`callsheet serve --list-settings` prints every setting"
        yield Finding("settings", "fail", str(error), fix)
        return
    except ModuleNotFoundError:  # the light install: `packages` has said so
        return
    yield Finding("settings", "ok", "valid")
    yield from check_engine(settings)
    yield from check_port(settings.server)


def api_key_from(variable: str | None) -> str | None:
    """Return the API key that an environment variable holds; None if none is named.

    Raises:
        CommandError: there is no such variable.
    """
    if variable is None:
        return None
    if not (key := os.environ.get(variable)):
        raise CommandError(f"--api-key-env {variable}: no such environment variable is set", 2)
    return key
