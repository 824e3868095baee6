"""A stock SGLang without a GPU: its environment, and what it lacks on a CPU.

Imports nothing of the plugin. Importing this package imports neither sglang nor torch; the
``activate`` functions do, in an SGLang that was told to run on CPU.
"""
