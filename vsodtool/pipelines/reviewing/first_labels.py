"""From masks drawn on bare videos to labels of all their frames: what the page's button does there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from vsodtool.config import PseudoLabelConfig
from vsodtool.config.shell_words import shell_word, shell_words
from vsodtool.errors import VsodtoolError
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
        """The videos that have a mask and frames without one; of them what is not made yet, if anything.

        Raises:
            VsodtoolError: what lies where the labels go is damaged.
        """
        found = [UnlabelledVideo(name, count) for name, count in self._unlabelled() if count]
        made = read_manifest(OutputLayout(self.output).manifest)
        if made is None or made.status != COMPLETE:
            return found
        now = _fingerprints(self._folder)
        done = {name for name, entry in made.inputs.items() if entry.masks_sha256 == now.get(name)}
        return [each for each in found if each.video not in done] or found

    def prepare(self) -> None:
        """Nothing is kept."""

    def run(self, on_event: OnEvent) -> None:
        """Make the labels; where there are some, again where masks changed, and of videos that have some now.

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
            only_masked=len(manifest.inputs) > 1,
        )
        begun = _begun(folder)
        self._label(replace(config, update=begun == "update", overwrite=begun == "overwrite"), on_event)

    def close(self) -> None:
        """Nothing is kept."""

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
    some = " --only-masked" if len(manifest.inputs) > 1 else ""
    begun = ""
    with suppress(VsodtoolError):  # what is wrong with what lies there is told by the command
        begun = _begun(folder)
    how = f" --{begun}" if begun else ""
    masks = shell_word(folder.layout.corrections)
    output = shell_word(labels_of(folder.layout.root))
    inputs = shell_words(_inputs(manifest))
    return f"vsodtool pseudolabel {inputs} --masks {masks} -o {output} --confidence{some}{how}"


def undrawn(folder: ReviewFolder) -> list[str]:
    """The videos of a folder in which first masks are drawn that have none yet."""
    manifest = folder.manifest()
    drawn = _fingerprints(folder)
    return [] if manifest is None else [name for name in manifest.inputs if name not in drawn]


def _begun(folder: ReviewFolder) -> str:
    """The option, without dashes, by which `pseudolabel` takes what was drawn to the labels; "" for none.

    Raises:
        VsodtoolError: what lies where they go is damaged.
    """
    before = read_manifest(OutputLayout(labels_of(folder.layout.root)).manifest)
    if before is None:
        return ""
    if before.status in (COMPLETE, UPDATING):
        return "update"
    if before.config.get("masks") != [str(folder.layout.corrections)]:
        return ""
    # Begun here and not finished: gone on with, or begun again where more was drawn since.
    made_of = {name: entry.masks_sha256 for name, entry in before.inputs.items()}
    return "" if _fingerprints(folder) == made_of else "overwrite"


def _fingerprints(folder: ReviewFolder) -> dict[str, str]:
    """Of the masks that were drawn, by video."""
    manifest = folder.manifest()
    names = [] if manifest is None else list(manifest.inputs)
    drawn = {name: sorted((folder.layout.corrections / name).glob("*.png")) for name in names}
    return {name: content_fingerprint(files) for name, files in drawn.items() if files}


def _inputs(manifest: Manifest) -> list[str]:
    return [str(each) for each in manifest.config.get("inputs", ())]
