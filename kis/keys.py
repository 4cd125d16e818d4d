"""KisKey: one app key with its account. Only its label shows in repr, logs and errors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum


class Env(StrEnum):
    """실전 or 모의. The simulator speaks either."""

    REAL = "real"
    MOCK = "mock"


@dataclass(frozen=True, slots=True)
class KisKey:
    """What one section and its REST calls sign in with; ``label`` is the only part shown."""

    label: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    account: str = field(repr=False)  # CANO + ACNT_PRDT_CD, "12345678-01" or "1234567801"
    hts_id: str = field(repr=False, default="")  # tr_key of the fill notice

    @property
    def cano(self) -> str:
        """CANO: the first 8 digits of the account."""
        return self.account.replace("-", "")[:8]

    @property
    def product(self) -> str:
        """ACNT_PRDT_CD: the last 2 digits, "01" when not given."""
        return self.account.replace("-", "")[8:10] or "01"

    @property
    def account_no(self) -> str:
        """ACNT_NO as fill notices carry it: 10 digits."""
        return self.cano + self.product

    @property
    def key_id(self) -> str:
        """Fingerprint of the app key for names of locks and tokens: 12 hex digits, not reversible.

        Not the label: a label kept while its key is replaced must not find the old key's token.
        """
        return hashlib.sha256(self.app_key.encode()).hexdigest()[:12]
