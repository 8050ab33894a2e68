"""Everything on the network: the HTTP API, live events and the original API."""
