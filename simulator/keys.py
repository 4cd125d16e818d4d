"""The customers of the simulated broker: app keys, secrets, accounts, and their settings."""

import base64
import hashlib
from dataclasses import dataclass

HTS_ID = "stockd1"
DATAGOKR_KEY = "c2lt+dWxhdGVk/a2V5LW9mLWRhdGEuZ28ua3I=="  # the "Decoding" form; not a secret


@dataclass(frozen=True, slots=True)
class Customer:
    """One app key with the one account it belongs to. `label` is what logs show instead of it."""

    label: str
    app_key: str
    app_secret: str
    account: str

    @property
    def account_label(self) -> str:
        return "account-" + self.label.removeprefix("simkey-")


def _letters(seed: str, length: int) -> str:
    out = ""
    while len(out) < length:
        digest = hashlib.sha512(f"{seed}/{len(out)}".encode()).digest()
        out += base64.b64encode(digest).decode().rstrip("=")
    return out[:length]


def customer(number: int) -> Customer:
    """Customer 1, 2, 3 …: the same keys on every machine (36 and 180 characters as KIS's are)."""
    label = f"simkey-{number}"
    key = "PS" + hashlib.sha256(label.encode()).hexdigest()[:34].upper()
    return Customer(label, key, _letters(label, 180), f"{50_000_000 + number - 1:08d}01")


def settings_toml(rest_url: str, ws_url: str, customers: list[Customer]) -> str:
    """The simulator as a block of stockd settings."""
    lines = [
        "[kis]",
        f'rest_url = "{rest_url}"',
        f'ws_url = "{ws_url}"',
        f'hts_id = "{HTS_ID}"',
        "",
    ]
    for one in customers:
        lines += [
            "[[kis.sections]]",
            f'app_key = "{one.app_key}"',
            f'app_secret = "{one.app_secret}"',
            f'account = "{one.account}"',
            "",
        ]
    lines += ["[datagokr]", f'url = "{rest_url}"', f'service_key = "{DATAGOKR_KEY}"', ""]
    return "\n".join(lines)
