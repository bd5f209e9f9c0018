"""The README's snippets do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

from ui.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_snippets_run(built_index: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert snippets
    for snippet in snippets:
        command = [sys.executable, "-c", snippet]
        environment = {**os.environ, "QA_INDEX": str(built_index)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("Louis Hofmann\n")
        assert done.stdout.rstrip().endswith("None")


def test_every_command_named_exists() -> None:
    lines = [line for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
    makefile = (ROOT / "Makefile").read_text()
    assert lines
    for line in lines:
        program, argument = line.removeprefix("$ ").split()[:2]
        if program == "make":
            assert f"\n{argument}:" in makefile
        else:
            assert program == "qa"
            assert argument in main.commands


def test_files_linked_to_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
