"""The coverage-guided fuzzer: `python -m bench.fuzz_atheris -runs=1000000 [libFuzzer options]`.

Each input is one frame's payload; libFuzzer departs from the honest requests and keeps what reaches new code.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["brokers.simulated"]):
    from bench.fuzz_target import Target, honest_frames


def main() -> None:
    """Seed a corpus and hand over to libFuzzer, which ends the process."""
    corpus = Path(tempfile.mkdtemp(prefix="openbell-corpus-"))
    for version in (157, 176):
        for number, payload in enumerate(honest_frames(version)):
            (corpus / f"{version}-{number}").write_bytes(payload)
    with Target() as target:
        atheris.Setup([*sys.argv, str(corpus)], target.take)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
