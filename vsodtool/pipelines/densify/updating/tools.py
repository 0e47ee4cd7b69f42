"""What makes labels, made when it is needed first: for one run, or kept for several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType

from vsodtool.checks import resolve_workers
from vsodtool.config import PseudoLabelConfig
from vsodtool.media.fingerprint import input_fingerprint
from vsodtool.media.masks.sparse import Inspected
from vsodtool.media.output.edits import Intact
from vsodtool.media.video.frames import FolderFrames, FrameSource
from vsodtool.media.video.kept_frames import KeptFrames
from vsodtool.pipelines.densify.adapt import Adapt
from vsodtool.pipelines.densify.filling.far import Follows
from vsodtool.pipelines.densify.method import Method
from vsodtool.pipelines.densify.remembered import Remembered
from vsodtool.pipelines.densify.setup import Candidates, Setup, create_candidates, prepare
from vsodtool.pipelines.densify.side_by_side import Workers, intervals_at_once
from vsodtool.pipelines.running.process import keep_few_kernels, keep_freed_memory, torch_threads
from vsodtool.types import FlowEstimator, OnEvent


class Tools:
    """Networks, flow and threads; close it (or use `with`) when done."""

    def __init__(
        self,
        config: PseudoLabelConfig,
        adaptation: Callable[[Setup], Adapt | None] = lambda _: None,
        tracking: Callable[[Setup], Follows | None] = lambda _: None,
        *,
        estimator: FlowEstimator | None = None,
        methods: Sequence[Method] = (),
        keep: bool = False,
    ) -> None:
        """Nothing is made yet.

        Args:
            config: what is asked for.
            adaptation: makes what fine-tunes a method on each video, where that is asked for.
            tracking: makes what has a say far from masks, where that is asked for.
            estimator: used for all flows instead of the backend that `config` names.
            methods: used instead of those that `config` names.
            keep: they serve several runs, so what is read of videos and masks is kept, too.
        """
        self._config, self.estimator, self.methods = config, estimator, methods
        self._adaptation, self._tracking = adaptation, tracking
        self._setup: Setup | None = None
        self._candidates: Candidates | None = None
        self._workers: Workers | None = None
        self._adapt: Adapt | None = None
        self._stack = ExitStack()
        self._keep = keep
        self._sources: dict[str, KeptFrames] = {}
        self.inspected: Inspected | None = {} if keep else None
        self.intact: Intact | None = {} if keep else None

    def source(self, source: FrameSource) -> FrameSource:
        """The video as these tools read it: frames of a file that has not changed are kept."""
        if not self._keep or isinstance(source, FolderFrames):
            return source
        key = input_fingerprint(source.video)
        if key not in self._sources:
            self._sources[key] = KeptFrames(source)
        return self._sources[key]

    def setup(self, on_event: OnEvent) -> Setup:
        """What will be used; weights are read. Raises as `prepare`."""
        if self._setup is None:
            self._setup = prepare(
                self._config, estimator=self.estimator, methods=self.methods, on_event=on_event
            )
        return self._setup

    def candidates(self, on_event: OnEvent) -> Candidates:
        """The methods. Raises as `create_candidates`."""
        if self._candidates is None:
            setup = self.setup(on_event)
            candidates, tracker = create_candidates(setup, on_event), self._tracking(setup)
            if self._keep:
                candidates = candidates.remembering(Remembered())
            self._candidates = candidates if tracker is None else candidates.tracked_by(tracker)
            self._adapt = self._adaptation(setup)
        return self._candidates

    @property
    def adapt(self) -> Adapt | None:
        """What fine-tunes one of them, once these are there; None where that is not asked for."""
        return self._adapt

    @property
    def workers(self) -> Workers:
        """Threads for the pieces of work, and threads that each drive one interval.

        One torch thread per piece: side by side they use the cores better than torch's own threads, which
        would wait for each other.
        """
        if self._workers is None:
            keep_freed_memory()
            keep_few_kernels()
            self._stack.enter_context(torch_threads(1))
            count = resolve_workers(self._config.workers)
            pool = self._stack.enter_context(ThreadPoolExecutor(count, "work"))
            at_once = intervals_at_once(count)
            drivers = self._stack.enter_context(ThreadPoolExecutor(at_once, "interval"))
            self._workers = Workers(pool, drivers, at_once)
        return self._workers

    def close(self) -> None:
        """End the threads, and forget frames."""
        self._workers = None
        for source in self._sources.values():
            source.close()
        self._stack.close()

    def __enter__(self) -> Tools:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
