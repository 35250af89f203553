"""Do not outlive the process that started the simulator."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .simulator import Simulator

_LOOK_SECONDS = 1


def follow_parent(simulator: Simulator) -> None:
    """Close the state and leave when the parent process is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        simulator.close()
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()
