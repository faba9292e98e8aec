"""Same seed, same run: what could differ between two processes stands only where the table says why it may.

Held to it are the product and the reusable parts of the simulation.
"""

import ast
from functools import cache

import pytest

from tests.architecture.raw_sources import (
    CHANCE,
    CLOCK,
    FOLDER_ORDER,
    HASH,
    LOST_CANCEL,
    LOST_TASK,
    TASK_ORDER,
    THREAD,
    findings,
)
from tests.architecture.set_order import declared
from tests.architecture.set_order import findings as set_findings
from tests.architecture.source import Module, modules, product

SET_ORDER = "set order"
HOMES = {
    (CLOCK, "daemon/runtime/clock"): "the daemon's raw clocks; runs get them through Surroundings",
    (CLOCK, "brokers/simulated/gateway/runtime/clock"): "the gateway's raw clocks; a session gets a MarketClock",
    (CLOCK, "daemon/runtime/cli"): "`tail` waits for new log lines, in a process of its own",
    (CLOCK, "research/nightly/cli"): "which session has closed, and when a step was done",
    (CLOCK, "daemon/alerts/cli"): "`alerts test` waits between its tries, in a process of its own",
    (CLOCK, "tests/simulation/campaign"): "how long a run took, told to who waits and no part of the history",
    (CLOCK, "tests/simulation/safeguards/search"): "how long a person lets it search, not what it finds",
    (CLOCK, "tests/simulation/world/run"): "how long the run took, beside its history",
    (CLOCK, "research/experiments/stopwatch"): "how long replays took, told to who waits and no part of a result",
    (CLOCK, "research/measures/ledger"): "when a trial was first seen, told to people and no part of any figure",
    (CHANCE, "daemon/runtime/surroundings"): "the daemon's raw chance; runs get it through Surroundings",
    (THREAD, "daemon/alerts/outbox"): "a channel blocks for seconds; a virtual loop runs it inline",
    (THREAD, "daemon/alerts/desk"): "the spool's disk may be slow; a virtual loop runs it inline",
    (THREAD, "daemon/alerts/watcher"): "reads a log file that may be long; a virtual loop runs it inline",
    (THREAD, "daemon/runtime/people"): "joins the thread of the exporter",
    (THREAD, "daemon/metrics/exporter"): "HTTP beside the loop, reads figures only; off at port 0",
    (THREAD, "brokers/simulated/gateway/runtime/state_file"): "slow disks; a virtual loop runs it inline",
    (CLOCK, "research/ingest/sources/clock"): "the raw clock of fetching; sources get a PaceClock",
    (THREAD, "research/features/write_behind"): "one thread writes, in order, the files of a call; nothing is traded",
    (THREAD, "research/ingest/fetching"): "one thread per symbol that is asked for; each stores its own series",
    (THREAD, "research/ingest/sources/interactive_brokers"): "the loop of the line to TWS, beside those who wait",
    (TASK_ORDER, "daemon/alerts/cli"): "the outside watcher, a process of its own that trades nothing",
}


def test_what_differs_between_runs_stands_only_in_its_home():
    strays = [
        f"{module.path}:{line}: {kind}: {name}"
        for module, kind, line, name in _found()
        if not any(kind == home[0] and module.is_in(home[1]) for home in HOMES)
    ]
    assert strays == []


@pytest.mark.parametrize("home", HOMES, ids=" in ".join)
def test_every_home_is_still_needed(home):
    assert [name for module, kind, _, name in _found() if kind == home[0] and module.is_in(home[1])] != []


