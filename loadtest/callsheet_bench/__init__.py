"""Stock SGLang, SGLang with HiCache, and SGLang with the plugin, on the same requests.

``callsheet bench sglang`` runs it; docs/benchmarks.md says what the figures mean.
"""
