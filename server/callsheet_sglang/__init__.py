"""Callsheet inside a stock SGLang: who will speak soon decides what stays on the GPU.

Importing this package imports neither sglang nor torch; ``plugin.activate`` does, when it is on.
"""
