import ast

from tests.architecture.source import modules, product

FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 50
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


def test_no_file_is_longer_than_its_ceiling():
    too_long = {
        module.path: module.lines
        for module in modules()
        if module.lines > (TEST_FILE_LINES_MAX if module.is_in("tests") else FILE_LINES_MAX)
    }
    assert too_long == {}


def test_no_function_is_longer_than_fifty_lines_without_its_signature_and_docstring():
    too_long = {
        f"{module.path}:{node.lineno} {node.name}": length
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := _lines_of_code(node)) > FUNCTION_LINES_MAX
    }
    assert too_long == {}


def test_no_module_or_package_has_a_name_that_says_nothing():
    named_emptily = [
        module.path
        for module in modules()
        if EMPTY_NAMES & set(module.path.removesuffix(".py").replace("_", "/").split("/"))
    ]
    assert named_emptily == []


def test_an_init_file_holds_a_docstring_that_maps_its_package_and_nothing_else():
    wrong = [
        module.path
        for module in product()
        if module.path.endswith("__init__.py") and (ast.get_docstring(module.tree) is None or len(module.tree.body) > 1)
    ]
    assert wrong == []


def test_the_bare_word_trade_names_nothing_of_ours():
    named_trade = [
        f"{module.path}:{node.lineno}"
        for module in product()
        if not module.is_in("brokers/ib")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and node.name in {"Trade", "Trades"}
    ]
    assert named_trade == []


def _lines_of_code(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of the body, which a command's table of options in its signature does not lengthen."""
    whole = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return whole
    docstring = node.body[0]
    return whole - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)
