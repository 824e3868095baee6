"""Replicas that Ray starts, watches and places on machines; tokens never pass through it."""
