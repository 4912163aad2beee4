import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.crypto import Vault
from storage.errors import DecryptionError

OLD, NEW = b"o" * 32, b"n" * 32
DANA = "T1|U-DANA|hubspot"


@given(st.binary(max_size=5000), st.text(max_size=60))
def test_sealed_secret_opens_for_its_row(plaintext: bytes, row: str) -> None:
    """What was sealed comes back as it was, and only ciphertext is stored."""  # S28
    vault = Vault([OLD])
    sealed = vault.seal(plaintext, bound_to=row)
    assert vault.open(sealed, bound_to=row) == plaintext
    assert len(plaintext) < 8 or plaintext not in sealed


@pytest.mark.parametrize("row", ["T1|U-MO|hubspot", "T2|U-DANA|hubspot", "T1|U-DANA|google", ""])
def test_secret_moved_to_another_row_does_not_open(row: str) -> None:
    """Rows swapped between people, teams or providers fail to decrypt."""  # S28
    sealed = Vault([OLD]).seal(b"token", bound_to=DANA)
    with pytest.raises(DecryptionError):
        Vault([OLD]).open(sealed, bound_to=row)


@given(st.data())
def test_changed_byte_is_noticed(data: st.DataObject) -> None:
    """No byte of a sealed secret can be changed or cut off unnoticed."""  # S28
    vault = Vault([OLD])
    sealed = bytearray(vault.seal(b"token", bound_to=DANA))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    cut = bytes(sealed)[: data.draw(st.integers(0, len(sealed)))]
    for damaged in (bytes(sealed), cut):
        with pytest.raises(DecryptionError):
            vault.open(damaged, bound_to=DANA)


def test_same_secret_looks_different_each_time() -> None:
    """Every row has a data key of its own."""  # S28
    vault = Vault([OLD])
    assert len({vault.seal(b"token", bound_to=DANA) for _ in range(50)}) == 50


def test_new_key_seals_and_the_old_one_still_opens() -> None:
    """A key can be replaced while old rows stay readable."""  # S28
    before = Vault([OLD]).seal(b"token", bound_to=DANA)
    both = Vault([NEW, OLD])
    assert both.open(before, bound_to=DANA) == b"token"
    after = both.seal(b"token", bound_to=DANA)
    assert Vault([NEW]).open(after, bound_to=DANA) == b"token"
    with pytest.raises(DecryptionError, match="COUNTERSIGN_ENCRYPTION_KEY"):
        Vault([OLD]).open(after, bound_to=DANA)


def test_generated_key_fits_the_setting() -> None:
    """`COUNTERSIGN_ENCRYPTION_KEY` takes what is generated: 32 random bytes in base64."""
    first, second = Vault.generate_key(), Vault.generate_key()
    assert first != second
    assert len(base64.b64decode(first)) == 32
    sealed = Vault.from_setting(first).seal(b"token", bound_to=DANA)
    assert Vault.from_setting(first).open(sealed, bound_to=DANA) == b"token"
