"""Everything on the network: the HTTP API, live events, the original API and the server that carries them."""