@pytest.mark.parametrize(
    ("kind", "text", "line"),
    [
        (CLOCK, "import datetime as d\nd.datetime.now()", 2),
        (CLOCK, "from datetime import datetime\nx = datetime.utcnow()", 2),
        (CLOCK, "from datetime import datetime as dt\ndef f(clock=dt.now): ...", 2),
        (CLOCK, "import datetime\ndatetime.date.today()", 2),
        (CLOCK, "from datetime import date\nf(day=date.today())", 2),
        (CLOCK, "import pandas as pd\npd.Timestamp.now()", 2),
        (CLOCK, "import time\ntime.time()", 2),
        (CLOCK, "import time as t\nclock = t.monotonic", 2),
        (CLOCK, "import time\ndef f(now=time.perf_counter): ...", 2),
        (CLOCK, "def f():\n  import time\n  time.sleep(1)", 3),
        (CLOCK, "from time import perf_counter_ns", 1),
        (CHANCE, "import random\nrandom.shuffle(x)", 2),
        (CHANCE, "from random import choice", 1),
        (CHANCE, "import random\nrandom.Random()", 2),
        (CHANCE, "import random\nrandom.Random(None)", 2),
        (CHANCE, "from random import Random\nfield(default_factory=Random)", 2),
        (CHANCE, "from random import SystemRandom", 1),
        (CHANCE, "import numpy as np\nnp.random.default_rng()", 2),
        (CHANCE, "import numpy as np\nnp.random.Philox()", 2),
        (CHANCE, "import numpy as np\nnp.random.normal(size=3)", 2),
        (CHANCE, "import uuid\nuuid.uuid4()", 2),
        (CHANCE, "from uuid import uuid4", 1),
        (CHANCE, "import os\nos.urandom(8)", 2),
        (CHANCE, "import secrets\ndef f(entropy=secrets.token_bytes): ...", 2),
        (HASH, "order = sorted(x, key=lambda each: hash(each))", 1),
        (THREAD, "import asyncio\nasync def f():\n  await asyncio.to_thread(g)", 3),
        (THREAD, "async def f(loop):\n  await loop.run_in_executor(None, g)", 2),
        (THREAD, "import asyncio\nasync def f():\n  await asyncio.get_running_loop().run_in_executor(None, g)", 3),
        (THREAD, "from threading import Thread", 1),
        (THREAD, "from concurrent.futures import ThreadPoolExecutor", 1),
        (LOST_CANCEL, "import asyncio\nasync def f():\n  await asyncio.wait_for(g(), 1)", 3),
        (LOST_CANCEL, "from asyncio import wait_for", 1),
        (TASK_ORDER, "import asyncio\nasync def f():\n  async with asyncio.TaskGroup() as group:\n    g(group)", 3),
        (LOST_TASK, "import asyncio\nasync def f():\n  asyncio.create_task(g())", 3),
        (LOST_TASK, "async def f(loop):\n  loop.create_task(g()).add_done_callback(h)", 2),
        (LOST_TASK, "import asyncio\nasync def f():\n  task = asyncio.create_task(g())", 3),
        (LOST_TASK, "from asyncio import ensure_future\nlater(lambda: ensure_future(g()))", 2),
        (FOLDER_ORDER, "for path in folder.glob('*.csv'):\n  read(path)", 1),
        (FOLDER_ORDER, "import os\nnames = os.listdir('.')", 2),
        (FOLDER_ORDER, "newest = max(folder.iterdir(), key=size)", 1),
    ],
)
def test_what_differs_between_runs_is_found(kind, text, line):
    assert [(found, at) for found, at, _ in findings(_module(text))] == [(kind, line)]


