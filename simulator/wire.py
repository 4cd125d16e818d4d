"""Bytes of the websocket feed: frames of RFC 6455, data frames of KIS, sealed notices."""

import base64

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

TEXT, CONTINUATION, CLOSE, PING, PONG = 1, 0, 8, 9, 10


def frame(payload: bytes, opcode: int = TEXT, *, final: bool = True) -> bytes:
    """One unmasked frame, as a server sends it."""
    head = opcode | (0x80 if final else 0)
    length = len(payload)
    if length < 126:
        return bytes((head, length)) + payload
    if length < 65_536:
        return bytes((head, 126)) + length.to_bytes(2, "big") + payload
    return bytes((head, 127)) + length.to_bytes(8, "big") + payload


def fragments(payload: bytes, cut: int) -> bytes:
    """The same text in two frames, cut anywhere, also inside a character."""
    return frame(payload[:cut], final=False) + frame(payload[cut:], CONTINUATION)


def plain(tr_id: str, records: list[str]) -> str:
    """0|TR|NNN|record^record…"""
    return f"0|{tr_id}|{len(records):03d}|{'^'.join(records)}"


def sealed(tr_id: str, record: str, key: str, iv: str) -> str:
    """1|TR|001|base64 of AES-256-CBC, PKCS7; key and iv are the ASCII of the ack."""
    padder = PKCS7(128).padder()
    padded = padder.update(record.encode()) + padder.finalize()
    cipher = Cipher(algorithms.AES(key.encode("ascii")), modes.CBC(iv.encode("ascii"))).encryptor()
    text = base64.b64encode(cipher.update(padded) + cipher.finalize()).decode("ascii")
    return f"1|{tr_id}|001|{text}"
