"""Files that clients send: in one request, or in several by tus."""