@pytest.mark.parametrize(
    "text",
    [
        "import datetime as dt\ndt.datetime.fromtimestamp(at, dt.UTC)\nnoon = dt.time(12)",
        "for time in times:\n  print(time.hour)",
        "import random\ndef f(chance: random.Random | None, seed): return random.Random(f'{seed}')",
        "from random import Random\nDraw = Callable[[Random], list[Random]]",
        "import numpy as np\ndef f(seed) -> np.random.Generator: return np.random.default_rng(seed)",
        "import asyncio\nasync def f():\n  await asyncio.create_task(g())",
        "import asyncio\nasync def f(self):\n  self.task = asyncio.create_task(g())",
        "import asyncio\nasync def f(tasks):\n  tasks.append(asyncio.create_task(g()))",
        "import asyncio\nasync def f():\n  task = asyncio.create_task(g())\n  await task",
        "import asyncio\nasync def f():\n  return [asyncio.create_task(g()) for _ in range(3)]",
        "def f(context, loop):\n  return context.run(lambda: loop.create_task(g()))",
        "for path in sorted(folder.rglob('*')):\n  read(path)",
        "names = {path.name for path in folder.iterdir()}",
        "held.hash(3)",
    ],
)
def test_what_is_the_same_in_every_run_is_let_pass(text):
    assert list(findings(_module(text))) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("for x in {1, 2}: f(x)", 1),
        ("xs = [f(x) for x in set(ys)]", 1),
        ("def f(names: set[str]):\n  for name in names: g(name)", 2),
        ("def f(names: 'frozenset[str] | None' = None):\n  return list(names or ())", 2),
        ("NAMES = frozenset({'a', 'b'})\ndef f(): return [g(name) for name in NAMES]", 2),
        ("def f(a, b):\n  for x in set(a) - set(b): g(x)", 2),
        ("def f(a: dict, b: dict):\n  return ', '.join(a.keys() - b.keys())", 2),
        ("class A:\n  def __init__(self): self.all: set[int] = set()\n  def f(self): return tuple(self.all)", 3),
        ("class A:\n  def __init__(self): self.all = set()\n  def f(self): return [*self.all]", 3),
        ("class A:\n  names: set[str]\ndef f(a: A):\n  for name in a.names: g(name)", 4),
        ("def names() -> set[str]: ...\ndef f():\n  for name in names(): g(name)", 3),
        ("class A:\n  @property\n  def names(self) -> set[str]: ...\ndef f(a: A): return list(a.names)", 4),
        ("def f(a: set[int]):\n  b = a | {3}\n  c = b.union(a)\n  return dict.fromkeys(c)", 4),
        ("def f(of: dict[str, set[int]]):\n  for x in of['a']: g(x)", 2),
        ("def f(of: dict[str, set[int]]):\n  for held in of.values():\n    for x in held: g(x)", 3),
        ("def f(of: dict[str, set[int]]):\n  for _, held in of.items():\n    for x in held: g(x)", 3),
        ("def f(names: set[str]): return f'wrong: {names}'", 1),
        ("def f(names: set[str]): return names.pop()", 1),
        ("def f(names: set[str]): return next(iter(names))", 1),
        ("def f(names: set[str]): return max(names, key=len)", 1),
        ("def f(values: set[float]): return sum(values)", 1),
        ("def f(values: set[float]): return sum(v * v for v in values)", 1),
        ("def f(names: set[str]): return {name: 0 for name in names}", 1),
        ("def f(names: set[str]):\n  first, second = names", 2),
        ("async def f():\n  done, _ = await asyncio.wait(tasks)\n  for task in done: task.result()", 3),
        ("for task in asyncio.all_tasks(): task.cancel()", 1),
    ],
)
def test_going_through_a_set_is_found(text, line):
    module = _module(text)
    assert [at for at, _ in set_findings(module, declared([module]))] == [line]


@pytest.mark.parametrize(
    "text",
    [
        "def f(names: set[str]):\n  for name in sorted(names): g(name)",
        "def f(names: set[str]): return len(names), 'a' in names, min(names), bool(names)",
        "def f(names: set[str]): return {name.lower() for name in names}",
        "def f(names: set[str]): return any(name.isupper() for name in names)",
        "def f(names: set[str]): return sorted(name.lower() for name in names)",
        "def f(names: set[str], more: set[str]):\n  more.update(name.lower() for name in names)",
        "def f(names: set[str]): return {*names, 'a'} | names",
        "def f(names: list[str]):\n  for name in names: g(name)",
        "def f(of: dict[str, set[int]]):\n  for name in of: g(name)",
        "def f(stack: list[int]): return stack.pop()",
        "def f(names: set[str]):\n  (only,) = names",
    ],
)
def test_a_set_without_its_order_is_let_pass(text):
    module = _module(text)
    assert list(set_findings(module, declared([module]))) == []


def test_a_set_that_another_module_declares_is_found():
    book = _module("HALTED = frozenset({'a'})\nclass Book:\n  locked: set[str]")
    text = "from book import HALTED as H\ndef f(book): return [*H], list(book.locked)"
    assert sorted(name for _, name in set_findings(_module(text), declared([book]))) == ["H", "book.locked"]


def test_a_name_that_means_other_things_elsewhere_is_its_own_class_s():
    other = _module("class A:\n  all: list[int]")
    mine = _module("class B:\n  all: set[int]\n  def f(self): return list(self.all)")
    assert [name for _, name in set_findings(mine, declared([other, mine]))] == ["self.all"]


@cache
def _found() -> list[tuple[Module, str, int, str]]:
    """Everything in the code that is held to it, in its place."""
    held = [*product(), *(module for module in modules() if _is_reusable_simulation(module))]
    known = declared(held)
    return [
        (module, kind, line, name)
        for module in held
        for kind, line, name in [
            *findings(module),
            *((SET_ORDER, line, name) for line, name in set_findings(module, known)),
        ]
    ]


def _is_reusable_simulation(module: Module) -> bool:
    return module.is_in("tests/simulation") and not module.path.rpartition("/")[2].startswith("test_")


def _module(text: str) -> Module:
    return Module("daemon/c.py", text, ast.parse(text))
