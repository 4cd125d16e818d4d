"""``stockd bench parse``: the whole receive path, socket to typed, conflated, exact minute bars.

Peers run in the same run on the same frames (46 fields, one record a frame), rounds interleaved:
python-kis with wsaccel, mojito2, and the broker's sample's way (one pandas read_csv a frame). They
come from the dependency group ``bench``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NEEDED = {
    "pykis": "python-kis",
    "mojito": "mojito2",
    "wsaccel": "wsaccel",
    "pandas": "pandas",
    "typing_extensions": "typing_extensions",
}
ROUNDS = 3
SHARE = 0.25  # of a round's time, each of the four
USUAL_PER_S = {"ours": 400_000, "python_kis": 20_000, "mojito": 40_000, "official_sample": 700}


def missing() -> list[str]:
    """Distributions of the group ``bench`` that are not installed."""
    return [name for module, name in NEEDED.items() if find_spec(module) is None]


def receive(name: str, records: int, mixed: bool = False) -> dict[str, Any]:
    """One receiver, one sender, two processes; what the receiver printed, and ``sent``."""
    sender = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.blaster", str(records), *(["mixed"] if mixed else [])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = sender.stdout.readline().strip() if sender.stdout else ""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.receivers", name, url, str(records)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1:]}")
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return {**answer, "sent": records}
    finally:
        sender.kill()
        sender.wait()


def run(seconds: float) -> dict[str, Any]:
    """The figures of ``contract.md``, ``parse``. Ends with exit 1 if a peer is not installed."""
    lacking = missing()
    if lacking:
        raise SystemExit(
            f"missing peers: {', '.join(lacking)} - install them with: uv sync --group bench"
        )
    each_s = max(0.5, seconds / ROUNDS * SHARE)
    rates: dict[str, list[float]] = {name: [] for name in USUAL_PER_S}
    sent = delivered = bad = 0
    for _ in range(ROUNDS):
        for name, usual in USUAL_PER_S.items():
            got = receive(name, int(usual * each_s))
            rates[name].append(got["records"] / got["seconds"])
            if name == "ours":
                sent, delivered = sent + got["sent"], delivered + got["records"]
                bad += got["bad"]
    mixed = receive("ours", int(USUAL_PER_S["ours"] * each_s), mixed=True)
    sent, delivered = sent + mixed["sent"], delivered + mixed["records"]
    per_s = {name: median(found) for name, found in rates.items()}
    return {
        "records_per_s": round(per_s["ours"]),
        "records_per_s_mixed": round(mixed["records"] / mixed["seconds"]),
        "records_delivered_ratio": delivered / sent,
        "records_bad": bad + mixed["bad"],
        "ratio_python_kis": round(per_s["ours"] / per_s["python_kis"], 2),
        "ratio_mojito": round(per_s["ours"] / per_s["mojito"], 2),
        "ratio_official_sample": round(per_s["ours"] / per_s["official_sample"], 1),
        "python_kis_records_per_s": round(per_s["python_kis"]),
        "mojito_records_per_s": round(per_s["mojito"]),
        "official_sample_records_per_s": round(per_s["official_sample"]),
        "rounds": ROUNDS,
    }


if __name__ == "__main__":
    print(json.dumps(run(float(sys.argv[1]) if len(sys.argv) > 1 else 12.0)))
