import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from index.errors import ModelError
from qa.confidence import (
    RANKING,
    Calibration,
    Features,
    balanced_threshold,
    choose_threshold,
    expected_calibration_error,
    fit,
    fit_ranking,
    load_calibration,
)


def test_probability_by_hand() -> None:
    calibration = Calibration(bias=-1.0, weights=(0.5, 0.0, 0.25, 2.0, -1.0, 0.0), threshold=0.5)
    # z = -1 + 0.5*4 + 0.25*2 + 2*0.25 - 1*0.5 = 1.5
    features = Features(margin=4, score=99, lead=2, similarity=0.25, cover=0.5, near=0.3)
    assert calibration.probability(features) == pytest.approx(1 / (1 + np.exp(-1.5)))
    extreme = dataclasses.replace(features, margin=1e9)
    assert 0.999 < calibration.probability(extreme) < 1.0


def test_fit_finds_the_model_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20_000, 4)) * [3, 5, 2, 0.2]
    truth = -0.5 + features @ [0.6, 0.1, 0.3, 2.0]
    right = rng.random(20_000) < 1 / (1 + np.exp(-truth))
    bias, weights = fit(features, right, penalty=1e-6)
    assert bias == pytest.approx(-0.5, abs=0.08)
    assert weights == pytest.approx((0.6, 0.1, 0.3, 2.0), abs=0.25)


def test_fit_refuses_one_sided_data() -> None:
    with pytest.raises(ValueError, match="both right and wrong"):
        fit(np.zeros((3, 4)), np.array([True, True, True]))


def test_threshold_keeps_wrong_answers_rare() -> None:
    probabilities = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    right = [True, True, False, True, True, False]
    assert choose_threshold(probabilities, right, most_wrong=0.2) == 0.5  # 1 wrong of 5
    assert choose_threshold(probabilities, right, most_wrong=0.0) == 0.8
    assert choose_threshold([0.9], [False], most_wrong=0.1) == 1.0


def test_balanced_threshold_by_hand() -> None:
    probabilities, right = [0.9, 0.7, 0.6, 0.3], [True, True, False, False]
    # at 0.7 both answerable ones are right and both unanswerable ones refused
    assert balanced_threshold(probabilities, right, [True, True, False, False]) == 0.7
    # both answerable ones right (1) and the unanswerable one answered (0): no better than answering nothing
    assert balanced_threshold([0.9, 0.8, 0.2], [False, True, True], [False, True, True]) == 1.0
    with pytest.raises(ValueError, match="needs both"):
        balanced_threshold([0.5], [True], [True])


def test_threshold_does_not_split_ties() -> None:
    assert choose_threshold([0.9, 0.5, 0.5], [True, True, False], most_wrong=0.1) == 0.9


def test_calibration_error_by_hand() -> None:
    # one bin: mean confidence 0.85, half right -> 0.35; the other 0.25, none right -> 0.25
    assert expected_calibration_error([0.8, 0.9, 0.2, 0.3], [True, False, False, False], bins=2) == pytest.approx(0.3)
    assert expected_calibration_error([], []) == 0.0


def test_a_missing_or_damaged_calibration_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"calibration\.json is missing"):
        load_calibration(tmp_path)
    (tmp_path / "calibration.json").write_text(json.dumps({"bias": 0, "weights": {"margin": 1}, "threshold": 0.5}))
    with pytest.raises(ModelError, match="damaged"):
        load_calibration(tmp_path)


def test_a_ranking_puts_the_right_ones_first() -> None:
    chance = np.random.default_rng(4)
    truth = np.array([0.5, 1.0, 0.0, 3.0, 2.0])
    candidates = []
    for _ in range(400):
        values = chance.normal(size=(5, len(RANKING)))
        candidates.append((values, int(np.argmax(values @ truth + chance.gumbel(size=5)))))
    weights = np.array(fit_ranking(candidates))
    assert weights == pytest.approx(truth, abs=0.6)
    calibration = Calibration(0.0, (0.0,) * 6, 0.5, tuple(weights))
    assert calibration.worth(Features(0, 0, 9, 0, 1, 1)) == pytest.approx(weights[3] + weights[4])


def test_a_ranking_needs_questions() -> None:
    with pytest.raises(ValueError, match="needs questions"):
        fit_ranking([])
