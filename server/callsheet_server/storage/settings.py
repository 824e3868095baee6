"""Settings of the folder in which worlds are kept."""

from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["StorageSettings", "default_directory"]


class StorageSettings(BaseModel):
    """The databases of the worlds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: str = Field(
        default="",
        description="Folder of the worlds' databases; empty = nothing outlives the server. "
        "`callsheet serve` keeps them in the data folder of your system unless this is set.",
    )
    max_world_bytes: int = Field(
        default=0,
        ge=0,
        le=2**46,
        description="Largest database of one world, its log not counted; 0 = as the disk allows.",
    )


def default_directory() -> str:
    """Folder that ``callsheet serve`` and ``callsheet world`` use unless told otherwise.

    Empty where the user has no home folder, as the arbitrary users of some containers.
    """
    try:
        return str(Path(platformdirs.user_data_dir("callsheet", appauthor=False)) / "worlds")
    except RuntimeError:
        return ""
