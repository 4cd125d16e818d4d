"""AES-256-CBC with PKCS7 of the fill notices: key 32 and iv 16 ASCII characters from the ack."""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from trading.errors import BadInput


def decrypt(body: bytes, key: str, iv: str) -> bytes:
    """Plain bytes of a base64 body. BadInput (without key, iv or text) if it does not open."""
    try:
        sealed = base64.b64decode(body, validate=True)
        opener = Cipher(algorithms.AES256(key.encode()), modes.CBC(iv.encode())).decryptor()
        padded = opener.update(sealed) + opener.finalize()
        unpadder = PKCS7(128).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except (ValueError, binascii.Error):
        raise BadInput(
            "body", f"{len(body)} bytes", "does not decrypt with the ack's key"
        ) from None
