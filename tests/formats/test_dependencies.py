"""Files of wanted packages: each family as its tool writes it, in an old and a new version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.formats.dependencies import is_dependency_file, is_requirements_file, moves_in
from bisector.formats.dependencies.python import partly

FILES = {
    "requirements.txt": (
        """\
# made by pip-compile
--index-url https://example.org/simple
-r base.txt
NumPy==VERSION  # fast
requests[socks]==2.31.0 ; python_version >= "3.8" \\
    --hash=sha256:0000 \\
    --hash=sha256:1111
click>=8, <9
-e .
""",
        {"python:numpy": ("1.26.0", "2.0.1")},
    ),
    "requirements/dev.in": ("pytest\nruff == VERSION\n", {"python:ruff": ("1.26.0", "2.0.1")}),
    "pyproject.toml": (
        """\
[build-system]
requires = ["hatchling"]
[project]
name = "own"
version = "3"
dependencies = ["some_thing>=VERSION", "other"]
[dependency-groups]
dev = ["pytest", {include-group = "x"}]
[tool.poetry.group.dev.dependencies]
mypy = "^VERSION"
black = {version = "24", extras = ["d"]}
""",
        {"python:some-thing": (">=1.26.0", ">=2.0.1"), "python:mypy": ("^1.26.0", "^2.0.1")},
    ),
    "sub/poetry.lock": (
        """\
[[package]]
name = "Foo.Bar"
version = "VERSION"
description = "x"
optional = false
files = [
    {file = "foo-1.tar.gz", hash = "sha256:00"},
]

[[package]]
name = "steady"
version = "3"

[metadata]
lock-version = "2.0"
""",
        {"python:foo-bar": ("1.26.0", "2.0.1")},
    ),
    "uv.lock": (
        """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "own"
source = { editable = "." }

[[package]]
name = "foo"
version = "VERSION"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "taken"
version = "0.1"
source = { git = "https://example.org/taken?rev=main#0123456789abcdef0123456789abcdef01234567" }
""",
        {"python:foo": ("1.26.0", "2.0.1")},
    ),
    "pdm.lock": ('[[package]]\nname = "foo"\nversion = "VERSION"\n', {"python:foo": ("1.26.0", "2.0.1")}),
    "Pipfile.lock": (
        '{"_meta": {}, "default": {"foo": {"hashes": [], "version": "==VERSION"}}, "develop": {"b": {"ref": "0123"}}}',
        {"python:foo": ("1.26.0", "2.0.1")},
    ),
    "package.json": (
        '{"name": "own", "version": "1", "dependencies": {"left-pad": "^VERSION"}, "devDependencies": {"x": "1"}}',
        {"npm:left-pad": ("^1.26.0", "^2.0.1")},
    ),
    "package-lock.json": (
        '{"lockfileVersion": 3, "packages": {"": {"version": "1"}, "node_modules/@a/b": {"version": "VERSION"},'
        ' "node_modules/@a/b/node_modules/c": {"version": "4"}, "node_modules/c": {"version": "3"}}}',
        {"npm:@a/b": ("1.26.0", "2.0.1")},
    ),
    "npm-shrinkwrap.json": (
        '{"lockfileVersion": 1, "dependencies":'
        ' {"a": {"version": "1", "dependencies": {"b": {"version": "VERSION"}}}}}',
        {"npm:b": ("1.26.0", "2.0.1")},
    ),
    "yarn.lock": (
        """\
# yarn lockfile v1


"@a/b@^1.0.0", "@a/b@^1.1.0":
  version "VERSION"
  resolved "https://example.org"
  dependencies:
    c "^2"

c@^2:
  version "2.0.0"
""",
        {"npm:@a/b": ("1.26.0", "2.0.1")},
    ),
    "web/yarn.lock": (
        '__metadata:\n  version: 8\n\n"a@npm:^1":\n  version: VERSION\n  resolution: "a@npm:1"\n',
        {"npm:a": ("1.26.0", "2.0.1")},
    ),
    "pnpm-lock.yaml": (
        """\
lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      a:
        specifier: ^1
        version: VERSION

packages:

  '@b/c@VERSION':
    resolution: {integrity: sha512-x==}

  d@3.0.0:
    resolution: {integrity: sha512-y==}

snapshots:

  '@b/c@9.9.9': {}
""",
        {"npm:@b/c": ("1.26.0", "2.0.1")},
    ),
    "old/pnpm-lock.yaml": (
        "lockfileVersion: 5.4\npackages:\n\n  /@b/c/VERSION:\n    dev: true\n  /e@1.0.0(f@2):\n    dev: true\n",
        {"npm:@b/c": ("1.26.0", "2.0.1")},
    ),
    "Cargo.toml": (
        '[package]\nname = "own"\nversion = "1"\n[dependencies]\nserde = { version = "VERSION" }\nlog = "0.4"\n'
        "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n",
        {"cargo:serde": ("1.26.0", "2.0.1")},
    ),
    "Cargo.lock": (
        """\
version = 3

[[package]]
name = "serde"
version = "VERSION"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "00"

[[package]]
name = "syn"
version = "1.0.0"

