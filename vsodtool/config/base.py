"""What several verbs are told in the same words. Values are checked when a configuration is made."""

from __future__ import annotations

import re
from pathlib import Path

from vsodtool.config.option import Panel, configuration, option, options_of
from vsodtool.config.shard import Shard
from vsodtool.config.typed import typed
from vsodtool.errors import ConfigError

BACKENDS = ("auto", "dis", "raft-small", "raft-large")
ENGINES = ("process", "ray")
AUTO_ADDRESS = "auto"
_ADDRESS = re.compile(r"[^\s:/@]+:[0-9]{1,5}")
QUALITIES = ("fast", "balanced", "best")


@configuration
class CommonConfig:
    """Options of every verb. A configuration that exists is a valid one."""

    device: str = option(
        "Where to compute: auto|cpu|cuda|cuda:N|mps; an absent device is refused.",
        default="auto",
        usual=("auto", "cpu", "cuda", "mps"),
        panel=Panel.RUN,
        metavar="NAME",
    )
    workers: int = option("Threads.", default=0, zero="all cores", panel=Panel.RUN)
    seed: int = option("Of everything random.", default=0, least=0, panel=Panel.RUN)
    overwrite: bool = option(
        "Replace results that an earlier run with other options or inputs left in OUT.",
        default=False,
        panel=Panel.RUN,
    )
    dry_run: bool = option(
        "Check everything, say what would be done, do nothing.", default=False, panel=Panel.RUN
    )

    def __post_init__(self) -> None:
        """Refuse values of another type than their option's, and outside their choices or bounds.

        Raises:
            ConfigError: naming the option, what was expected and what was found.
        """
        for name, each in options_of(type(self)).items():
            value = getattr(self, name)
            if value is not each.default:
                value = typed(name, value, each.kind)
                object.__setattr__(self, name, value)  # a text for a path, or for a list of one, from Python
            each.check(value)


@configuration
class ShardedConfig(CommonConfig):
    """Options of the verbs that work through videos, which several processes may share."""

    inputs: tuple[str, ...] = option(
        "Videos, folders of frames, folders of videos, DAVIS-style roots; - reads names from stdin.",
        panel=Panel.WHERE,
        argument=True,
        metavar="INPUT",
        urls=True,
    )
    output: Path = option("Folder for the results.", panel=Panel.WHERE, short="-o", metavar="OUT", urls=True)
    shard: str = option(
        "Work on the I-th of N parts of the videos (1/4 ... 4/4), for job arrays into one OUT.",
        default="",
        panel=Panel.RUN,
        metavar="I/N",
    )
    engine: str = option(
        "process: the videos one after the other, in this process; ray: side by side in --workers workers of "
        "one core or GPU each, here or on a cluster.",
        default="process",
        choices=ENGINES,
        panel=Panel.RUN,
    )
    ray_address: str = option(
        "Of the cluster: auto is the one that this machine belongs to. Without it a local one is started.",
        default="",
        usual=(AUTO_ADDRESS,),
        panel=Panel.RUN,
        metavar="auto|HOST:PORT",
        urls=True,  # refused below, in better words
    )

    def __post_init__(self) -> None:
        """Refuse also a run without input, a shard that does not exist, and what engines cannot do."""
        super().__post_init__()
        if not self.inputs:
            raise ConfigError(
                "no input given", "name a video, a folder of frames, or - to read names from stdin"
            )
        if self.shard:
            Shard.parse(self.shard)
        if self.ray_address and self.engine != "ray":
            raise ConfigError(
                f"ray_address: '{self.ray_address}' given, but the engine is '{self.engine}'",
                "say --engine ray too",
            )
        if self.ray_address not in ("", AUTO_ADDRESS) and not _ADDRESS.fullmatch(self.ray_address):
            raise ConfigError(
                f"ray_address: expected auto or HOST:PORT, found '{self.ray_address}'",
                "`ray status` on a machine of the cluster shows it; 6379 is the usual port",
            )
        if self.shard and self.engine != "process":
            raise ConfigError(
                f"shard: given together with engine '{self.engine}', which divides the work itself",
                "leave out --shard",
            )


@configuration
class MotionConfig(ShardedConfig):
    """Options of the verbs whose result is made of optical flow."""

    quality: str = option("Speed against quality.", default="balanced", choices=QUALITIES)
    backend: str = option(
        "Optical flow; auto is raft-large on CUDA where its weights lie, else dis.",
        default="auto",
        choices=BACKENDS,
    )
