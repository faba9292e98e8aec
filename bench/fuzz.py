"""A million hostile frames: `python -m bench fuzz [--frames N] [--engine mutate|hypothesis|atheris] [--seed N]`.

`mutate` departs from honest requests, `hypothesis` draws frames from nothing, `atheris` is led by coverage (it runs in
a process of its own and needs its package). A crash ends the run with the frame that made it.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bench.fuzz_target import ODD_FIELDS, Target, honest_frames, mutated
from bench.result import Comparison, Measured

ENGINES = ("mutate", "hypothesis", "atheris")
ASKED = 1_000_000
FRAMES_PER_EXAMPLE = 200
INPUT_BYTES_MAX = 4096


def run_fuzz(engine: str, frames: int, seed: int) -> Comparison:
    """Throw `frames` frames; returns when all were answered. Raises Crashed, or CalledProcessError from atheris."""
    began, before = time.perf_counter(), _resident_mb()
    {"mutate": _mutate, "hypothesis": _hypothesis, "atheris": _atheris}[engine](frames, seed)
    took = time.perf_counter() - began
    return Comparison(
        title=f"fuzz: {frames:,} frames by {engine}, seed {seed}",
        measured=(
            Measured("answered", "frames/s", frames / took),
            Measured("memory grown by", "MB", _resident_mb() - before),
        ),
        ratio=frames / ASKED,
        ratio_says=f"times the {ASKED:,} frames asked for; no crash, no malformed answer",
    )


def _mutate(frames: int, seed: int) -> None:
    chance = random.Random(seed)
    honest = [*honest_frames(157), *honest_frames(176)]
    with Target() as target:
        for _ in range(frames):
            target.take(mutated(honest, chance))


def _hypothesis(frames: int, seed: int) -> None:
    field = st.one_of(st.sampled_from(ODD_FIELDS), st.text(max_size=12), st.integers().map(str), st.floats().map(str))
    message = st.builds(_joined, st.integers(-2, 300), st.lists(field, max_size=130))
    payload = st.one_of(message, st.text(max_size=200))
    examples, quiet = -(-frames // FRAMES_PER_EXAMPLE), list(HealthCheck)
    target = Target()

    @settings(
        max_examples=examples, phases=(Phase.generate,), deadline=None, suppress_health_check=quiet, database=None
    )
    @given(st.randoms(use_true_random=False), st.lists(payload, min_size=4, max_size=8))
    def throw(chance: random.Random, drawn: list[str]) -> None:
        texts = [text.encode(errors="replace") for text in drawn]
        for _ in range(FRAMES_PER_EXAMPLE):
            target.take(mutated(texts, chance))

    random.seed(seed)
    with target:
        throw()


def _joined(kind: int, fields: list[str]) -> str:
    return "\0".join([str(kind), *fields])


def _atheris(frames: int, seed: int) -> None:
    limits = (f"-runs={frames}", f"-seed={seed}", f"-max_len={INPUT_BYTES_MAX}")
    subprocess.run([sys.executable, "-m", "bench.fuzz_atheris", *limits], check=True)


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
