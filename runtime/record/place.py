"""Where recordings and their switch stand, from the settings."""

from __future__ import annotations

from pathlib import Path

from runtime.record.recorder import Recorder
from runtime.record.switch import Switch
from runtime.settings import load_settings
from runtime.wiring import state_dir


def directory() -> Path:
    """Where the files go."""
    settings = load_settings()
    return Path(settings.record.directory or Path(settings.local.directory) / "record").absolute()


def switch() -> Switch:
    """`stockd record on|off`."""
    return Switch(state_dir() / "record", load_settings().record.on)


def recorder() -> Recorder:
    """The market daemon's recorder; writes nothing while the switch is off."""
    return Recorder(directory(), switch().is_on, keep_days=load_settings().record.keep_days)
