"""Words to a common form, so that "won", "wins" and "winning" meet. Small and rough: for comparing, not for showing."""

from __future__ import annotations

__all__ = ["lemma"]

_IRREGULAR = {
    form: base
    for base, forms in {
        "win": "won", "write": "wrote written", "make": "made", "go": "went gone", "begin": "began begun",
        "come": "came", "take": "took taken", "give": "gave given", "see": "saw seen", "find": "found",
        "leave": "left", "lead": "led", "lose": "lost", "meet": "met", "build": "built", "sell": "sold",
        "buy": "bought", "tell": "told", "know": "knew known", "become": "became", "hold": "held", "die": "dying",
        "fall": "fell fallen", "fly": "flew flown", "grow": "grew grown", "keep": "kept", "pay": "paid",
        "run": "ran", "send": "sent", "sing": "sang sung", "speak": "spoke spoken", "steal": "stole stolen",
        "teach": "taught", "think": "thought", "wear": "wore worn", "break": "broke broken", "choose": "chose chosen",
        "draw": "drew drawn", "drive": "drove driven", "eat": "ate eaten", "fight": "fought", "bring": "brought",
        "catch": "caught", "sit": "sat", "stand": "stood", "shoot": "shot", "swim": "swam swum", "spend": "spent",
        "man": "men", "woman": "women", "child": "children", "foot": "feet", "person": "people", "wife": "wives",
        "life": "lives", "rise": "rose risen", "hide": "hid hidden", "bear": "bore born", "sink": "sank sunk",
    }.items()
    for form in forms.split()
}  # fmt: skip


def lemma(word: str) -> str:
    """A lower-case word without its ending; words that are not understood come back as they are."""
    word = word.removesuffix("'s").removesuffix("’s")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "us", "is")):
            return _bare(word[: -len(ending)])
    return _bare(word)


def _bare(stem: str) -> str:
    """Without a doubled last letter ("winn") and without a silent one ("filme", "publishe", "carri")."""
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeiouls":
        stem = stem[:-1]
    if len(stem) > 3 and stem.endswith("e"):
        stem = stem[:-1]
    return stem[:-1] + "y" if len(stem) > 2 and stem.endswith("i") else stem
