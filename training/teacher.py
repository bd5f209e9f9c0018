"""A larger reader as teacher: its distributions over start and end, on the windows that a smaller reader learns from.

Hinton et al. 2015, "Distilling the Knowledge in a Neural Network". Both readers share WordPiece but for the special
tokens, and MPNet puts two separators between question and passage where BERT puts one.
"""

from __future__ import annotations

import torch
from torch.nn import functional
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, PreTrainedTokenizerBase

__all__ = ["Teacher", "TeacherError", "soft_loss"]

_SPECIAL = ("cls_token", "sep_token", "pad_token", "mask_token", "unk_token")


class TeacherError(ValueError):
    """The teacher does not cut texts into the tokens that the pupil does."""


class Teacher:
    """Reads the pupil's batches.

    Args:
        folder: a Hugging Face folder of an MPNet with a span head.
        pupil: the tokenizer that the batches were made with, a BERT's.

    Raises:
        TeacherError: their vocabularies differ in more than the special tokens.
    """

    def __init__(self, folder: str, pupil: PreTrainedTokenizerBase, device: torch.device) -> None:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        known = tokenizer.get_vocab()
        ids = torch.full((len(pupil),), -1, dtype=torch.long)
        for token, number in pupil.get_vocab().items():
            ids[number] = known.get(token, -1)
        for name in _SPECIAL:
            theirs = getattr(tokenizer, f"{name}_id")
            ids[getattr(pupil, f"{name}_id")] = -1 if theirs is None else theirs
        lacking = int((ids < 0).sum())
        if lacking:
            raise TeacherError(f"{folder} knows {lacking} of {len(pupil)} tokens by no name; its vocabulary is another")
        self._ids = ids.to(device)
        self._separator = int(tokenizer.sep_token_id)
        self._padding = int(tokenizer.pad_token_id)
        self._model = AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32).to(device).eval()

    @torch.no_grad()
    def read(
        self, ids: torch.Tensor, attention: torch.Tensor, questions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Start and end logits (rows, tokens), float, at the pupil's places.

        Args:
            ids, attention: the pupil's batch, (rows, tokens).
            questions: (rows,), tokens before the passage: [CLS], question and separator.
        """
        rows, length = ids.shape
        places = torch.arange(length, device=ids.device).expand(rows, length)
        mine = places + (places >= questions[:, None])  # where the teacher has the same token
        longer = torch.full((rows, length + 1), self._padding, device=ids.device)
        longer.scatter_(1, mine, self._ids[ids])
        longer.scatter_(1, questions[:, None], self._separator)
        seen = functional.pad(attention, (1, 0), value=1)
        output = self._model(input_ids=longer, attention_mask=seen)
        return output.start_logits.float().gather(1, mine), output.end_logits.float().gather(1, mine)


def soft_loss(logits: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the pupil's distribution over tokens to the teacher's; `mask` is true at padding."""
    target = teacher.masked_fill(mask, -1e4).softmax(-1)
    return -(target * logits.masked_fill(mask, -1e4).log_softmax(-1)).sum(-1).mean()
