"""A GPU made of waiting: SGLang's own scheduler, caches and HTTP, at a named GPU's speed.

Arithmetic and copies are replaced by the time that they would take, by data sheets; replies have no
meaning. One GPU: tensor parallelism is left out. Every figure measured here is an emulation's.
"""
