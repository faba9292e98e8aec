"""Finds where the order of a set matters: it hangs on hashes of texts and on addresses, and is another in each process.

What is a set is inferred from literals, operations, and the annotations of names, attributes and functions. An
attribute of `self` is what its class says; any other attribute, function or imported constant is what all of its name
say.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import Enum

from msgspec import Struct, field

from tests.architecture.source import Module, dotted

Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Kind(Enum):
    SET = "a set"
    OF_SETS = "a container of sets"
    OTHER = "something else"


_SETS = {"set", "frozenset", "Set", "AbstractSet", "FrozenSet", "MutableSet", "WeakSet"}
_CONTAINERS = {"dict", "defaultdict", "list", "tuple", "Mapping", "MutableMapping", "Sequence", "Iterable", "deque"}
_SET_METHODS = {"union", "intersection", "difference", "symmetric_difference", "copy"}
_ABSORBING = {"update", "difference_update", "intersection_update", "issuperset", "isdisjoint", *_SET_METHODS}
_ORDER_FREE = {"sorted", "set", "frozenset", "any", "all"}
_IN_ORDER = {"list", "tuple", "iter", "enumerate", "map", "filter", "zip", "reversed", "dict.fromkeys", "deque", "sum"}
_AS_TEXT = {"str", "repr", "print"}


class Declared(Struct, frozen=True):
    """What all modules together say: the kinds under which each attribute, function and constant is declared."""

    attributes: dict[str, set[Kind]] = field(default_factory=lambda: defaultdict(set))
    returns: dict[str, set[Kind]] = field(default_factory=lambda: defaultdict(set))
    constants: dict[str, set[Kind]] = field(default_factory=lambda: defaultdict(set))


def declared(modules: Iterable[Module]) -> Declared:
    """Gather the annotations of classes, functions and constants."""
    found = Declared()
    for module in modules:
        for name, kind in _constants(module.tree):
            found.constants[name].add(kind)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                for name, kind in _attributes(node):
                    found.attributes[name].add(kind)
            elif isinstance(node, ast.FunctionDef) and not _is_property(node):
                found.returns[node.name].add(_annotated(node.returns))
    return found


def _attributes(owner: ast.ClassDef) -> Iterator[tuple[str, Kind]]:
    for each in ast.walk(owner):
        match each:
            case ast.AnnAssign(target=ast.Attribute(attr=name), annotation=annotation):
                yield name, _annotated(annotation)
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                if _is_plainly_a_set(value):
                    yield name, Kind.SET
    for each in owner.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                yield name, _annotated(annotation)
            case ast.FunctionDef(name=name, returns=returns) if _is_property(each):
                yield name, _annotated(returns)


def _constants(tree: ast.Module) -> Iterator[tuple[str, Kind]]:
    for each in tree.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                yield name, _annotated(annotation)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, Kind.SET if _is_plainly_a_set(value) else Kind.OTHER


def _is_property(function: ast.FunctionDef) -> bool:
    return any(dotted(each) in {"property", "cached_property"} for each in function.decorator_list)


def _is_plainly_a_set(value: ast.expr) -> bool:
    is_made = isinstance(value, ast.Call) and dotted(value.func) in {"set", "frozenset"}
    return is_made or isinstance(value, ast.Set | ast.SetComp)


def findings(module: Module, known: Declared) -> Iterator[tuple[int, str]]:
    """Yield line and source of every place where a set is gone through in its own order."""
    yield from _Reader(module, known).found()


class _Reader:
    """Reads one module, function by function."""

    def __init__(self, module: Module, known: Declared) -> None:
        self._tree, self._known = module.tree, known
        self._parents = {child: node for node in ast.walk(module.tree) for child in ast.iter_child_nodes(node)}
        self._names: dict[Scope, dict[str, Kind]] = {}
        self._classes: dict[ast.ClassDef, dict[str, Kind]] = {}
        imports = (node for node in ast.walk(module.tree) if isinstance(node, ast.ImportFrom))
        self._imported = {each.asname or each.name: each.name for node in imports for each in node.names}

    def found(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self._tree):
            for through in _gone_through(node):
                if self._kind(through) is Kind.SET and not self._is_absorbed(node):
                    yield through.lineno, ast.unparse(through)

    def _is_absorbed(self, node: ast.AST) -> bool:
        """Whether what comes out has no order either: a set again, sorted, or one answer for all."""
        if isinstance(node, ast.comprehension):
            made = self._parents[node]
            if isinstance(made, ast.SetComp):
                return True
            return not isinstance(made, ast.DictComp) and self._is_fed_to_a_set(made)
        if isinstance(node, ast.Starred):
            around = self._parents[node]
            return isinstance(around, ast.Set) or (
                isinstance(around, ast.List | ast.Tuple) and self._is_fed_to_a_set(around)
            )
        return False

    def _is_fed_to_a_set(self, node: ast.AST) -> bool:
        call = self._parents[node]
        if not isinstance(call, ast.Call) or node is call.func:
            return False
        if isinstance(call.func, ast.Attribute) and call.func.attr in _ABSORBING:
            return self._kind(call.func.value) is Kind.SET
        return dotted(call.func) in _ORDER_FREE or (dotted(call.func) in {"min", "max"} and not call.keywords)

    def _kind(self, node: ast.AST | None) -> Kind:
        match node:
            case ast.Set() | ast.SetComp():
                return Kind.SET
            case ast.Name(id=name):
                return self._kind_of_name(name, node)
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if (own := self._own_kind(name, node)) is not None:
                return own
            case ast.Attribute(attr=name):
                return _agreed(self._known.attributes.get(name, set()) | self._known.constants.get(name, set()))
            case ast.Call():
                return self._kind_of_call(node)
            case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
                return Kind.SET if self._is_set_like(left) or self._is_set_like(right) else Kind.OTHER
            case ast.IfExp(body=first, orelse=second):
                return self._either([first, second])
            case ast.BoolOp(values=values):
                return self._either(values)
            case ast.NamedExpr(value=value):
                return self._kind(value)
            case ast.Subscript(value=value) if self._kind(value) is Kind.OF_SETS:
                return Kind.SET
            case ast.Dict(values=values) | ast.List(elts=values) | ast.Tuple(elts=values):
                return Kind.OF_SETS if values and all(self._kind(each) is Kind.SET for each in values) else Kind.OTHER
            case ast.DictComp(value=value) | ast.ListComp(elt=value) if self._kind(value) is Kind.SET:
                return Kind.OF_SETS
        return Kind.OTHER

    def _kind_of_call(self, call: ast.Call) -> Kind:
        name = dotted(call.func)
        last = name.rpartition(".")[2]
        if name in {"set", "frozenset"} or name == "asyncio.all_tasks":
            return Kind.SET
        if last == "defaultdict" and call.args and dotted(call.args[0]) in _SETS:
            return Kind.OF_SETS
        if isinstance(call.func, ast.Attribute):
            owner = self._kind(call.func.value)
            if owner is Kind.SET:
                return Kind.SET if last in _SET_METHODS else Kind.OTHER
            if owner is Kind.OF_SETS and last in {"get", "setdefault", "pop"}:
                return Kind.SET
            if owner is Kind.OF_SETS and last == "values":
                return Kind.OF_SETS
        return _agreed(self._known.returns.get(last, set()))

    def _is_set_like(self, node: ast.expr) -> bool:
        """A set, or the keys of a dict, whose difference is a set."""
        is_keys = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys"
        return is_keys or self._kind(node) is Kind.SET

    def _either(self, nodes: list[ast.expr]) -> Kind:
        kinds = [self._kind(node) for node in nodes]
        return next((kind for kind in kinds if kind is not Kind.OTHER), Kind.OTHER)

    def _kind_of_name(self, name: str, node: ast.AST) -> Kind:
        while node in self._parents:
            node = self._parents[node]
            if isinstance(node, Scope) and name in (names := self._names_of(node)):
                return names[name]
        return _agreed(self._known.constants.get(self._imported.get(name, ""), set()))

    def _own_kind(self, name: str, node: ast.AST) -> Kind | None:
        """Return what the class around the node says of its attribute, None if it does not declare it."""
        while node in self._parents:
            node = self._parents[node]
            if isinstance(node, ast.ClassDef):
                if node not in self._classes:
                    self._classes[node] = dict(_attributes(node))
                return self._classes[node].get(name)
        return None

    def _names_of(self, scope: Scope) -> dict[str, Kind]:
        """Return what the scope's own names hold, by annotation or assignment; twice, as one may rest on another."""
        if scope not in self._names:
            found: dict[str, Kind] = {}
            self._names[scope] = found
            own = list(_own_nodes(scope))
            if not isinstance(scope, ast.Module):
                every = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
                found |= {argument.arg: _annotated(argument.annotation) for argument in every}
            for node in own * 2:
                self._note(node, found)
        return self._names[scope]

    def _note(self, node: ast.AST, found: dict[str, Kind]) -> None:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                found[name] = _annotated(annotation)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
            ):
                kind = self._kind(value)
                found[name] = kind if found.get(name, Kind.OTHER) is Kind.OTHER else found[name]
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Await(value=ast.Call(func=func))) if (
                dotted(func) == "asyncio.wait"
            ):
                found |= {target.id: Kind.SET for target in targets if isinstance(target, ast.Name)}
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                pairs = zip(targets, values, strict=False)
                found |= {to.id: self._kind(value) for to, value in pairs if isinstance(to, ast.Name)}
            case (
                ast.For(target=ast.Name(id=name), iter=through)
                | ast.comprehension(target=ast.Name(id=name), iter=through)
            ) if self._kind(through) is Kind.OF_SETS and not _is_mapping(through):
                found[name] = Kind.SET
            case (
                ast.For(target=ast.Tuple(elts=[_, ast.Name(id=name)]), iter=ast.Call(func=func))
                | ast.comprehension(target=ast.Tuple(elts=[_, ast.Name(id=name)]), iter=ast.Call(func=func))
            ) if isinstance(func, ast.Attribute) and func.attr == "items" and self._kind(func.value) is Kind.OF_SETS:
                found[name] = Kind.SET


