"""Takes docs/screenshot.png: starts the chat on a free port, asks two questions in Chromium, and takes a picture.

python docs/make_screenshot.py
python docs/make_screenshot.py --out dark.png --scheme dark
python docs/make_screenshot.py --out phone.png --size 375x760 "who is it about?" "when was it?"
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ("What is the capital of Australia?", "Who plays Werner?")  # refused; answered from seeds/
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("questions", nargs="*", default=QUESTIONS)
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshot.png")
    options.add_argument("--size", default="1280x800", help="width x height in pixels")
    options.add_argument("--scheme", choices=("light", "dark"), default="light")
    given = options.parse_args()
    width, height = (int(number) for number in given.size.split("x"))
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        raise SystemExit("no Chromium found; install one, such as: apt-get install chromium")
    command = [sys.executable, "-m", "ui.cli", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        address = first_address(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=given.scheme)
            page.goto(address)
            for number, question in enumerate(given.questions, start=1):
                ask(page, question, number)
            page.wait_for_timeout(500)  # for the conversation to have scrolled to its end
            page.screenshot(path=given.out)
            browser.close()
    finally:
        server.terminate()
        server.wait()
    print(f"wrote {given.out}")


def first_address(server: subprocess.Popen[str]) -> str:
    """The address that the server prints once it is ready."""
    if server.stdout is not None:
        for line in server.stdout:
            found = re.search(r"http://\S+", line)
            if found is not None:
                return found[0]
    raise SystemExit("the server did not start; its message is above")


def ask(page: Page, question: str, number: int) -> None:
    """Type a question, press Enter, and wait for the `number`th reply of the conversation."""
    box = page.get_by_label("Your question")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".qa-answer, .qa-refusal, .qa-problem")).to_have_count(number, timeout=60_000)


if __name__ == "__main__":
    main()
