"""AES-256-GCM by the libcrypto that Python's own `ssl` has loaded anyway, for what guests seal: 0.4 MB in every agent,
where the library that everybody else uses would cost 9 MB, and without a copy of what is sealed.
"""

from __future__ import annotations

import _ssl
import ctypes
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_void_p, create_string_buffer

from argosy import errors

TAG = 16
SET_TAG, GET_TAG = 0x11, 0x10
"""EVP_CTRL_AEAD_SET_TAG and EVP_CTRL_AEAD_GET_TAG"""


class Unsealable(errors.Broken):
    """this was not sealed by that key"""


class Gcm:
    """One key. For one thread at a time; the nonce has 12 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("a key has 32 bytes")
        self._key = key
        self._library = _library()

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        sealed = bytearray(len(data) + TAG)
        self.seal(nonce, memoryview(bytearray(data)), memoryview(sealed), associated_data)
        return bytes(sealed)

    def seal(self, nonce: bytes, data: memoryview, into: memoryview, associated_data: bytes) -> int:
        """Bytes written to the beginning of `into`: those of the data, and a tag. Both are of bytearrays."""
        context, length = self._begin(nonce, sealing=1), c_int()
        target, tag = (c_char * len(data)).from_buffer(into), (c_char * TAG).from_buffer(into, len(data))
        source = (c_char * len(data)).from_buffer(data)
        try:
            update = self._library.EVP_CipherUpdate
            self._check(update(context, None, byref(length), associated_data, len(associated_data)))
            self._check(update(context, target, byref(length), source, len(data)))
            self._final(context)
            self._check(self._library.EVP_CIPHER_CTX_ctrl(context, GET_TAG, TAG, tag))
            return len(data) + TAG
        finally:
            self._library.EVP_CIPHER_CTX_free(context)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Raises Unsealable."""
        context = self._begin(nonce, sealing=0)
        try:
            opened = self._run(context, data[:-TAG], associated_data)
            self._check(self._library.EVP_CIPHER_CTX_ctrl(context, SET_TAG, TAG, data[-TAG:]))
            self._final(context)
            return opened
        finally:
            self._library.EVP_CIPHER_CTX_free(context)

    def _begin(self, nonce: bytes, sealing: int) -> c_void_p:
        context = c_void_p(self._library.EVP_CIPHER_CTX_new())
        cipher = c_void_p(self._library.EVP_aes_256_gcm())
        self._check(self._library.EVP_CipherInit_ex(context, cipher, None, self._key, nonce, sealing))
        return context

    def _run(self, context: c_void_p, data: bytes, associated_data: bytes) -> bytes:
        length, out = c_int(), create_string_buffer(len(data) or 1)
        update = self._library.EVP_CipherUpdate
        self._check(update(context, None, byref(length), associated_data, len(associated_data)))
        self._check(update(context, out, byref(length), data, len(data)))
        return out.raw[: length.value]

    def _final(self, context: c_void_p) -> None:
        """Of GCM nothing is left to come out; opening, the tag is proven here."""
        self._check(self._library.EVP_CipherFinal_ex(context, create_string_buffer(TAG), byref(c_int())))

    def _check(self, done: int) -> None:
        if done != 1:
            raise Unsealable


def _library() -> ctypes.CDLL:
    """A symbol that a library does not have itself is looked for in those that it needs (dlsym(3))."""
    library = ctypes.CDLL(_ssl.__file__)
    library.EVP_CIPHER_CTX_new.restype = c_void_p
    library.EVP_aes_256_gcm.restype = c_void_p
    library.EVP_CIPHER_CTX_free.argtypes = [c_void_p]
    library.EVP_CIPHER_CTX_free.restype = None
    library.EVP_CIPHER_CTX_ctrl.argtypes = [c_void_p, c_int, c_int, c_void_p]
    library.EVP_CipherInit_ex.argtypes = [c_void_p, c_void_p, c_void_p, c_char_p, c_char_p, c_int]
    library.EVP_CipherUpdate.argtypes = [c_void_p, c_void_p, POINTER(c_int), c_void_p, c_int]
    library.EVP_CipherFinal_ex.argtypes = [c_void_p, c_void_p, POINTER(c_int)]
    return library
