"""Takes the pictures of the page: starts the chat on a free port, adds a document, asks, and takes a picture each.

python docs/make_screenshot.py    # writes screenshot.png, screenshot-dark.png and screenshot-phone.png into docs
python docs/make_screenshot.py --only phone --out /tmp "who is it about?" "when was it?"
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
# refused; answered from seeds/; a follow-up; answered from the document added
QUESTIONS = ("What is the capital of Australia?", "Who plays Werner?", "and Marie Laure?", "When did the harbour open?")
DOCUMENT = "The harbour of Port Ellen opened in 1902. Its lighthouse is green. Boats to Islay leave at noon.\n"
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's file name, size in pixels and colours."""

    file: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    phone: bool = False


PICTURES = {
    "light": Picture("screenshot.png", 1280, 800, "light"),
    "dark": Picture("screenshot-dark.png", 1280, 800, "dark"),
    "phone": Picture("screenshot-phone.png", 375, 760, "light", phone=True),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("questions", nargs="*", default=QUESTIONS)
    options.add_argument("--out", type=Path, default=ROOT / "docs", help="folder for the pictures")
    options.add_argument("--only", choices=sorted(PICTURES), help="take only this one")
    given = options.parse_args()
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        raise SystemExit("no Chromium found; install one, such as: apt-get install chromium")
    command = [sys.executable, "-m", "ui.cli", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = first_address(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
            for name, picture in PICTURES.items():
                if given.only in (None, name):
                    take(browser, address, picture, given.questions, given.out)
            browser.close()
    finally:
        server.terminate()
        server.wait()


def take(browser: Browser, address: str, picture: Picture, questions: list[str], folder: Path) -> None:
    """One picture, of a browser of its own."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        is_mobile=picture.phone,
        has_touch=picture.phone,
    )
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_label("Your question")).to_be_visible(timeout=60_000)
    page.set_input_files(
        "input[type=file]", [{"name": "harbour.txt", "mimeType": "text/plain", "buffer": DOCUMENT.encode()}]
    )
    expect(page.locator(".qa-document.qa-ready")).to_have_count(1, timeout=60_000)
    for number, question in enumerate(questions, start=1):
        ask(page, question, number)
    page.wait_for_timeout(700)  # for the conversation to have scrolled to its end
    page.screenshot(path=folder / picture.file)
    context.close()
    print(f"wrote {folder / picture.file}")


def first_address(server: subprocess.Popen[str]) -> str:
    """The address that the server prints once it is ready."""
    if server.stdout is not None:
        for line in server.stdout:
            found = re.search(r"http://\S+", line)
            if found is not None:
                return found[0]
    raise SystemExit("the server did not start; `qa serve` says why")


def ask(page: Page, question: str, number: int) -> None:
    """Type a question, press Enter, and wait for the `number`th reply of the conversation."""
    box = page.get_by_label("Your question")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".qa-answer, .qa-refusal, .qa-problem")).to_have_count(number, timeout=60_000)


if __name__ == "__main__":
    main()
