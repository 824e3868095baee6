"""The Callsheet server: ticks in, invocation distances out, NPC state where it is needed next."""

from callsheet._version import __version__

__all__ = ["__version__"]
