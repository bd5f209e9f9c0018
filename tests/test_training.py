import gzip
import json
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForQuestionAnswering,
    MPNetConfig,
    MPNetForQuestionAnswering,
    PreTrainedTokenizerFast,
)

from index.encoder import weights_folder
from training import adopt, adopt_pairs, augment
from training.average import average
from training.check_articles import BANNED, article_problems
from training.export import export
from training.prepare import prepare, windows
from training.recipe import RecipeError, Source, Stage, load_stage
from training.restore import RestoreError, restore
from training.rows import DataError, Row, read_rows
from training.teacher import Teacher, TeacherError, soft_loss
from training.train import CheckpointError, batches, span_loss, start_model, train

DATA = Path(__file__).parent.parent / "training" / "data"
CONTEXT = "The ferry Aurora sails at nine. Her captain is Ines Vogt, who was born in Lübeck."


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(weights_folder())


def data_file(folder: Path, *records: object) -> Path:
    path = folder / "some.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(record) for record in records).encode()))
    return path


def record(question: str, answer: str | None, **more: object) -> dict[str, object]:
    answers = [] if answer is None else [{"text": answer, "start": CONTEXT.index(answer)}]
    return {"id": "x#1", "context": CONTEXT, "question": question, "answers": answers, **more}


@pytest.mark.parametrize(
    ("name", "least", "most", "count"),
    [
        ("news_train", 0.2, 0.4, 8000),
        ("news_val", 0.2, 0.4, 3300),
        ("more_train", 0.2, 0.4, 1800),
        ("roles_train", 0.2, 0.4, 2200),
        ("hard_train", 0.4, 0.5, 1600),
    ],
)
def test_our_data_is_whole_and_clean(name: str, least: float, most: float, count: int) -> None:
    rows = read_rows(DATA / f"{name}.jsonl.gz")
    assert len(rows) > count
    assert least < sum(row.start is None for row in rows) / len(rows) < most
    assert not any(BANNED.search(row.context) or BANNED.search(row.question) for row in rows)


def test_no_article_stands_on_both_sides() -> None:
    files = [["news_train", "more_train", "roles_train", "hard_train"], ["news_val"]]
    sides = [{row.context for name in side for row in read_rows(DATA / f"{name}.jsonl.gz")} for side in files]
    assert not sides[0] & sides[1]
    runs = [set().union(*map(adopt.shingles, side)) for side in sides]
    assert len(runs[0] & runs[1]) < 0.01 * len(runs[1])


def test_the_span_most_annotators_chose_is_taken(tmp_path: Path) -> None:
    chosen = [{"text": "Ines Vogt", "start": CONTEXT.index("Ines")}] * 2 + [
        {"text": "Vogt", "start": CONTEXT.index("Vogt")}
    ]
    (row,) = read_rows(data_file(tmp_path, {**record("who?", None), "answers": chosen}))
    assert row.start is not None
    assert CONTEXT[row.start : row.end] == "Ines Vogt"


def test_bad_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no data file at .*--data"):
        read_rows(tmp_path / "none.jsonl.gz")
    wrong = record("who?", None, answers=[{"text": "Ines", "start": 3}])
    with pytest.raises(DataError, match=r"some\.jsonl\.gz:2: answer 'Ines' is not at character 3"):
        read_rows(data_file(tmp_path, record("who?", None), wrong))
    path = data_file(tmp_path, record("who?", None))
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(DataError, match="is damaged"):
        read_rows(path)


def test_follow_ups_are_rows_too(tmp_path: Path) -> None:
    def turn(resolved: str, answer: str | None) -> dict[str, object]:
        return {
            "history": [{"q": "Who is the captain?", "a": "Ines Vogt"}],
            "q": "?",
            "resolved": resolved,
            "a": answer,
        }

    turns = [turn("Where was Ines Vogt born?", "in Lübeck"), turn("How old is she?", None), turn("What sails?", "e")]
    article = {"title": "t", "text": CONTEXT, "qas": [{"question": "who?", "answers": []}], "dialogues": turns}
    path = data_file(tmp_path, article)
    assert [row.question for row in read_rows(path)] == ["who?"]
    rows = read_rows(path, dialogues=True)  # without the last one, whose answer stands there more than once
    spans = [None if row.start is None else row.context[row.start : row.end] for row in rows]
    assert spans == [None, "in Lübeck", None]


def test_recipes() -> None:
    assert load_stage("final").sources
    with pytest.raises(RecipeError, match=r"no stage 'nothing'.*final"):
        load_stage("nothing")


