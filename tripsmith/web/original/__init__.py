"""The original API, for the clients that exist, and the document that describes it."""
