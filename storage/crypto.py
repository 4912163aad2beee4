"""Encryption at rest: a random data key per secret, wrapped by the key-encryption key (S28)."""

import base64
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import DecryptionError

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_ID_BYTES = 8
_VERSION = 1
_WRAPPED_BYTES = KEY_BYTES + _TAG_BYTES
_HEADER_BYTES = 1 + _ID_BYTES + _NONCE_BYTES + _WRAPPED_BYTES + _NONCE_BYTES


class Vault:
    """Seals and opens secrets. A sealed one names its key, so that keys can be rotated.

    Args:
        keys: key-encryption keys of 32 bytes; the first seals, all of them open.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {_key_id(key): key for key in keys}
        self._active = _key_id(keys[0])

    @staticmethod
    def generate_key() -> str:
        """Return a new key-encryption key as base64, for COUNTERSIGN_ENCRYPTION_KEY."""
        return base64.b64encode(AESGCM.generate_key(bit_length=KEY_BYTES * 8)).decode()

    @classmethod
    def from_setting(cls, value: str) -> "Vault":
        """Return a vault with the key that a setting holds in base64."""
        return cls([base64.b64decode(value, validate=True)])

    def seal(self, plaintext: bytes, *, bound_to: str) -> bytes:
        """Return `plaintext` encrypted, readable only together with `bound_to`.

        Args:
            plaintext: the secret.
            bound_to: whose it is, for example `team|person|provider`: a sealed secret that is
                moved to another row does not open there.
        """
        data_key = AESGCM.generate_key(bit_length=KEY_BYTES * 8)
        bound = bound_to.encode()
        wrap_nonce, nonce = os.urandom(_NONCE_BYTES), os.urandom(_NONCE_BYTES)
        wrapped = AESGCM(self._keys[self._active]).encrypt(wrap_nonce, data_key, bound)
        sealed = AESGCM(data_key).encrypt(nonce, plaintext, bound)
        return bytes([_VERSION]) + self._active + wrap_nonce + wrapped + nonce + sealed

    def open(self, sealed: bytes, *, bound_to: str) -> bytes:
        """Return the plaintext of a sealed secret.

        Raises:
            DecryptionError: another key, another row, or a changed byte.
        """
        if len(sealed) < _HEADER_BYTES or sealed[0] != _VERSION:
            raise DecryptionError("A stored secret is damaged; connect again.")
        key_id, rest = sealed[1 : 1 + _ID_BYTES], sealed[1 + _ID_BYTES :]
        wrap_nonce, rest = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        wrapped, rest = rest[:_WRAPPED_BYTES], rest[_WRAPPED_BYTES:]
        nonce, body = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        key = self._keys.get(key_id)
        if key is None:
            raise DecryptionError(
                "A stored secret was encrypted with another key; set "
                "COUNTERSIGN_ENCRYPTION_KEY to the one that was used."
            )
        bound = bound_to.encode()
        try:
            data_key = AESGCM(key).decrypt(wrap_nonce, wrapped, bound)
            return AESGCM(data_key).decrypt(nonce, body, bound)
        except InvalidTag as error:
            raise DecryptionError("A stored secret does not belong to this row.") from error


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"countersign key id" + key).digest()[:_ID_BYTES]
