"""Readers of one format each: from a parsed file to characters, whatever the file is called."""
