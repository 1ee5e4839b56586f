"""Which warnings end a test: all, but for the one that is CPython's own."""

from __future__ import annotations

import gc
import socket
import ssl
import struct

import pytest

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on for 0 seconds: close() sends a reset (socket(7))."""


def test_a_reset_before_the_handshake_is_not_a_leak_of_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        peer.close()
        with pytest.raises(ConnectionResetError):
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(client, server_hostname="127.0.0.1")
    gc.collect()
