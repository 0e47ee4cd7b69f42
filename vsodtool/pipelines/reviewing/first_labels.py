"""From masks drawn on bare videos to labels of all their frames: what the page's button does there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vsodtool.config import PseudoLabelConfig
from vsodtool.config.shell_words import shell_word, shell_words
from vsodtool.media.fingerprint import content_fingerprint
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import COMPLETE, UPDATING, Manifest, read_manifest
from vsodtool.pipelines.reviewing.folder import ReviewFolder
from vsodtool.pipelines.running.earlier_inputs import start_folder
from vsodtool.types import OnEvent


@dataclass(frozen=True)
class UnlabelledVideo:
    """A video on which something was drawn, and whose other frames have no labels yet.

    Attributes:
        video: its name.
        left: "", as nothing is known of labels.
        right: "" too.
        frames: how many are to be made.
    """

    video: str
    frames: int
    left: str = ""
    right: str = ""


class FirstLabels:
    """`vsodtool pseudolabel` with the masks that were drawn, as far as the page knows of it."""

    def __init__(self, folder: ReviewFolder, label: Callable[[PseudoLabelConfig, OnEvent], object]) -> None:
        """Nothing is read or loaded yet.

        Args:
            folder: begun by `review VIDEO`.
            label: makes the labels, as `run_pseudolabel` does.
        """
        self._folder = folder
        self._label = label
        self.output = labels_of(folder.layout.root)

    def stale(self) -> list[UnlabelledVideo]:
        """The videos that have a mask and frames without one."""
        return [UnlabelledVideo(name, count) for name, count in self._unlabelled() if count]

    def prepare(self) -> None:
        """Nothing is kept."""

    def run(self, on_event: OnEvent) -> None:
        """Make the labels; where there are some, again where masks changed.

        Raises:
            VsodtoolError: as `run_pseudolabel`.
        """
        folder = self._folder
        manifest = folder.manifest()
        assert manifest is not None  # else the folder would not have been opened
        start = start_folder(folder.layout.root, manifest)
        config = PseudoLabelConfig(
            inputs=tuple(str(start / text) for text in _inputs(manifest)),
            masks=(str(folder.layout.corrections),),
            output=self.output,
            confidence=True,
            only_masked=len(folder.videos) > 1,
        )
        before = read_manifest(OutputLayout(self.output).manifest)
        if before is not None and before.status in (COMPLETE, UPDATING):
            config = replace(config, update=True)
        elif before is not None and before.config.get("masks") == list(config.masks):
            # Begun here and not finished: gone on with, or begun again where more was drawn since.
            config = replace(config, overwrite=not self._made_of_these(before))
        self._label(config, on_event)

    def close(self) -> None:
        """Nothing is kept."""

    def _made_of_these(self, before: Manifest) -> bool:
        drawn = {
            video.name: sorted((self._folder.layout.corrections / video.name).glob("*.png"))
            for video in self._folder.videos
        }
        now = {name: content_fingerprint(files) for name, files in drawn.items() if files}
        return now == {name: entry.masks_sha256 for name, entry in before.inputs.items()}

    def _unlabelled(self) -> Iterator[tuple[str, int]]:
        for video in self._folder.videos:
            drawn = {path.stem for path in (self._folder.layout.corrections / video.name).glob("*.png")}
            if drawn:
                yield video.name, len(video.names) - len(drawn)


def labels_of(root: Path) -> Path:
    """Where the labels go that are made from the masks in `root`: `clip-labels` beside `clip-drawn`."""
    return root.with_name(f"{root.name.removesuffix('-drawn')}-labels")


def next_command(folder: ReviewFolder) -> str:
    """What makes labels of the masks that were drawn or corrected there, in a terminal.

    "" for labels of `pseudolabel`, which the page makes again itself.
    """
    manifest = folder.manifest()
    if manifest is None or folder.command == "pseudolabel":
        return ""
    some = " --only-masked" if len(folder.videos) > 1 else ""
    masks = shell_word(folder.layout.corrections)
    output = shell_word(labels_of(folder.layout.root))
    inputs = shell_words(_inputs(manifest))
    return f"vsodtool pseudolabel {inputs} --masks {masks} -o {output} --confidence{some}"


def _inputs(manifest: Manifest) -> list[str]:
    return [str(each) for each in manifest.config.get("inputs", ())]
