"""Who can reach the server: this machine alone, or others too."""

import ipaddress

from tripsmith.settings import Settings


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's loopback."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_exposed(settings: Settings) -> bool:
    """Tell whether others than this machine can reach the server: by itself, or through a proxy in front of it."""
    return not is_loopback(settings.host) or bool(settings.names)
