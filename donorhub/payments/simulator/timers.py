"""What happens by itself as time passes: sessions expire, fees arrive, old keys are forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checkout import expire_when_due
from .money import settle_when_due

if TYPE_CHECKING:
    from .simulator import Simulator

_BATCH = 200


def run_due(sim: Simulator) -> None:
    """Do everything that has fallen due by the simulator's clock."""
    while True:
        now_ms = sim.clock.now_ms()
        due = sim.store.select("due_ms <= ? ORDER BY due_ms, seq", (now_ms,), limit=_BATCH)
        for row in due:
            with sim.work() as work:
                if row.kind == "checkout.session":
                    expire_when_due(sim, work, row.id)
                elif row.kind == "charge":
                    settle_when_due(sim, work, row.id)
                elif row.kind == "idempotency":
                    sim.idempotency.forget(work, row.id)
        if len(due) < _BATCH:
            return
