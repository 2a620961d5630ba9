"""Addresses of this machine."""

from __future__ import annotations

import ipaddress
import socket

HOST = "127.0.0.1"


def free_port(host: str = HOST) -> int:
    """Return a TCP port of `host` that nobody listens on at this moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])


def url_of(host: str, port: int) -> str:
    """Return `http://host:port`, an IPv6 address in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_everywhere(host: str) -> bool:
    """Return whether a server on `host` listens on every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def reachable(host: str) -> str:
    """Return where a server on `host` is found from this machine: its loopback for `0.0.0.0`."""
    if not is_everywhere(host):
        return host
    return "::1" if ":" in host else HOST
