"""Step 2, train: windows -> a reader. Resumes from its last checkpoint; Ctrl-C or a kill loses at most a few minutes.

python -m training.train STAGE --work DIR --reader DIR
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm import tqdm
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, PreTrainedTokenizerBase

from training.prepare import arguments
from training.recipe import Stage, load_stage
from training.teacher import Teacher, soft_loss

SAVE_EVERY_S = 240.0


class CheckpointError(RuntimeError):
    """A checkpoint cannot be used: damaged, or of another model or recipe."""


def batches(lengths: NDArray[np.int64], tokens_per_batch: int, seed: int) -> list[NDArray[np.int64]]:
    """Window numbers grouped into batches of about equal token count, similar lengths together, in random order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    groups: list[NDArray[np.int64]] = []
    for pool in np.array_split(order, max(1, len(order) // 4000)):
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        begin = 0
        while begin < len(pool):
            end = begin + 1
            while end < len(pool) and lengths[pool[end]] * (end + 1 - begin) <= tokens_per_batch:
                end += 1
            groups.append(pool[begin:end])
            begin = end
    return [groups[number] for number in rng.permutation(len(groups))]


def span_loss(
    start_logits: torch.Tensor, end_logits: torch.Tensor, starts: torch.Tensor, ends: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy of start and end; position 0 ([CLS]) stands for "no answer" (Devlin et al. 2019)."""
    return (functional.cross_entropy(start_logits, starts) + functional.cross_entropy(end_logits, ends)) / 2


def fast_bfloat16(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 have instructions of their own; without them they are slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def train(stage: Stage, work: Path, reader: str) -> Path:
    """Train one stage and write the averaged weights to `<work>/<stage>/model` as a Hugging Face folder.

    Raises:
        CheckpointError: the checkpoint in the way is damaged or belongs to another model or recipe, or the model to
            start from lacks weights that its configuration speaks of.
    """
    folder = work / stage.name
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(stage.seed)
    with np.load(folder / "features.npz") as features:
        tokens, table = features["tokens"], features["table"]
    start = stage.start.format(reader=reader, work=work)
    tokenizer = AutoTokenizer.from_pretrained(start)
    model = start_model(start)
    if stage.layers is not None:
        model.config.num_hidden_layers = stage.layers
        del model.base_model.encoder.layer[stage.layers :]
    if stage.frozen is not None:
        for part in (model.base_model.embeddings, *model.base_model.encoder.layer[: stage.frozen]):
            part.requires_grad_(False)
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.0
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.to(device).train()
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    average = {name: parameter.detach().clone() for name, parameter in trained.items()}
    groups = _groups(trained, stage)
    optimizer = torch.optim.AdamW(groups, lr=stage.learning_rate, betas=(0.9, 0.98), eps=1e-6)
    plan = batches(table[:, 1], stage.tokens_per_batch, stage.seed)
    total = len(plan) if stage.batches is None else min(stage.batches, len(plan))
    warm = max(1, round(stage.warmup * total))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: max(0.0, min((step + 1) / warm, (total - step) / max(1, total - warm)))
    )

    teacher = None
    if stage.teacher is not None:
        teacher = Teacher(stage.teacher.format(reader=reader, work=work), tokenizer, device)
    checkpoint = folder / "checkpoint.pt"
    done = _resume(checkpoint, model, average, optimizer, schedule, len(plan)) if checkpoint.exists() else 0
    rng = np.random.default_rng(stage.seed + done)
    saved, running = time.monotonic(), 0.0
    last = total if stage.stop_after is None else min(stage.stop_after, total)
    half = stage.bfloat16 and fast_bfloat16(device)
    with tqdm(total=last, initial=done, desc=stage.name, unit="batch") as bar:
        for step in range(done, last):
            batch = _batch(tokens, table[plan[step]], stage, tokenizer, rng, model.config.model_type == "bert")
            batch = {name: value.to(device) for name, value in batch.items()}
            starts, ends, questions = batch.pop("starts"), batch.pop("ends"), batch.pop("questions")
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                output = model(**batch)
                if teacher is not None:
                    wanted = teacher.read(batch["input_ids"], batch["attention_mask"], questions)
            mask = batch["attention_mask"] == 0
            start_logits, end_logits = output.start_logits.float(), output.end_logits.float()
            loss = span_loss(start_logits.masked_fill(mask, -1e4), end_logits.masked_fill(mask, -1e4), starts, ends)
            if teacher is not None:
                soft = (soft_loss(start_logits, wanted[0], mask) + soft_loss(end_logits, wanted[1], mask)) / 2
                loss = stage.soft * soft + (1 - stage.soft) * loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            decay = min(stage.average_decay, (1 + step) / (10 + step))
            with torch.no_grad():
                torch._foreach_lerp_(list(average.values()), [p.detach() for p in trained.values()], 1 - decay)
            running = loss.item() if step == done else 0.98 * running + 0.02 * loss.item()
            bar.update()
            bar.set_postfix(loss=f"{running:.3f}", refresh=False)
            if time.monotonic() - saved > SAVE_EVERY_S:
                _save(checkpoint, model, average, optimizer, schedule, step + 1, len(plan))
                saved = time.monotonic()
    model.load_state_dict({**model.state_dict(), **average})
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    print(f"{folder / 'model'}: trained on {last} batches, last loss {running:.3f}")
    return folder / "model"


def start_model(folder: str) -> Any:
    """The model to start from; a span head may be new, nothing else."""
    model, told = AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    missing = sorted(name for name in told["missing_keys"] if not name.startswith("qa_outputs."))
    if missing:
        raise CheckpointError(
            f"{folder} lacks {len(missing)} weights that its config.json speaks of: {missing[0]}, ..."
        )
    return model


def _groups(trained: dict[str, torch.nn.Parameter], stage: Stage) -> list[dict[str, Any]]:
    """Parameter groups for the optimiser: matrices decay, vectors do not, the span head has a rate of its own."""
    head = {name: p for name, p in trained.items() if name.startswith("qa_outputs") and stage.head_rate is not None}
    body = {name: p for name, p in trained.items() if name not in head}
    groups: list[dict[str, Any]] = [
        {"params": [p for p in body.values() if p.ndim >= 2], "weight_decay": stage.weight_decay},
        {"params": [p for p in body.values() if p.ndim < 2], "weight_decay": 0.0},
    ]
    if head:
        groups.append({"params": list(head.values()), "weight_decay": 0.0, "lr": stage.head_rate})
    return groups


def _batch(
    tokens: NDArray[np.int32],
    rows: NDArray[np.int64],
    stage: Stage,
    tokenizer: PreTrainedTokenizerBase,
    rng: np.random.Generator,
    segments: bool,
) -> dict[str, torch.Tensor]:
    longest = int(rows[:, 1].max())
    ids = np.full((len(rows), longest), tokenizer.pad_token_id, np.int64)
    attention = np.zeros_like(ids)
    second = np.zeros_like(ids)
    for number, (offset, length, question, start, end) in enumerate(rows):
        ids[number, :length] = tokens[offset : offset + length]
        attention[number, :length] = 1
        second[number, question:length] = 1
        if stage.word_dropout:
            hide = rng.random(length) < stage.word_dropout
            hide[:question] = False
            hide[length - 1] = False
            if start:
                hide[start : end + 1] = False
            ids[number, :length][hide] = tokenizer.mask_token_id
    batch = {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(attention),
        "starts": torch.from_numpy(rows[:, 3].copy()),
        "ends": torch.from_numpy(rows[:, 4].copy()),
        "questions": torch.from_numpy(rows[:, 2].copy()),
    }
    if segments:
        batch["token_type_ids"] = torch.from_numpy(second)
    return batch


def _save(
    path: Path,
    model: torch.nn.Module,
    average: dict[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    step: int,
    steps: int,
) -> None:
    """Write beside, then rename: a full disk or a kill leaves the last good checkpoint in place."""
    partial = path.with_suffix(".part")
    state = {
        "model": model.state_dict(),
        "average": average,
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "step": step,
        "steps": steps,
    }
    torch.save(state, partial)
    partial.replace(path)


def _resume(
    path: Path,
    model: torch.nn.Module,
    average: dict[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    steps: int,
) -> int:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["steps"] != steps:
            raise CheckpointError(
                f"{path} was made with {state['steps']} batches, this recipe has {steps}; move it away to start anew"
            )
        model.load_state_dict(state["model"])
        for name, value in state["average"].items():
            average[name].copy_(value)
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
    except (RuntimeError, KeyError, ValueError, EOFError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(
            f"{path} is damaged or of another model ({str(error)[:200]}); move it away to start anew"
        ) from error
    return int(state["step"])


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    train(load_stage(options.stage), options.work, options.reader)


if __name__ == "__main__":
    main()
