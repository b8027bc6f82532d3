"""All faults by name, and the hook of each group."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mockvod.faults.api import API, ApiHook
from mockvod.faults.base import ActiveFault, Fault, Group
from mockvod.faults.callback import CALLBACK, CallbackHook
from mockvod.faults.delivery import DELIVERY, DeliveryHook
from mockvod.faults.queue import QUEUE, QueueHook

FAULTS: Final[dict[str, type[Fault]]] = {fault.name: fault for fault in (*DELIVERY, *QUEUE, *API, *CALLBACK)}
HOOKS: Final[Mapping[Group, Callable[[Sequence[ActiveFault]], Any]]] = {
    "delivery": DeliveryHook,
    "queue": QueueHook,
    "api": ApiHook,
    "callback": CallbackHook,
}
"""Makes the object for a place of `Hooks`, which applies the active faults of that group."""
