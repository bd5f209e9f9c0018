"""What depends on what: layers point down, asking stays light, exported names are there."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import index
import qa

ROOT = Path(__file__).parent.parent
BELOW = {"index": {"index"}, "qa": {"qa", "index"}, "ui": {"ui", "qa", "index"}}
HEAVY = {"torch", "sentence_transformers", "transformers", "gradio", "pandas", "scipy", "sklearn"}


@pytest.mark.parametrize("package", sorted(BELOW))
def test_imports_point_down(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"
                names = [node.module or ""]
            for name in names:
                top = name.split(".")[0]
                assert top not in BELOW or top in BELOW[package], f"{path} imports {name}"


def test_only_one_file_imports_gradio() -> None:
    users = [p.name for p in (ROOT / "ui").rglob("*.py") if "import gradio" in p.read_text(encoding="utf-8")]
    assert users == ["chat.py"]


def test_asking_stays_light(built_index: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from qa import Config, answer;"
        f"a = answer('who plays Werner?', config=Config(index=Path({str(built_index)!r})));"
        f"print(a, *sorted({HEAVY!r} & set(sys.modules)), sep='|')"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed.strip() == "Louis Hofmann"


@pytest.mark.parametrize("module", [index, qa])
def test_exported_names_are_there(module: object) -> None:
    names = module.__all__  # type: ignore[attr-defined]
    assert sorted(names, key=lambda name: (not name.isupper(), name)) == names
    assert all(hasattr(module, name) for name in names)