def _gone_through(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that the node goes through, or shows, in their own order."""
    match node:
        case ast.For(iter=through) | ast.comprehension(iter=through) | ast.YieldFrom(value=through):
            yield through
        case ast.Starred(value=through, ctx=ast.Load()) | ast.FormattedValue(value=through):
            yield through
        case ast.Assign(targets=[ast.Tuple(elts=targets) | ast.List(elts=targets)], value=through) if len(targets) > 1:
            yield through
        case ast.Call(func=ast.Attribute(value=owner, attr="pop"), args=[]):
            yield owner
        case ast.Call(args=given) if _keeps_order(dotted(node.func), node):
            yield from given


def _keeps_order(name: str, call: ast.Call) -> bool:
    """Whether the function goes through what it is given, or shows it; of several smallest, `min` takes the first."""
    has_key = any(keyword.arg == "key" for keyword in call.keywords)
    is_method = name.rpartition(".")[2] in {"join", "extend", "writelines", "fromkeys", "array", "fromiter"}
    return is_method or name in _IN_ORDER | _AS_TEXT or (name in {"min", "max"} and has_key)


def _own_nodes(scope: Scope) -> Iterator[ast.AST]:
    """Walk the scope without the functions inside it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _annotated(annotation: ast.expr | None) -> Kind:
    match annotation:
        case ast.Constant(value=str(text)):
            return _annotated(ast.parse(text, mode="eval").body)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return next((kind for kind in (_annotated(left), _annotated(right)) if kind is not Kind.OTHER), Kind.OTHER)
        case ast.Name() | ast.Attribute() if dotted(annotation).rpartition(".")[2] in _SETS:
            return Kind.SET
        case ast.Subscript(value=value, slice=inside):
            name = dotted(value).rpartition(".")[2]
            if name in _SETS:
                return Kind.SET
            last = inside.elts[-1] if isinstance(inside, ast.Tuple) and inside.elts else inside
            is_final = name in {"ClassVar", "Final", "Optional", "Annotated"}
            if is_final:
                return _annotated(last)
            return Kind.OF_SETS if name in _CONTAINERS and _annotated(last) is Kind.SET else Kind.OTHER
    return Kind.OTHER


def _agreed(kinds: set[Kind]) -> Kind:
    return next(iter(kinds)) if len(kinds) == 1 else Kind.OTHER


def _is_mapping(through: ast.expr) -> bool:
    """Going through a mapping gives its keys; `.values()` of one gives what it holds."""
    return not (isinstance(through, ast.Call) and dotted(through.func).endswith(".values"))