def test_an_unknown_key_in_a_recipe_is_named(tmp_path: Path) -> None:
    path = tmp_path / "recipes.toml"
    path.write_text('[stage.a]\nstart = "x"\nlearning_rat = 1\nsources = [{ file = "f" }]\n')
    with pytest.raises(RecipeError, match="learning_rat"):
        load_stage("a", path)


@pytest.mark.parametrize("answer", ["nine", "Ines Vogt", "in Lübeck", "The ferry"])
def test_labels_decode_to_the_answer(tokenizer: PreTrainedTokenizerFast, answer: str) -> None:
    start = CONTEXT.index(answer)
    stage = Stage("t", "", (), max_tokens=24, stride=8)
    row = Row("1", "g", CONTEXT, "what?", start, start + len(answer))
    found = list(windows(row, tokenizer, stage, random.Random(0)))
    labelled = [(ids, first, last) for ids, _, first, last in found if first]
    assert labelled
    for ids, first, last in labelled:
        assert tokenizer.decode(ids[first : last + 1]) == answer.lower().replace("ü", "u")
    assert all(len(ids) <= 24 for ids, *_ in found)


def test_a_row_beside_another_text_keeps_its_span() -> None:
    row = Row("1", "g", CONTEXT, "who?", CONTEXT.index("Ines"), CONTEXT.index("Ines") + 4)
    for seed in range(6):
        joined = augment.together(row, "Another text.", random.Random(seed))
        assert joined.start is not None
        assert joined.context[joined.start : joined.end] == "Ines"
        assert "Another text." in joined.context
    assert augment.elsewhere(row, "Another text.").start is None


def test_neighbours_never_hold_the_answer() -> None:
    rows = [Row(str(n), "g", f"Text {n} about ferries and Ines.", "who?", None, None) for n in range(5)]
    asked = Row("a", "g", CONTEXT, "who is Ines?", CONTEXT.index("Ines"), CONTEXT.index("Ines") + 4)
    assert augment.Neighbours([*rows, asked], random.Random(1)).pick(asked, similar_to=asked.question) is None


def test_a_count_gets_another_number_and_keeps_its_span() -> None:
    context = "Since 1987 the ferry has carried 1,250 cars a day, over 30.5 sea miles. It cost 40 and 40 again."
    start = context.index("1,250")
    row = Row("1", "g", context, "How many cars does it carry?", start, start + len("1,250 cars"))
    made = [augment.other_number(row, random.Random(seed)) for seed in range(40)]
    spans = [one.context[one.start : one.end] for one in made]
    assert all(re.fullmatch(r"[\d,]+ cars", span) for span in spans)
    assert sum(1700 <= int(span.split()[0].replace(",", "")) < 2050 for span in spans) > 10
    assert all(one.context.startswith("Since 1987") and one.context.endswith("40 again.") for one in made)


@pytest.mark.parametrize("answer", ["1987", "30.5", "40"])
def test_a_number_that_is_no_count_or_stands_twice_is_left(answer: str) -> None:
    context = "Since 1987 the ferry goes 30.5 sea miles. It cost 40 and 40 again."
    start = context.index(answer)
    question = "Since when does it go?" if answer == "1987" else "How much is it?"
    row = Row("1", "g", context, question, start, start + len(answer))
    assert all(augment.other_number(row, random.Random(seed)) == row for seed in range(20))


def test_clumsy_questions_stay_readable() -> None:
    rng = random.Random(3)
    made = {augment.clumsy("Who is the captain of the ferry?", rng) for _ in range(50)}
    assert len(made) > 10
    assert all(abs(len(question) - 32) <= 2 for question in made)


def test_batches_hold_every_window_once_and_fit() -> None:
    lengths = np.random.default_rng(0).integers(10, 400, 999)
    plan = batches(lengths, 2000, seed=1)
    assert sorted(np.concatenate(plan).tolist()) == list(range(999))
    assert all(len(batch) == 1 or lengths[batch].max() * len(batch) <= 2000 for batch in plan)


def test_loss_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0]])
    assert span_loss(logits, logits, torch.tensor([0]), torch.tensor([1])).item() == pytest.approx(np.log(2))


