"""Studies: begun, found again, refused; and storages that don't answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import optuna
import pytest
from tuning.searching import WIDTHS, Bench, FakeTrials

from mnist_bench.errors import StudyError
from mnist_bench.tuning import storage
from mnist_bench.tuning.sampling import make_pruner
from mnist_bench.tuning.storage import open_study, storage_answering
from mnist_bench.tuning.study import IDENTITY, RESULT, tried


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"epochs": 5}, "study bench was begun with epochs = 4, not 5: name another by --study"),
        ({"text": WIDTHS.replace("64", "65")}, "begun with space.options.widths.width.high = 64, not 65"),
        ({"objectives": ("accuracy", "seconds")}, "begun with objectives = accuracy, not accuracy, seconds"),
    ],
    ids=["epochs", "space", "objectives"],
)
def test_a_study_of_something_else_is_refused(tmp_path, dataset, bench, changes, fault):
    """Its trials could not be compared: one line says what differs, and what to do."""
    bench.search(1)
    with pytest.raises(StudyError, match=fault):
        Bench(tmp_path, dataset, url=bench.storage, **changes).study()


def test_a_study_that_is_not_ours_is_refused(bench):
    """Somebody's own study of that name is not written into."""
    optuna.create_study(storage=bench.storage, study_name="bench").ask()
    with pytest.raises(StudyError, match="study bench was not made by mnist-bench"):
        bench.study()


def test_an_empty_study_that_is_not_ours_is_refused(bench):
    """Optuna's own default is to minimise, which accuracy is not to be."""
    optuna.create_study(storage=bench.storage, study_name="bench")
    with pytest.raises(StudyError, match="study bench was not made by mnist-bench"):
        bench.study()


def test_searches_that_begin_one_study_at_once_share_it(tmp_path, dataset):
    """In a database without tables three make them, the study and its identity at the same moment: it has one."""
    benches = [Bench(tmp_path, dataset, url=f"sqlite:///{tmp_path}/optuna.db") for _ in range(3)]
    ready = threading.Barrier(len(benches))

    def begin(bench):
        ready.wait()
        return bench.study().user_attrs[IDENTITY]

    with ThreadPoolExecutor(len(benches)) as threads:
        assert len(set(threads.map(begin, benches))) == 1


def test_a_study_whose_maker_was_killed_at_once_is_taken_over(bench, monkeypatch):
    """It stands there with nothing noted; after a while the next search notes what it is for."""
    monkeypatch.setattr(storage, "_NOTING_SECONDS", 0.2)
    optuna.create_study(storage=bench.storage, study_name="bench", direction="maximize")
    bench.search(2)
    assert len(tried(bench.study())) == 2


@pytest.mark.parametrize(
    "url", ["nonsense", "postgresql://me:secret@127.0.0.1:9/x", "sqlite:////nowhere/at/all.db", "redis://x"]
)
def test_a_storage_that_is_not_there_gets_one_line(bench, url):
    """Without its password, and with the mend."""
    with pytest.raises(StudyError, match=r"study storage .*: name another by --storage") as caught:
        open_study(url, bench.subject, make_pruner("none", 4))
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_storage_that_breaks_in_the_middle_gets_one_line(tmp_path, dataset):
    """It says what the database says, and that the same command goes on."""
    bench = Bench(tmp_path, dataset, url=f"sqlite:///{tmp_path}/optuna.db")

    def breaks(_):
        (tmp_path / "optuna.db").write_bytes(b"no database" * 1000)

    with (
        pytest.raises(StudyError, match=r"study storage: .*file is not a database: once it answers"),
        storage_answering(),
    ):
        bench.search(5, trials=FakeTrials(fails=breaks))


def test_a_result_is_kept_whole(tmp_path, dataset):
    """What a study's database keeps of a trial is what the worker said of it, and the study is found again there."""
    bench = Bench(tmp_path, dataset, url=f"sqlite:///{tmp_path}/optuna.db")
    bench.search(1)
    study = bench.study()
    assert tried(study)[0].result == bench.ended[0][1]
    assert RESULT in study.trials[0].user_attrs


def test_a_study_of_another_version_is_told(bench):
    """What it kept of its trials can't be read any more: one line, with the mend."""
    study = bench.search(1)
    frozen = study.get_trials(deepcopy=False)[0]
    frozen.user_attrs[RESULT] = frozen.user_attrs[RESULT] | {"unheard_of": 1}
    with pytest.raises(StudyError, match="study bench, trial 0: recorded by another version of mnist-bench"):
        tried(study)
