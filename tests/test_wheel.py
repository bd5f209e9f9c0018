"""What is shipped: the wheel, installed outside the checkout, answers with the network blocked."""

import os
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ASK = """
import socket
def refuse(*args):
    raise OSError("blocked")
socket.socket.connect = socket.socket.bind = refuse
from qa import answer
import qa
print(qa.__file__)
print(answer("who plays Werner?"))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    assert len(list(folder.glob("*.tar.gz"))) == 1
    return next(folder.glob("*.whl"))


def test_it_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"index", "qa", "ui", "article_qa-0.1.0.dist-info"}
    for needed in [
        "qa/model/reader.onnx",
        "qa/large/reader.onnx",
        "qa/seeds/000_e6d6c117e4a10c10.txt",
        "index/model/encoder.onnx",
        "qa/py.typed",
    ]:
        assert needed in names


def test_it_answers_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    # the pinned dependencies come from this environment: installing gigabytes again would test pip, not the wheel
    packages = next(Path(p) for p in site.getsitepackages() if (Path(p) / "faiss").exists())
    target = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    for entry in packages.iterdir():
        link = target / entry.name
        if not link.exists() and "article_qa" not in entry.name and entry.suffix != ".pth":
            link.symlink_to(entry)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run([python, "-c", ASK], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    where, answer = done.stdout.strip().splitlines()
    assert where.startswith(str(tmp_path))
    assert answer == "Louis Hofmann"
    command = tmp_path / "venv" / "bin" / "qa"
    asked = subprocess.run(
        [command, "ask", "who plays Werner?"], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert asked.stdout.startswith("Louis Hofmann")
