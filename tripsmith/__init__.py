"""Tripsmith: a self-hosted warehouse for trips."""

__version__ = "0.1.0"
