"""Lists of what was written: of the journals, and of a complete run."""

from __future__ import annotations

from dataclasses import replace

from tests.media.output.small_run import Run
from vsodtool.config.shard import Shard
from vsodtool.media.output.journal import Journal
from vsodtool.media.output.manifest import read_manifest, write_manifest
from vsodtool.media.output.written import (
    keep_journals,
    read_found_cuts,
    read_records,
    read_written,
    remove_journals,
)


def test_later_lines_count_and_one_list_is_made_of_all(run: Run) -> None:
    run.complete()
    first = read_records(run.layout)["bear"]["00000"]
    later, journal = replace(first, confidence=0.25), Journal(run.layout.shard_journal(Shard(1, 2)))
    journal.commit([later])
    journal.close()
    assert read_records(run.layout)["bear"]["00000"] == later
    before = read_written(run.layout)
    assert len(before.files) == len(before.records) == 3
    keep_journals(run.layout)
    remove_journals(run.layout)
    assert run.layout.journals() == []
    assert read_written(run.layout) == before


def test_cuts_are_those_of_the_journals_else_of_the_manifest(run: Run) -> None:
    assert read_found_cuts(run.layout) == {}
    run.complete()
    found = read_manifest(run.layout.manifest)
    assert found is not None
    write_manifest(run.layout.manifest, replace(found, cuts={"bear": [2], "cat": []}))
    assert read_found_cuts(run.layout) == {"bear": [2], "cat": []}
    journal = Journal(run.layout.journal)
    journal.settle_cuts("bear", [1])
    journal.close()
    assert read_found_cuts(run.layout) == {"bear": [1], "cat": []}
