"""Which test process gets what: groups of tests first, and of them no more than two at once."""

from functools import cached_property

from xdist.scheduler.loadgroup import LoadGroupScheduling
from xdist.workermanage import WorkerController

# Groups run browsers, nginx or workers: they wait a third of their time, but three at once miss their moments.
GROUPS_AT_ONCE = 2


class Spread(LoadGroupScheduling):  # type: ignore[misc]
    """Groups first, however small, on no more than `GROUPS_AT_ONCE` processes; another one computes meanwhile."""

    @cached_property
    def _groups(self) -> list[str]:
        """The groups of all that was collected, the largest first; what has none is its own address."""
        return [scope for scope in self.workqueue if "::" not in scope]

    def _runs_a_group(self, node: WorkerController) -> bool:
        return any(
            scope in self._groups and not all(unit.values())
            for scope, unit in self.assigned_work[node].items()
        )

    def _assign_work_unit(self, node: WorkerController) -> None:
        groups = [scope for scope in self._groups if scope in self.workqueue]
        if sum(self._runs_a_group(other) for other in self.nodes if other is not node) < GROUPS_AT_ONCE:
            first = next(iter(groups), None)
        else:
            first = next((scope for scope in self.workqueue if scope not in groups), None)
        if first is not None:
            self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)
