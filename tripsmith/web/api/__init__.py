"""The resources of the API: version 1, and the health of the server."""
