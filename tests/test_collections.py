"""Named collections and the Index object."""

from pathlib import Path

import pytest

from index import Document, Index, StoreError
from index.collections import collection_folder, collection_names
from index.exporting import export_lines, import_file
from qa import Config, answer


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "qa"


def test_names_and_paths(data: Path) -> None:
    assert collection_folder("work-2_b") == data / "collections" / "work-2_b"
    assert collection_folder("./x") == Path("x")
    assert collection_folder("a/b") == Path("a/b")
    assert collection_folder(Path("x")) == Path("x")
    assert collection_folder("~/x") == Path.home() / "x"


@pytest.mark.parametrize("name", ["", "default", "a b", "a.b", "-x", "x" * 65, "ä", "a\n", "a\x00"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(StoreError, match="cannot name a collection"):
        collection_folder(name)


def test_an_index_from_python(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "ferry.txt").write_text("The ferry is called Aurora. It sails at nine.")
    (tmp_path / "notes" / "bad.txt").write_bytes(b"\x00")
    with pytest.raises(StoreError, match="no index"):
        Index.open("notes")
    with Index.open("notes", create=True) as index:
        done = index.add(tmp_path / "notes", Document("memo", "Memo", "The captain is Ines Vogt."))
        assert done.written == ("memo", "ferry.txt")
        assert len(done.failed) == 1
        assert len(index) == 2
        assert [(entry.name, entry.passages) for entry in index.documents()] == [("ferry.txt", 1), ("memo", 1)]
        hit = index.search("Who is the captain?", k=1)[0]
        assert (hit.document.name, hit.passage.text) == ("memo", "The captain is Ines Vogt.")
        # an answer sees each change at once
        asked = answer("Who is the captain?", index=index, config=Config(threshold=0.0))
        assert (asked.text, asked.evidence and asked.evidence.document.name) == ("Ines Vogt", "memo")
        assert index.add(Document("memo", "Memo", "The captain is Ines Vogt.")).unchanged == ("memo",)
        assert index.add(Document("memo", "Memo", "The captain is Olga Brandt.")).written == ("memo",)
        for place in (index, "notes", index.path):
            assert answer("Who is the captain?", index=place, config=Config(threshold=0.0)).text == "Olga Brandt"
        (tmp_path / "notes" / "ferry.txt").unlink()
        assert index.sync(tmp_path / "notes").removed == ("ferry.txt",)
        assert index.remove("mem*", "nothing") == ("memo",)
        assert index.remove("memo") == ()
    assert collection_names() == ["notes"]


def test_asking_a_collection_that_is_not_there_builds_nothing(data: Path) -> None:
    with pytest.raises(StoreError, match=r"no index at .*nowhere; `qa add"):
        answer("who?", index="nowhere")
    assert collection_names() == []


def test_what_is_exported_comes_back(tmp_path: Path) -> None:
    with Index.open(tmp_path / "one", create=True) as one, Index.open(tmp_path / "two", create=True) as two:
        one.add(
            Document("a\nb", "Title", "The ferry is called Aurora.\n\nIt sails at nine."), Document("c", "", "Red.")
        )
        one.store.set_setting("threshold", "0.4")
        lines = list(export_lines(one.store))
        assert len(lines) == 3
        file = tmp_path / "export.jsonl"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        two.add(Document("c", "", "Blue."), Document("d", "", "Green."))
        assert import_file(two.store, file, two._bulk) == ("a\nb", "c")
        assert two.store.setting("threshold") == "0.4"
        assert [entry.name for entry in two.documents()] == ["a\nb", "c", "d"]
        assert import_file(two.store, file, two._bulk) == ()
        two.remove("d")
        assert list(export_lines(two.store)) == lines


@pytest.mark.parametrize("content", ["", "{}", "nonsense", '{"format": "another"}', "[1]"])
def test_what_is_no_export_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.jsonl").write_text(content)
    with (
        Index.open(tmp_path / "one", create=True) as one,
        pytest.raises(Exception, match=r"x\.jsonl is not an export of this program"),
    ):
        import_file(one.store, tmp_path / "x.jsonl", one._bulk)
