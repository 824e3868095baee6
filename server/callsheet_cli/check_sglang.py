"""Checks of ``callsheet doctor`` on SGLang: the installed one, and a running one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from callsheet._version import __version__
from callsheet_cli.checks import Finding

__all__ = ["check_cluster", "check_installed", "check_running", "judge_plugin", "judge_server"]

_ANSWER_TIMEOUT_S = 10.0
_VERSIONS = "from importlib.metadata import version as v; print(v('sglang'), v('callsheet'))"
_STATUS_PATH = "/callsheet/v1/status"


def check_installed() -> Iterator[Finding]:
    """Look for an SGLang that ``callsheet serve --engine sglang`` could launch."""
    from callsheet_sglang.launch.interpreter import (
        PYTHON_VARIABLE,
        SglangMissingError,
        find_python,
        is_installed_here,
    )

    device: Literal["cpu", "cuda"] = "cuda" if is_installed_here() else "cpu"
    try:
        python = find_python(device)
    except SglangMissingError as error:
        if PYTHON_VARIABLE in os.environ:
            yield Finding("sglang", "fail", str(error), f"unset or mend {PYTHON_VARIABLE}")
        else:
            fix = "callsheet sglang setup-cpu, or name a running one: sglang.urls"
            yield Finding("sglang", "fail", f"none here: {error}", fix)
        return
    yield _installed_in(python)


def _installed_in(python: Path) -> Finding:
    from callsheet_sglang.targets import UnsupportedSglangError, check

    fix = "callsheet sglang setup-cpu, or on a machine with a GPU: pip install 'callsheet[sglang]'"
    try:
        result = subprocess.run(  # noqa: S603 - an interpreter the user has named or we have built
            [python, "-c", _VERSIONS], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("sglang", "fail", f"{python} does not run: {error}", fix)
    if result.returncode != 0:
        missing = (result.stderr.strip().splitlines() or ["it failed"])[-1]
        return Finding("sglang", "fail", f"{python}: {missing}", fix)
    sglang, callsheet = result.stdout.split()
    try:
        check((), sglang)
    except UnsupportedSglangError as error:
        return Finding("sglang", "fail", str(error), fix)
    return Finding("sglang", "ok", f"{sglang} with the plugin of callsheet {callsheet}, {python}")


def check_cluster(urls: Sequence[str], api_key: str | None) -> Iterator[Finding]:
    """Ask every SGLang of a cluster, and whether they are alike; one alone is no cluster.

    Args:
        urls: theirs; "ray" = of those that Ray has.
        api_key: their ``--api-key``; None = they have none.
    """
    if "ray" in urls:
        yield from _check_on_ray(api_key)
        return
    for url in urls:
        for finding in check_running(url, api_key):
            yield finding if len(urls) == 1 else replace(finding, detail=f"{url}: {finding.detail}")
    if len(urls) < 2:
        return
    kinds: dict[str, list[str]] = {}
    for url in urls:
        with contextlib.suppress(OSError, ValueError):
            kinds.setdefault(_kind(url.rstrip("/"), api_key), []).append(url)
    answering = sum(map(len, kinds.values()))
    if len(kinds) > 1:
        told = "; ".join(f"{', '.join(there)}: {kind}" for kind, there in kinds.items())
        fix = "serve the same model with the same SGLang and plugin everywhere"
        yield Finding("cluster", "fail", f"the replicas differ: {told}", fix)
    elif answering:
        detail = f"{answering} of {len(urls)} replicas answer, and are alike"
        yield Finding("cluster", "ok" if answering == len(urls) else "warn", detail)


def _check_on_ray(api_key: str | None) -> Iterator[Finding]:
    from callsheet_server.engine.errors import EngineStartError
    from callsheet_server.engine.on_ray.lookup import replicas

    try:
        found = replicas()
    except EngineStartError as error:
        why = str(error).removeprefix("sglang.urls: ")
        yield Finding("ray", "fail", why, "callsheet cluster status --ray shows what Ray has")
        return
    if starting := [name for name, url in found.items() if url is None]:
        detail = f"{', '.join(starting)} of {len(found)} replicas: being started"
        yield Finding("ray", "warn", detail, "ask again; `ray logs` tells what is in the way")
    else:
        yield Finding("ray", "ok", f"has {len(found)} replicas")
    yield from check_cluster([url for url in found.values() if url], api_key)


def _kind(url: str, api_key: str | None) -> str:
    """Sum up what has to be alike in a cluster."""
    server, status = _get(f"{url}/server_info", api_key), _get(url + _STATUS_PATH, api_key)
    model = server.get("served_model_name") or server.get("model_path")
    return f"{model}, SGLang {server.get('version')}, plugin {status.get('plugin_version')}"


def check_running(url: str, api_key: str | None) -> Iterator[Finding]:
    """Ask a running SGLang what it is and how it was started.

    Args:
        url: such as ``http://127.0.0.1:30000``.
        api_key: its ``--api-key``; None = it has none.
    """
    url = url.rstrip("/")
    try:
        server = _get(f"{url}/server_info", api_key)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            detail = f"{url} refuses the API key" if api_key else f"{url} asks for an API key"
            fix = "put its --api-key into a variable and name that: --api-key-env SGLANG_API_KEY"
            yield Finding("sglang", "fail", detail, fix)
        else:
            detail = f"{url}/server_info answers {error.code}: this is no SGLang"
            yield Finding("sglang", "fail", detail, "give the address SGLang was started with")
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        fix = "start it, or mend the address; it may still be loading: GET /health says 200 then"
        yield Finding("sglang", "fail", f"{url} does not answer: {reason}", fix)
        return
    yield from judge_server(server)
    try:
        status = _get(url + _STATUS_PATH, api_key)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            detail = f"{url}{_STATUS_PATH} answers {error.code}"
            yield Finding("plugin", "fail", detail, "SGLang's log has the cause")
            return
        status = None
    except (OSError, ValueError) as error:
        fix = "ask again; if it stays so, SGLang's log has the cause"
        yield Finding("plugin", "fail", f"{url}{_STATUS_PATH} does not answer: {error}", fix)
        return
    yield from judge_plugin(server, status)


def judge_server(server: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge what ``GET /server_info`` says, as far as it concerns any SGLang."""
    from callsheet_sglang.targets import UnsupportedSglangError, check

    version = str(server.get("version", "unknown"))
    try:
        check((), version)
    except (UnsupportedSglangError, ValueError) as error:
        yield Finding("sglang", "fail", f"version {version}: {error}", "install a supported one")
    else:
        model = server.get("served_model_name") or server.get("model_path")
        pool = server.get("max_total_num_tokens")
        detail = f"{version} serves {model} on {server.get('device')}, {pool} tokens of KV"
        yield Finding("sglang", "ok", detail)
    if not server.get("enable_hierarchical_cache"):
        fix = "start it with --enable-hierarchical-cache --hicache-ratio 4"
        yield Finding("hicache", "warn", "no host tier: what is evicted is computed again", fix)
    elif server.get("hicache_write_policy") != "write_through":
        detail = f"write policy {server.get('hicache_write_policy')} copies while a request waits"
        fix = "start it with --hicache-write-policy write_through"
        yield Finding("hicache", "warn", detail, fix)
    else:
        detail = f"{server.get('hicache_ratio')} device pools in host memory, write_through"
        yield Finding("hicache", "ok", detail)
    if server.get("enable_lora"):
        yield Finding("lora", "ok", f"{server.get('max_loras_per_batch')} adapter slots")
    else:
        detail = "off, as it may be if no NPC has an adapter; else --enable-lora"
        yield Finding("lora", "ok", detail)
    yield _flag(server, "enable_metrics", "metrics", "/metrics says nothing of it")
    yield _flag(
        server,
        "enable_priority_scheduling",
        "priority",
        "a player waits behind background thoughts",
        " --schedule-low-priority-values-first",
    )


