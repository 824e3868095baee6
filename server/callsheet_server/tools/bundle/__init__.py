"""Server bundles: a folder that runs where no Python is."""
