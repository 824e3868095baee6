"""The configurations of docs/deploy.md, made to run here: other ports, other files."""

from __future__ import annotations

import re
from pathlib import Path

from ports import free_port

CADDY_ADMIN = f"127.0.0.1:{free_port()}"
"""Address at which Caddy is told to read its configuration again."""
ROOT = Path(__file__).parents[2]


def configuration(language: str) -> str:
    """The block of a language, as it stands in the document."""
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(block)


def changed(text: str, *changes: tuple[str, str]) -> str:
    """A text with other words, each of which has to be there."""
    for before, after in changes:
        assert before in text, f"the document has no {before!r} any more"
        text = text.replace(before, after)
    return text


def nginx(folder: Path, port: int, server_port: int) -> tuple[str, ...]:
    """Write the configuration; return the command that runs it in the foreground."""
    site = changed(
        configuration("nginx"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/callsheet/", f"{folder}/"),
        ("127.0.0.1:8765", f"127.0.0.1:{server_port}"),
        ("npc.example.org", "localhost"),
    )
    paths = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = (
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{\n    access_log off;\n{paths}{site}}}\n"
    )
    (folder / "nginx.conf").write_text(whole)
    return ("nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf"))


def haproxy(folder: Path, port: int, server_port: int) -> tuple[str, ...]:
    """Write the configuration; return the command that runs it in the foreground."""
    whole = changed(
        configuration("haproxy"),
        ("bind :443", f"bind 127.0.0.1:{port}"),
        ("/etc/callsheet/", f"{folder}/"),
        ("127.0.0.1:8765", f"127.0.0.1:{server_port}"),
    )
    (folder / "haproxy.cfg").write_text(whole)
    return ("haproxy", "-W", "-db", "-f", str(folder / "haproxy.cfg"))


def impatient(command: tuple[str, ...], seconds: int) -> None:
    """Have a proxy close connections that are silent for so long, whatever the document says."""
    file = Path(command[-1])
    timeouts = r"(proxy_(?:read|send)_timeout|timeout (?:client|server|tunnel)) +\w+"
    text, found = re.subn(timeouts, rf"\1 {seconds}s", file.read_text())
    assert found >= 2 or command[0] == "caddy", "caddy has no such timeout"
    file.write_text(text)


def caddy(folder: Path, port: int, server_port: int) -> tuple[str, ...]:
    """Write the configuration; return the command that runs it in the foreground."""
    site = changed(
        configuration("caddy"),
        ("npc.example.org {", f"https://localhost:{port} {{"),
        ("/etc/callsheet/", f"{folder}/"),
        ("127.0.0.1:8765", f"127.0.0.1:{server_port}"),
    )
    (folder / "Caddyfile").write_text(
        f"{{\n    admin {CADDY_ADMIN}\n    auto_https off\n}}\n{site}"
    )
    return ("caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile"))