def judge_plugin(server: Mapping[str, Any], status: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Judge whether Callsheet's policy is at work in there.

    Args:
        server: what ``GET /server_info`` says.
        status: what ``GET /callsheet/v1/status`` says; None = there is no such route.
    """
    if status is None:
        fix = (
            'install it next to SGLang (pip install "callsheet[sglang]") and start SGLang with '
            "CALLSHEET_SGLANG=1 in its environment and --radix-cache-backend callsheet"
        )
        detail = "Callsheet's plugin is not at work: SGLang evicts by age, not by distance"
        yield Finding("plugin", "fail", detail, fix)
        return
    version, backend = status.get("plugin_version"), server.get("radix_cache_backend")
    if backend != "callsheet":
        detail = f"{version} is loaded, but the prefix cache is {backend or 'the stock one'}"
        fix = "start SGLang with --radix-cache-backend callsheet"
        yield Finding("plugin", "fail", detail, fix)
    elif version != __version__:
        detail = f"{version} in there, {__version__} here"
        fix = f"install the same next to SGLang: pip install callsheet=={__version__}"
        yield Finding("plugin", "warn", detail, fix)
    else:
        yield Finding("plugin", "ok", f"{version} decides what stays")


def _flag(
    server: Mapping[str, Any], name: str, check: str, otherwise: str, more: str = ""
) -> Finding:
    flag = f"--{name.replace('_', '-')}{more}"
    if server.get(name):
        return Finding(check, "ok", flag)
    return Finding(check, "warn", f"off: {otherwise}", f"start it with {flag}")


def _get(url: str, api_key: str | None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the user's own address
    with urllib.request.urlopen(request, timeout=_ANSWER_TIMEOUT_S) as answer:  # noqa: S310
        found = json.loads(answer.read())
    if not isinstance(found, dict):
        raise ValueError(f"not a JSON object: {url}")
    return found
