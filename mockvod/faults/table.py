"""All faults by name."""

from typing import Final

from mockvod.faults.api import API
from mockvod.faults.base import Fault
from mockvod.faults.callback import CALLBACK
from mockvod.faults.delivery import DELIVERY
from mockvod.faults.queue import QUEUE

FAULTS: Final[dict[str, type[Fault]]] = {fault.name: fault for fault in (*DELIVERY, *QUEUE, *API, *CALLBACK)}
