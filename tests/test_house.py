"""Habits of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("vall_e", "vall_e_backbones", "vall_e_codecs", "vall_e_samplers", "vall_e_judges")
FILES = [path for package in (*PACKAGES, "plugins") for path in (ROOT / package).rglob("*.py")]
SOURCES = [path for path in FILES if "tests" not in path.relative_to(ROOT).parts]
DUMPING_GROUNDS = {"base", "common", "core", "helpers", "misc", "util", "utils"}
TORCH_FREE = [
    path
    for path in FILES
    if path.name == "components.py"
    or path.relative_to(ROOT).parts[:2] in {("vall_e", "config"), ("vall_e", "cli")}
    or path.relative_to(ROOT).parts[:2] in {("vall_e", "text"), ("vall_e", "audio")}
    or path.relative_to(ROOT).as_posix()
    in {
        f"vall_e/{name}.py"
        for name in ("errors", "interfaces", "hookspecs", "registry", "discovery", "plugin")
    }
]
TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".json", ".sh", ""}
MACHINE_PATH = re.compile(r"(?<![\w./])/(?:home|root|work|Users|mnt)/\w+")


def name(path):
    return str(path.relative_to(ROOT))


def module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[parts.index("src") + 1 :] if "src" in parts else parts
    return ".".join(part for part in parts if part != "__init__")


def tracked():
    """What is, or is about to be, in the repository."""
    git = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no git checkout")
    paths = (ROOT / line for line in done.stdout.splitlines())
    return [path for path in paths if path.is_file() and path.suffix in TEXTS]


def imported(nodes):
    """The names of the modules that these statements import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""


@cache
def tree_of(path):
    return ast.parse(path.read_text())


def parsed(paths):
    return [(path, tree_of(path)) for path in paths]


def test_a_module_has_a_subject():
    assert [name(path) for path in FILES if path.stem in DUMPING_GROUNDS] == []


def test_the_first_line_of_a_module_is_a_docstring():
    found = [name(p) for p, tree in parsed(SOURCES) if tree.body and not ast.get_docstring(tree)]
    assert found == []


def test_some_modules_import_torch_only_inside_of_functions():
    found = [
        f"{name(path)}: {module}"
        for path, tree in parsed(TORCH_FREE)
        for module in imported(at_import(tree))
        if module.partition(".")[0] in {"torch", "transformers"}
    ]
    assert found == []


def at_import(node):
    """What runs when a module is imported: no bodies of functions, nothing for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from at_import(child)


def test_an_import_within_a_try_or_a_class_is_one_at_import():
    source = "try:\n import a\nexcept E:\n class C:\n  import b\ndef f():\n import c"
    assert list(imported(at_import(ast.parse(source)))) == ["a", "b"]


def test_no_file_knows_a_machine():
    found = [
        f"{name(path)}: {match.group()}"
        for path in tracked()
        for match in MACHINE_PATH.finditer(path.read_text(errors="replace"))
    ]
    assert found == []


@pytest.mark.slow
def test_every_module_can_be_imported():
    modules = sorted(set(map(module, SOURCES)))
    ours = [name for name in modules if name.partition(".")[0] in PACKAGES]
    code = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    command = [sys.executable, "-c", code, *(name for name in ours if name != "vall_e.__main__")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_fragment_of_the_changelog_is_a_sentence():
    found = [
        name(path)
        for path in (ROOT / "changelog.d").glob("+*.md")
        if path.name.split(".")[1] not in {"added", "changed", "fixed", "removed"}
        or not path.read_text().strip().endswith(".")
    ]
    assert found == []


def test_a_plugin_imports_only_the_facade():
    found = [
        f"{name(path)}: {module}"
        for path, tree in parsed((ROOT / "plugins").glob("*/src/**/*.py"))
        for module in imported(ast.walk(tree))
        if module.split(".")[0] == "vall_e" and module != "vall_e.plugin"
    ]
    assert found == []


@pytest.mark.slow
def test_the_facade_offers_what_it_lists_and_loads_torch_for_a_few_names_only():
    code = (
        "import sys, vall_e.plugin as p; names = sorted(set(p.__all__) - set(p._WITH_TORCH)); "
        "[getattr(p, name) for name in names]; assert 'torch' not in sys.modules; "
        "[getattr(p, name) for name in p._WITH_TORCH]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


MODULES = {module(path): path for path in SOURCES}
SHARED_CLASS_NAMES = {
    "Codec": "the protocol of codecs, and the class of the Python API that users know as `Codec`",
}
"""Public classes of one name, and why."""


def ours(tree):
    """Every module of ours that a file imports: within functions and for type checkers, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else node.module for name in names)


def circles(graph):
    """The groups of modules that import one another, by Tarjan's algorithm."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            place = stack.index(node)
            group = sorted(stack[place:])
            del stack[place:]
            if len(group) > 1:
                found.append(group)

    for node in graph:
        if node not in index:
            visit(node)
    return found


def test_a_circle_of_imports_is_seen():
    graph = {"a": ["b"], "b": ["c"], "c": ["b"], "d": ["a"]}
    assert circles(graph) == [["b", "c"]]


def test_no_import_runs_in_a_circle_not_even_one_within_a_function_or_for_types():
    graph = {
        name: {other for other in ours(tree_of(path)) if other != name}
        for name, path in MODULES.items()
    }
    assert circles(graph) == []


def test_no_two_public_classes_have_one_name():
    homes = {}
    for name, path in MODULES.items():
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)
    shared = {name: places for name, places in homes.items() if len(places) > 1}
    assert {k: v for k, v in shared.items() if k not in SHARED_CLASS_NAMES} == {}
    assert set(SHARED_CLASS_NAMES) <= set(shared), "take out what is shared no more"


def test_a_config_is_not_defined_beside_its_builder():
    found = [
        f"{name(path)}: {node.name}"
        for path in SOURCES
        if path.name == "components.py"
        for node in tree_of(path).body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Config")
    ]
    assert found == [], "put it into options.py beside it"


def test_the_packages_and_tests_of_make_shapes_exist():
    done = subprocess.run(
        ["make", "-n", "shapes"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    packages, tests = re.search(r"echo (.*) beartype\.beartype .*\n(.*)", done.stdout).groups()
    assert [package for package in packages.split() if find_spec(package) is None] == []
    assert [folder for folder in tests.split() if not (ROOT / folder).is_dir()] == []