[[package]]
name = "syn"
version = "2.0.0"
""",
        {"cargo:serde": ("1.26.0", "2.0.1")},
    ),
    "go.mod": (
        """\
module example.org/own

go 1.22.1

require golang.org/x/sync v0.1.0 // indirect

require (
	github.com/a/b vVERSION
	github.com/c/d v3.0.0+incompatible // indirect
)

exclude github.com/a/b v0.9.0
replace github.com/e/f => ../f
""",
        {"go:github.com/a/b": ("v1.26.0", "v2.0.1")},
    ),
}


@pytest.mark.parametrize("path", FILES)
def test_what_moved_is_told_and_nothing_else(path: str) -> None:
    text, wanted = FILES[path]
    old, new = (text.replace("VERSION", version).encode() for version in ("1.26.0", "2.0.1"))
    found = moves_in({path: (old, new)})
    assert {move.name: (move.old, move.new) for move in found} == wanted
    assert is_dependency_file(path)


def test_what_comes_and_goes_is_told_after_what_moves() -> None:
    moves = moves_in({"requirements.txt": (b"a==1\nb==1\n", b"b==2\nc==1\n")})
    assert [(move.package, move.old, move.new) for move in moves] == [
        ("b", "1", "2"),
        ("a", "1", None),
        ("c", None, "1"),
    ]


def test_the_lock_counts_where_the_manifest_speaks_of_the_same_package() -> None:
    manifest = (b'[project]\ndependencies = ["a>=1"]\n', b'[project]\ndependencies = ["a>=2"]\n')
    lock = tuple(f'[[package]]\nname = "a"\nversion = "{version}"\n'.encode() for version in ("1.5", "2.7"))
    (move,) = moves_in({"pyproject.toml": manifest, "uv.lock": (lock[0], lock[1])})
    assert (move.old, move.new) == ("1.5", "2.7")


def test_a_package_from_a_repository_moves_with_its_commit() -> None:
    text = '[[package]]\nname = "a"\nversion = "1"\nsource = {{ git = "https://x?rev=main#{}" }}\n'
    old, new = (text.format(sign * 40).encode() for sign in "ab")
    (move,) = moves_in({"uv.lock": (old, new)})
    assert (move.old, move.new) == (f"1 ({'a' * 12})", f"1 ({'b' * 12})")


@pytest.mark.parametrize("path", ["src/requirements.py", "docs/yarn.lock.md", "setup.py", "lib/go.module", "txt"])
def test_other_files_are_none(path: str) -> None:
    assert not is_dependency_file(path)
    assert moves_in({path: (b"a==1\n", b"a==2\n")}) == ()


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_that_is_in_them_is_an_error(path: str, content: bytes) -> None:
    moves_in({path: (content, None), f"x/{path}": (None, content)})


@pytest.mark.parametrize(
    "text", [b"[]", b"3", b'{"packages": [], "default": 3}', b"package = 3", b"project = 1", b"{" * 9]
)
@pytest.mark.parametrize("path", FILES)
def test_another_shape_is_no_error(path: str, text: bytes) -> None:
    moves_in({path: (text, None)})


OLD_FILE = (
    "# what is wanted\nalpha==1\nbeta[extra]==1 \\\n    --hash=sha256:aa\ngone==3\n--index-url https://old\nsame==1"
)
NEW_FILE = (
    "# what is wanted\nalpha==2\nBeta[extra]==2 \\\n    --hash=sha256:bb\n--index-url https://new\ncome==4\nsame==1\n"
)


@pytest.mark.parametrize(
    ("moved", "lines"),
    [
        ((), ["alpha==1", "beta[extra]==1 \\", "    --hash=sha256:aa", "same==1", "gone==3"]),
        (("alpha",), ["alpha==2", "beta[extra]==1 \\", "    --hash=sha256:aa", "same==1", "gone==3"]),
        (("beta", "gone"), ["alpha==1", "Beta[extra]==2 \\", "    --hash=sha256:bb", "same==1"]),
        (("come",), ["alpha==1", "beta[extra]==1 \\", "    --hash=sha256:aa", "come==4", "same==1", "gone==3"]),
    ],
)
def test_a_requirements_file_with_only_some_packages_moved(moved: tuple[str, ...], lines: list[str]) -> None:
    text = partly(OLD_FILE, NEW_FILE, frozenset(moved))
    kept = [line for line in text.splitlines() if not line.startswith(("#", "--index"))]
    assert kept == lines
    assert "--index-url https://new" in text, "what names no package is that of the new file"


def test_with_all_packages_moved_a_requirements_file_is_the_new_one() -> None:
    assert partly(OLD_FILE, NEW_FILE, frozenset({"alpha", "beta", "gone", "come"})) == NEW_FILE
    assert partly("", NEW_FILE, frozenset({"alpha", "beta", "come", "same"})) == NEW_FILE
    assert partly("a==1\n", "a==1\n", frozenset()) == "a==1\n"


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("requirements.txt", True),
        ("requirements/dev.in", True),
        ("app/constraints-3.11.txt", True),
        ("poetry.lock", False),
        ("pyproject.toml", False),
        ("requirements.py", False),
    ],
)
def test_files_that_pip_reads_are_known(path: str, is_one: bool) -> None:
    assert is_requirements_file(path) is is_one