@pytest.fixture
def tiny(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> tuple[Stage, Path, Path]:
    """A two-layer model and a stage of a few batches."""
    config = BertConfig(
        vocab_size=30522, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    torch.manual_seed(0)
    BertForQuestionAnswering(config).save_pretrained(tmp_path / "start")
    tokenizer.save_pretrained(tmp_path / "start")
    data_file(tmp_path, *[record("Who is the captain?", "Ines Vogt"), record("What colour is it?", None)] * 20)
    sources = (Source("some.jsonl.gz", together=0.5, elsewhere=0.5),)
    stage = Stage("tiny", "{reader}", sources, max_tokens=64, stride=16, tokens_per_batch=128)
    prepare(stage, tmp_path / "work", [tmp_path], str(tmp_path / "start"))
    return stage, tmp_path / "work", tmp_path / "start"


def test_training_goes_on_from_a_checkpoint(tiny: tuple[Stage, Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    stage, work, start = tiny
    monkeypatch.setattr("training.train.SAVE_EVERY_S", 0.0)
    lived = {"steps": 0}
    real = torch.optim.AdamW.step

    def die_half_way(self: torch.optim.AdamW, *args: object) -> object:
        lived["steps"] += 1
        if lived["steps"] == 5:
            raise KeyboardInterrupt
        return real(self)

    monkeypatch.setattr(torch.optim.AdamW, "step", die_half_way)
    with pytest.raises(KeyboardInterrupt):
        train(stage, work, str(start))
    state = torch.load(work / "tiny" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 4
    lived["steps"] = 100
    model = train(stage, work, str(start))
    assert lived["steps"] - 100 == state["steps"] - 4
    trained = BertForQuestionAnswering.from_pretrained(model)
    assert not torch.equal(trained.qa_outputs.weight, BertForQuestionAnswering.from_pretrained(start).qa_outputs.weight)


def test_a_checkpoint_that_does_not_fit_is_kept_and_named(tiny: tuple[Stage, Path, Path]) -> None:
    stage, work, start = tiny
    path = work / "tiny" / "checkpoint.pt"
    path.write_bytes(b"half a checkpoint")
    with pytest.raises(CheckpointError, match=r"damaged or of another model.*move it away"):
        train(stage, work, str(start))
    assert path.read_bytes() == b"half a checkpoint"


def test_articles_are_checked_against_the_brief() -> None:
    good = {"question": "q"}
    assert list(article_problems(good)) == ["title and text must be strings"]
    article = {"title": "t", "text": "word " * 150, "qas": [], "dialogues": []}
    assert any("0 questions" in problem for problem in article_problems(article))
    bad = {"q": "who?", "a": "nobody", "kind": "who", "style": "plain"}
    assert any("not an exact substring" in problem for problem in article_problems({**article, "qas": [bad]}))


def test_adopting_finds_the_right_occurrence() -> None:
    text = "Ada met Ada Smith."
    qa = {"q": "whom?", "a": "Ada", "near": "met Ada", "kind": "who", "style": "plain"}
    (question,) = adopt.located({"title": "t", "text": text, "qas": [qa]})["qas"]
    assert question["answers"] == [{"text": "Ada", "start": 8}]
    assert sum(adopt.held_out(f"title {number}") for number in range(2000)) == pytest.approx(400, abs=60)


def test_pairs_are_placed_and_doubtful_ones_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    article = {"title": "t", "text": "Ada met Ada Smith at noon.", "qas": [{"question": "When?", "answers": []}]}
    written = {
        "title": "t",
        "qas": [
            {"q": "whom did she meet?", "a": "Ada", "near": "met Ada"},
            {"q": "whom did he meet?", "a": None},
            {"q": "who met?", "a": "Ada"},
            {"q": "when?", "a": "noon"},
        ],
    }
    (found,) = adopt_pairs.pairs([article], [written, {"title": "unknown", "qas": []}])
    assert [(qa["question"], qa["answers"]) for qa in found["qas"]] == [
        ("whom did she meet?", [{"text": "Ada", "start": 8}]),
        ("whom did he meet?", []),
    ]
    printed = capsys.readouterr().out
    assert "no unambiguous span: who met?" in printed
    assert "asked already: when?" in printed
    assert "no such article: unknown" in printed


def test_an_exported_reader_can_be_trained_on(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    config = BertConfig(
        vocab_size=30522, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128
    )
    torch.manual_seed(0)
    model = BertForQuestionAnswering(config).eval()
    for parameter in model.parameters():  # a fresh model's biases are all zero, and the export would keep one of them
        torch.nn.init.normal_(parameter, std=0.05)
    model.save_pretrained(tmp_path / "start")
    tokenizer.save_pretrained(tmp_path / "start")
    export(tmp_path / "start", tmp_path / "reader", "tiny")
    restore(tmp_path / "reader", tmp_path / "start", tmp_path / "again")
    again = BertForQuestionAnswering.from_pretrained(tmp_path / "again").state_dict()
    for name, weight in model.state_dict().items():
        furthest = (again[name] - weight).abs().max().item()
        assert furthest <= weight.abs().max().item() / 60, name  # seven bits and a sign, or eight of a whole table
    with pytest.raises(RestoreError, match=r"has no config\.json"):
        restore(tmp_path / "reader", tmp_path / "reader" / "..", tmp_path / "never")
    deep = BertConfig(**{**config.to_dict(), "num_hidden_layers": 3})  # as an encoder of which some layers were kept
    BertForQuestionAnswering(deep).save_pretrained(tmp_path / "deep")
    tokenizer.save_pretrained(tmp_path / "deep")
    restore(tmp_path / "reader", tmp_path / "deep", tmp_path / "shallow")
    assert BertConfig.from_pretrained(tmp_path / "shallow").num_hidden_layers == 2
    shutil.copyfile(tmp_path / "deep" / "config.json", tmp_path / "shallow" / "config.json")
    with pytest.raises(CheckpointError, match="lacks 16 weights"):
        start_model(str(tmp_path / "shallow"))
    wide = BertConfig(**{**config.to_dict(), "intermediate_size": 192})
    BertForQuestionAnswering(wide).save_pretrained(tmp_path / "o")
    tokenizer.save_pretrained(tmp_path / "o")
    with pytest.raises(RestoreError, match="does not match"):
        restore(tmp_path / "reader", tmp_path / "o", tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_a_teacher_reads_its_own_tokens_at_the_pupils_places(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    teachers = PreTrainedTokenizerFast(
        tokenizer_file=str(DATA.parent.parent / "qa" / "large" / "tokenizer.json"),
        cls_token="<s>", sep_token="</s>", pad_token="<pad>", mask_token="<mask>", unk_token="[UNK]",
    )  # fmt: skip
    torch.manual_seed(0)
    model = MPNetForQuestionAnswering(
        MPNetConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    ).eval()
    model.save_pretrained(tmp_path / "teacher")
    teachers.save_pretrained(tmp_path / "teacher")
    questions = ["Who is her captain?", "When does the Aurora sail?"]
    contexts = [CONTEXT, CONTEXT[:40]]
    batch = tokenizer(questions, contexts, padding=True, return_tensors="pt")
    before = torch.tensor([batch.sequence_ids(row).index(1) for row in range(2)])
    found = Teacher(str(tmp_path / "teacher"), tokenizer, torch.device("cpu")).read(
        batch["input_ids"], batch["attention_mask"], before
    )
    for row in range(2):
        own = teachers(questions[row], contexts[row], return_tensors="pt")
        first = own.sequence_ids(0).index(1)
        length = int(batch["attention_mask"][row].sum())
        assert own["input_ids"].shape[1] == length + 1
        for logits, name in zip(found, ("start_logits", "end_logits"), strict=True):
            wanted = model(input_ids=own["input_ids"], attention_mask=own["attention_mask"])[name][0]
            wanted = torch.cat([wanted[: first - 1], wanted[first:]])
            torch.testing.assert_close(logits[row, :length], wanted, atol=1e-5, rtol=1e-4)
    with pytest.raises(TeacherError, match="its vocabulary is another"):
        small = BertConfig(vocab_size=30522, hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
        BertForQuestionAnswering(small).save_pretrained(tmp_path / "other")
        few = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")))
        few.save_pretrained(tmp_path / "other")
        Teacher(str(tmp_path / "other"), tokenizer, torch.device("cpu"))


def test_the_soft_loss_is_least_where_pupil_and_teacher_agree() -> None:
    teacher = torch.tensor([[2.0, 0.5, -1.0, 9.0]])
    mask = torch.tensor([[False, False, False, True]])  # padding, whatever stands there, is no part of it
    logits = teacher.clone().requires_grad_()
    soft_loss(logits, teacher, mask).backward()
    assert logits.grad is not None and logits.grad.abs().max() < 1e-6
    assert soft_loss(teacher.roll(1, 1), teacher, mask) > soft_loss(teacher, teacher, mask)


def test_half_way_between_two_readers(tmp_path: Path) -> None:
    size = {
        "vocab_size": 50,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    }
    folders = [tmp_path / name for name in "ab"]
    for seed, folder in enumerate(folders):
        torch.manual_seed(seed)
        BertForQuestionAnswering(BertConfig(**size)).save_pretrained(folder)
    a, b, made = (
        start_model(str(folder)).state_dict() for folder in (*folders, average(*folders, tmp_path / "c", share=0.25))
    )
    name = "qa_outputs.weight"
    torch.testing.assert_close(made[name], 0.75 * a[name] + 0.25 * b[name])
    BertForQuestionAnswering(BertConfig(**size | {"intermediate_size": 16})).save_pretrained(folders[1])
    with pytest.raises(CheckpointError, match="different architectures"):
        average(*folders, tmp_path / "d")
    with pytest.raises(CheckpointError, match=r"holds no model\.safetensors"):
        average(folders[0], tmp_path / "nothing", tmp_path / "d")
    assert not (tmp_path / "d").exists()
