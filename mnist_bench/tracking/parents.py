"""Experiments, and the parent run that stands for a variant in them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mnist_bench.errors import StoreError
from mnist_bench.tracking import schema, translation
from mnist_bench.tracking.twins import make_the_one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow.entities import Run

    from mnist_bench.specs import RunSpec
    from mnist_bench.tracking.store import Store

__all__ = ["Agenda", "Parents", "experiment_id"]


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """What a suite is about to run on one dataset, the runs that are finished already included."""

    runs: Sequence[RunSpec]
    members: Mapping[str, str]  # all variants of the suite, those without a run now included: their keys, by name
    edition: str  # the same for all variants that can be compared
    baseline: str  # the baseline's variant
    question: str  # the suite's
    questions: Mapping[str, str]  # by variant
    seed_offsets: Mapping[str, int]  # by variant: seeds less these pair it with the others
    smallest_effect_pp: float  # percentage points of test accuracy
    looks: Sequence[int]  # the numbers of seeds at which one looks at the results

    def by_variant(self) -> dict[str, list[RunSpec]]:
        """The runs of each variant that has any."""
        variants: dict[str, list[RunSpec]] = {}
        for spec in self.runs:
            variants.setdefault(spec.variant, []).append(spec)
        return variants


class Parents:
    """Finds and makes experiments and parents, and ends the parents that it opened."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client = store.client
        self._experiments: dict[str, str] = {}  # ids by name
        self._ids: dict[tuple[str, str, str], str] = {}  # by experiment, variant and variant key
        self._open: set[str] = set()  # those under way

    def prepare(self, agenda: Agenda) -> dict[str, str]:
        """Make the experiment and a parent a variant, or find them again, and note on them what is planned.

        Returns:
            the parents' run ids, by variant.
        """
        experiment = self.experiment(agenda.runs[0])
        edition = {"edition": agenda.edition, "planned_at": datetime.now(UTC).isoformat()}
        known, runs, parents = self._known(experiment), agenda.by_variant(), {}
        for variant, key in agenda.members.items():
            found = _find(known, variant, key, agenda.members)
            tags = edition | {"seed_offset": str(agenda.seed_offsets[variant])}
            if variant in runs:
                role = "baseline" if variant == agenda.baseline else "variant"
                seeds = translation.seeds_as_text([spec.seed for spec in runs[variant]])
                # A look that was had can't be forgotten.
                looks = sorted({*agenda.looks, *(_looks_had(found) if found else ())})
                tags |= _questions(agenda.questions.get(variant, ""))
                tags |= {"role": role, "seeds_planned": seeds, "looks": json.dumps(looks)}
                parents[variant] = self._ids[experiment, variant, key] = self._mark(
                    experiment, runs[variant][0], found, tags
                )
            elif found:  # it stays comparable with those that are run now
                tags |= {"looks": found.data.tags.get("looks") or json.dumps(_looks_had(found))}
                self._client.log_batch(found.info.run_id, tags=translation.as_tags(tags))
        self._open |= set(parents.values())
        # After the parents, so that a reader never meets an edition without them.
        judged = {"smallest_effect_pp": str(agenda.smallest_effect_pp)}
        for name, value in {**edition, **_questions(agenda.question), **judged, **schema.TAGS}.items():
            self._client.set_experiment_tag(experiment, name, value)
        return parents

    def experiment(self, spec: RunSpec) -> str:
        """The id of the experiment that a run belongs to; it is made if need be.

        Raises:
            StoreError: somebody has deleted it, or a newer version wrote it.
        """
        name = translation.experiment_name(spec.suite, spec.dataset.name)
        if name not in self._experiments:
            tags = {"suite": spec.suite, "dataset": spec.dataset.name}
            self._experiments[name] = experiment_id(self._store, name, tags)
        return self._experiments[name]

    def known(self, spec: RunSpec) -> str | None:
        """The id of a run's parent, if it was needed before; nothing is asked of the store."""
        experiment = self._experiments.get(translation.experiment_name(spec.suite, spec.dataset.name), "")
        return self._ids.get((experiment, spec.variant, spec.variant_key))

    def of(self, spec: RunSpec) -> str:
        """The id of a run's parent; for a leftover that no agenda names, its earlier parent or a bare new one."""
        experiment = self.experiment(spec)
        place = (experiment, spec.variant, spec.variant_key)
        if place not in self._ids:
            found = _find(self._known(experiment), spec.variant, spec.variant_key, members={})
            if found:
                self._ids[place] = str(found.info.run_id)
            else:
                self._ids[place] = self._mark(experiment, spec, None, {"role": "variant"})
                self._client.set_terminated(self._ids[place], "FINISHED")
        return self._ids[place]

    def end_all(self, status: str) -> None:
        """End those that `prepare` opened."""
        for parent in sorted(self._open):
            self._client.set_terminated(parent, status)
        self._open.clear()

    def _known(self, experiment: str) -> list[Run]:
        # A suite has far fewer variants than a page has runs.
        return list(self._client.search_runs([experiment], "tags.role LIKE '%'"))

    def _mark(self, experiment: str, spec: RunSpec, found: Run | None, tags: Mapping[str, str]) -> str:
        """Make a variant's parent, or update the one `found`; its parameters can't have changed."""
        tags = {**translation.variant_tags(spec), **tags}
        if found:
            parent = str(found.info.run_id)
            self._client.log_batch(parent, tags=translation.as_tags(tags))
            self._client.update_run(parent, status="RUNNING", name=spec.variant)
            return parent
        started = translation.milliseconds(time.time())
        which = f"tags.role LIKE '%' AND tags.variant = '{spec.variant}' AND tags.variant_key = '{spec.variant_key}'"
        made = {"start_time": started, "tags": tags, "run_name": spec.variant}
        parent = str(make_the_one(self._client, experiment, which, **made).info.run_id)
        self._client.log_batch(parent, params=translation.params(spec))
        return parent


def experiment_id(store: Store, name: str, tags: Mapping[str, str]) -> str:
    """The id of the experiment of that name; it is made, with these tags, if need be.

    Raises:
        StoreError: somebody has deleted it, or a newer version wrote it.
    """
    found = store.client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(store.client.create_experiment(name, store.artifact_location(name), {**tags, **schema.TAGS}))
        except Exception:  # each kind of store has its own
            found = store.client.get_experiment_by_name(name)  # another process has made it meanwhile
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise StoreError(f"experiment {name} was deleted in {store.location.address}: restore it first")
    schema.check(found)
    return str(found.experiment_id)


def _find(known: Sequence[Run], variant: str, key: str, members: Mapping[str, str]) -> Run | None:
    """The parent of a variant: by its key, so that a variant keeps its runs when it is renamed, or two swap names.

    Two variants that come to the same share a key; each then has its own parent, told apart by name.
    """
    same = [run for run in known if run.data.tags["variant_key"] == key]
    named = [run for run in same if run.data.tags["variant"] == variant]
    renamed = [run for run in same if members.get(run.data.tags["variant"]) != key]
    return next(iter([*named, *renamed]), None)


def _looks_had(parent: Run) -> list[int]:
    """The looks that a variant has had: those that its plan has reached; one, where none were recorded yet."""
    tags = parent.data.tags
    if "seeds_planned" not in tags:
        return []
    seeds = len(translation.seeds_of_text(tags["seeds_planned"]))
    return [look for look in json.loads(tags["looks"]) if look <= seeds] if "looks" in tags else [seeds]


def _questions(question: str) -> dict[str, str]:
    """A question as our tag, and as the description that MLflow's pages show."""
    return {"question": question, "mlflow.note.content": question}
