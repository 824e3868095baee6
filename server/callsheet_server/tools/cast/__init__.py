"""Casts against the engine in use: do their personas fit, and how many prefixes at a time?"""
