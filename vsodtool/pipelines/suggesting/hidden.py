"""How wrong labels of a finished run come out when they are hidden and made again; kept in OUT/suggest.json.

Every labelled frame that lies between two others of its shot is made from these two, as the run made its
frames. What is kept of it holds as long as the three masks, the frames and the method are the same.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from vsodtool.errors import DeviceError, WeightsError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.masks.encoding import detect_encoding
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.sparse import Found, MaskFolder, MaskSet
from vsodtool.media.masks.statistics import summarise
from vsodtool.media.output.own_files import read_own
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.pipelines.densify.choosing.hidden_labels import HiddenTest
from vsodtool.pipelines.densify.choosing.trial import hidden_js, stream_tests
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, SparseVideo
from vsodtool.pipelines.densify.updating.tools import Tools
from vsodtool.pipelines.running.earlier_inputs import find_input
from vsodtool.pipelines.suggesting.finished import Errors, Finished, FinishedVideo
from vsodtool.types import Event, MethodChoice, OnEvent

VERSION = 1


@dataclass(frozen=True)
class _Kept:
    """What is known of one hidden label.

    Attributes:
        key: digest of all that it depends on.
        errors: object -> 1 - J.
    """

    key: str
    errors: dict[int, float]


class HiddenLabels:
    """The labels of a finished run that can be hidden, and what came of those that were."""

    def __init__(self, finished: Finished) -> None:
        """Read what is kept; nothing is decoded."""
        self._finished = finished
        self._kept = _read_kept(finished.layout.suggestions)
        self._sha256 = cache(file_sha256)

    def errors(self, video: FinishedVideo) -> Errors:
        """What is known and still holds.

        Raises:
            DataError: a mask cannot be read.
        """
        kept = self._kept.get(video.name, {})
        return {
            test.hidden: known.errors
            for test in tests_of(video)
            if (known := kept.get(video.rows[test.hidden].frame)) and known.key == self._key(video, test)
        }

    def lacking(self, video: FinishedVideo) -> list[HiddenTest]:
        """What is not known, or holds no longer."""
        known = self.errors(video)
        return [test for test in tests_of(video) if test.hidden not in known]

    def measure(
        self, sources: Mapping[str, FrameSource], make_tools: Callable[[], Tools], on_event: OnEvent
    ) -> None:
        """Hide what is lacking and make it again; what is known after an interruption is kept.

        Args:
            sources: the videos by name.
            make_tools: makes what the run made its labels with; called if there is something to do.
            on_event: hears of progress.

        Raises:
            WeightsError: weights cannot be had, or are not those of the run.
            DeviceError: the device of the run does not exist here.
        """
        wanted = [(video, self.lacking(video)) for video in self._finished.videos]
        if not any(tests for _, tests in wanted):
            return
        with make_tools() as tools:
            _refuse_other_weights(self._finished, tools.setup(on_event).weights)
            try:
                for video, tests in wanted:
                    if tests:
                        self._measure(video, tests, sources[video.name], tools, on_event)
            finally:
                self._write(on_event)

    def _measure(
        self,
        video: FinishedVideo,
        tests: Sequence[HiddenTest],
        source: FrameSource,
        tools: Tools,
        on_event: OnEvent,
    ) -> None:
        masks, lock = _masks_of(self._finished, video), threading.Lock()
        candidates, workers = tools.candidates(on_event), tools.workers
        choice = self._finished.manifest.choices.get(video.name)
        known = choice is not None and choice.methods <= set(candidates.names)
        made_by = choice if choice and known else MethodChoice(candidates.names[0], [], {}, "")
        method = candidates.chosen(made_by, masks.object_ids)
        kept = self._kept.setdefault(video.name, {})
        keys = {test.hidden: self._key(video, test) for test in tests}
        done = 0
        on_event(Event("video", video.name, "comparing hidden labels", total=len(tests)))

        def attempt(interval: Interval) -> None:
            (hidden,) = interval.targets
            truth = masks.read(video.rows[hidden].frame)

            def score(label: SoftLabel) -> None:
                nonlocal done
                js = hidden_js(label, truth, masks.object_ids, interval.present)
                errors = {number: round(1 - j, 5) for number, j in js.items()}
                with lock:
                    kept[video.rows[hidden].frame] = _Kept(keys[hidden], errors)
                    done += 1
                    on_event(Event("frame", video.name, done=done, total=len(tests)))

            candidates.fill(method, interval, workers=workers, on_label=score)

        with tempfile.TemporaryDirectory(prefix="vsodtool-suggest-") as folder:
            workers.each(stream_tests(SparseVideo(source, masks, Path(folder)), tests), attempt)
        on_event(Event("done", video.name, done=done, total=len(tests)))

    def _key(self, video: FinishedVideo, test: HiddenTest) -> str:
        manifest, layout = self._finished.manifest, self._finished.layout
        choice = manifest.choices.get(video.name)
        names = [video.rows[index].frame for index in (test.left, test.hidden, test.right)]
        depends = [
            VERSION,
            manifest.inputs[video.name].fingerprint,
            [choice.method, choice.objects] if choice else manifest.config.get("method"),
            [manifest.config.get(name) for name in ("quality", "backend", "label_flow", "adapt", "min_part")],
            sorted(manifest.weights.items()),
            [(name, self._sha256(layout.masks(video.name, name))) for name in names],
        ]
        return hashlib.sha256(json.dumps(depends).encode()).hexdigest()

    def _write(self, on_event: OnEvent) -> None:
        """Keep what is known; where that cannot be, it is only slower the next time."""
        hidden: dict[str, dict[str, object]] = {}
        for video in self._finished.videos:
            kept = self._kept.get(video.name, {})
            frames = [video.rows[test.hidden].frame for test in tests_of(video)]
            hidden[video.name] = {frame: asdict(kept[frame]) for frame in frames if frame in kept}
        content = {"version": VERSION, "hidden": hidden}
        text = json.dumps(content, indent=1) + "\n"
        try:
            write_bytes_atomically(self._finished.layout.suggestions, text.encode())
        except DeviceError as error:
            on_event(Event("warning", message=f"hidden labels are not kept: {error}"))


def tests_of(video: FinishedVideo) -> list[HiddenTest]:
    """The labels that lie between two others of their shot."""
    labels, cuts = video.labels, video.cuts
    return [
        HiddenTest(left, hidden, right)
        for left, hidden, right in zip(labels, labels[1:], labels[2:], strict=False)
        if not any(left < cut <= right for cut in cuts)
    ]


def sources_of(finished: Finished) -> dict[str, FrameSource]:
    """The inputs of a finished run, opened, by name.

    Raises:
        DataError: one has gone, or is not as it was.
    """
    found = {
        name: find_input(finished.layout.root, finished.manifest, name) for name in finished.manifest.inputs
    }
    return {name: open_frames(video) for name, video in found.items()}


def _refuse_other_weights(finished: Finished, weights: Mapping[str, str]) -> None:
    changed = [name for name, sha256 in weights.items() if finished.manifest.weights.get(name) != sha256]
    if changed:
        raise WeightsError(
            f"{changed[0]} is not what {finished.layout.root} was made with",
            "run the command of that folder again with --overwrite",
        )


def _masks_of(finished: Finished, video: FinishedVideo) -> MaskSet:
    """The labels that a run was given, as they lie in its folder."""
    layout = finished.layout
    files = {name: layout.masks(video.name, name) for name in (video.rows[at].frame for at in video.labels)}
    summaries = [summarise(file, read_raw_mask(file)) for file in files.values()]
    encoding, object_ids = detect_encoding(summaries, finished.manifest.void)
    size = read_raw_mask(next(iter(files.values()))).size
    folder = layout.root / "masks" / video.name
    found = Found(MaskFolder(folder), folder, files)
    return MaskSet(video.name, [found], files, encoding, object_ids, size, len(video.rows))


def _read_kept(path: Path) -> dict[str, dict[str, _Kept]]:
    """What was kept; nothing of it where the file is damaged, as all can be measured again."""
    content = read_own(path)
    if content is None:
        return {}
    try:
        told = json.loads(content)
        if told["version"] != VERSION:
            return {}
        return {
            str(video): {
                str(frame): _Kept(
                    str(known["key"]), {int(each): float(error) for each, error in known["errors"].items()}
                )
                for frame, known in frames.items()
            }
            for video, frames in told["hidden"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
