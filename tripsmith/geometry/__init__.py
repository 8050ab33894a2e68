"""Shapes and cells on the map, without a database."""
