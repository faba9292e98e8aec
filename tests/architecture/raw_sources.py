"""Finds what makes two runs of the same events differ: raw clocks, chance, threads, lost tasks, orders by address.

A name is resolved through the module's imports, so that it is found under whatever alias, as a call, as a default
argument, or as the import itself.
"""

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Module, dotted

CLOCK, CHANCE, THREAD, HASH = "clock", "chance", "thread", "hash"
LOST_TASK, LOST_CANCEL, TASK_ORDER, FOLDER_ORDER = "lost task", "lost cancel", "task order", "folder order"
_SEEDABLE = r"(random\.Random|numpy\.random\.(default_rng|Philox|PCG64|SeedSequence))"
_FORBIDDEN = {
    CLOCK: r"time\.\w+|datetime\.(datetime\.(now|utcnow|today)|date\.today)|pandas\.Timestamp\.(now|utcnow|today)",
    CHANCE: rf"(?!{_SEEDABLE}$|numpy\.random\.(Bit)?Generator$)(numpy\.)?random\.\w+"
    r"|uuid\.uuid[14]|os\.(urandom|getrandom)|secrets\.\w+",
    THREAD: r"asyncio\.to_thread|.+\.run_in_executor|threading\.(Thread|Timer)|concurrent\.futures\.\w+Executor",
    LOST_CANCEL: r"asyncio\.wait_for",  # of 3.11: a cancel that comes with the result is swallowed
    TASK_ORDER: r"asyncio\.(TaskGroup|as_completed)",  # both go through a set of their tasks
    HASH: r"\.hash",
}
_LISTING = re.compile(r"os\.(listdir|scandir|walk)|.+\.(iterdir|glob|rglob)")
_ORDER_FREE = {"sorted", "set", "frozenset", "any", "all", "len", "sum", "min", "max"}


def findings(module: Module) -> Iterator[tuple[str, int, str]]:
    """Yield kind, line and name of everything of the kind in the module."""
    names, parents = _imported_names(module.tree), _parents(module.tree)
    yield from _imports(module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute | ast.Name) and not isinstance(parents.get(node), ast.Attribute):
            full = _full_name(node, names)
            yield from ((kind, node.lineno, full) for kind, rule in _FORBIDDEN.items() if re.fullmatch(rule, full))
            if re.fullmatch(_SEEDABLE, full) and not _is_seeded_or_a_type(node, parents):
                yield CHANCE, node.lineno, f"{full} without a seed"
        if isinstance(node, ast.Call):
            full = _full_name(node.func, names)
            if _LISTING.fullmatch(full) and not _is_order_free(node, parents):
                yield FOLDER_ORDER, node.lineno, full
            if full.rpartition(".")[2] in {"create_task", "ensure_future"} and not _is_kept(node, parents, names):
                yield LOST_TASK, node.lineno, full


def _imports(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            for name in node.names:
                full = f"{node.module}.{name.name}"
                yield from ((kind, node.lineno, full) for kind, rule in _FORBIDDEN.items() if re.fullmatch(rule, full))


def _imported_names(tree: ast.Module) -> dict[str, str]:
    """Map each imported name, at whatever depth, to what it stands for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {name.asname or name.name.split(".")[0]: _meant(name) for name in names}
            case ast.ImportFrom(module=str(module), level=0, names=names):
                found |= {name.asname or name.name: f"{module}.{name.name}" for name in names}
    return found


def _meant(name: ast.alias) -> str:
    return name.name if name.asname else name.name.split(".")[0]


def _full_name(node: ast.expr, names: dict[str, str]) -> str:
    """Return the name with what the import put for its first part; what was not imported begins with a dot."""
    head, dot, rest = dotted(node).partition(".")
    return names.get(head, f".{head}") + dot + rest


def _parents(tree: ast.Module) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _is_seeded_or_a_type(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> bool:
    """`Random(seed)` is seeded, `Random()` and `Random(None)` are not; an annotation and an isinstance make nothing."""
    parent = parents[node]
    if isinstance(parent, ast.Call) and parent.func is node:
        seeds = [*parent.args, *(keyword.value for keyword in parent.keywords)]
        return any(not (isinstance(seed, ast.Constant) and seed.value is None) for seed in seeds)
    if isinstance(parent, ast.Call):
        return dotted(parent.func) == "isinstance"
    while isinstance(parent, ast.BinOp | ast.Subscript | ast.Tuple | ast.List):
        if isinstance(parent, ast.Subscript) and parent.slice is node:
            return True
        node, parent = parent, parents[parent]
    is_annotation = isinstance(parent, ast.arg) or (isinstance(parent, ast.AnnAssign) and parent.annotation is node)
    return is_annotation or getattr(parent, "returns", None) is node


def _is_order_free(node: ast.Call, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether what is listed goes through `sorted` or into something that has no order."""
    parent = parents[node]
    while isinstance(parent, ast.GeneratorExp | ast.ListComp | ast.comprehension | ast.Starred | ast.List):
        parent = parents[parent]
    if isinstance(parent, ast.Call):
        has_ties = dotted(parent.func) in {"min", "max"} and any(keyword.arg == "key" for keyword in parent.keywords)
        return dotted(parent.func) in _ORDER_FREE and not has_ties
    return isinstance(parent, ast.SetComp)


def _is_kept(node: ast.Call, parents: dict[ast.AST, ast.AST], names: dict[str, str]) -> bool:
    """Whether somebody holds the task: a task group, a container, an attribute, a caller, or a name that is read."""
    if isinstance(node.func, ast.Attribute) and dotted(node.func.value) in _task_groups(node, parents, names):
        return True
    match parent := parents[node]:
        case ast.Lambda() if isinstance(ran := parents[parent], ast.Call) and dotted(ran.func).endswith(".run"):
            return _is_kept(ran, parents, names)  # contextvars.Context.run hands out what the function returns
        case ast.Expr() | ast.Attribute() | ast.Lambda():
            return False
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return _is_read(name, _function_of(node, parents))
    return True


def _task_groups(node: ast.AST, parents: dict[ast.AST, ast.AST], names: dict[str, str]) -> set[str]:
    """Return the names under which task groups are open around the node."""
    found = set()
    while node in parents:
        node = parents[node]
        for item in node.items if isinstance(node, ast.AsyncWith) else ():
            match item:
                case ast.withitem(context_expr=ast.Call(func=func), optional_vars=ast.Name(id=name)):
                    found |= {name} if _full_name(func, names) == "asyncio.TaskGroup" else set()
    return found


def _function_of(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST:
    while node in parents and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        node = parents[node]
    return node


def _is_read(name: str, function: ast.AST) -> bool:
    reads = (node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return any(node.id == name for node in reads)
