"""One Python environment per peer, made from its pinned requirements, kept between runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).parent / "requirements"
OURS = "ours"
TORCH = "torch==2.13.0"
TORCH_INDEX = os.environ.get("TORCH_INDEX", "https://download.pytorch.org/whl/cpu")
STAMP = ".made-from"


class EnvironmentFailure(RuntimeError):
    """An environment could not be made; holds the end of what the installer said."""


def interpreter(environments: Path, name: str) -> Path:
    """The Python of an environment."""
    return environments / name / "bin" / "python"


def make_environment(environments: Path, name: str) -> Path:
    """Make the environment of a peer, or find it made from the same requirements. Returns its Python.

    This product is installed from the checkout, held to `constraints.txt`; a peer from `requirements/NAME.txt`. With uv
    where that is installed, for it takes a tenth of the time, else with pip.

    Raises:
        EnvironmentFailure: the installer failed.
    """
    folder, python = environments / name, interpreter(environments, name)
    wanted = recipe(name)
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    environments.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv")
    if uv is not None:
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], name)
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        _run([sys.executable, "-m", "venv", "--clear", str(folder)], name)
        install = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    if name == OURS or TORCH in (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").split():
        _install_torch(install, name)
    if name == OURS:
        _run([*install, "--constraint", str(ROOT / "constraints.txt"), "--editable", str(ROOT)], name)
    else:
        _run([*install, "--requirement", str(REQUIREMENTS / f"{name}.txt")], name)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _install_torch(install: list[str], name: str) -> None:
    """The CPU build: a wheel that the installer is configured to find locally first, else PyTorch's CPU index."""
    local = subprocess.run([*install, "--no-deps", "--no-index", TORCH], capture_output=True, check=False)
    if local.returncode:
        _run([*install, "--no-deps", "--index-url", TORCH_INDEX, TORCH], name)


def recipe(name: str) -> str:
    """Identifies what an environment is made from."""
    files = [ROOT / "pyproject.toml", ROOT / "constraints.txt"] if name == OURS else [REQUIREMENTS / f"{name}.txt"]
    content = b"\0".join([str(ROOT).encode(), sys.version.encode(), *(file.read_bytes() for file in files)])
    return hashlib.sha256(content).hexdigest()


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentFailure(f"{name}: {' '.join(command[:6])} … failed: {(done.stderr or done.stdout)[-800:]}")


def installed_bytes(environments: Path, name: str, models: list[Path]) -> dict[str, int]:
    """Bytes of an environment without pip, of the torch in it, and of the model files it needs besides.

    This product's packages are counted where they are, in the checkout; its models are a part of them.
    """
    (packages,) = (environments / name).glob("lib/python3*/site-packages")
    total = size(packages) - sum(size(part) for part in packages.glob("pip*"))
    if name == OURS:
        total += sum(size(ROOT / part) for part in ("index", "qa", "ui", "seeds"))
        models = []
    return {"environment": total, "torch": size(packages / "torch"), "models": sum(size(model) for model in models)}


def size(path: Path) -> int:
    """Bytes of a file, or of all files under a folder but compiled Python."""
    if path.is_file():
        return path.stat().st_size
    return sum(
        part.stat().st_size
        for part in path.rglob("*")
        if part.is_file() and not part.is_symlink() and part.suffix != ".pyc"
    )
