"""Every fault that there is, by its name."""

from typing import Final

from mockvod.vod.faults.api import API
from mockvod.vod.faults.base import Fault
from mockvod.vod.faults.callback import CALLBACK
from mockvod.vod.faults.delivery import DELIVERY
from mockvod.vod.faults.queue import QUEUE

FAULTS: Final[dict[str, type[Fault]]] = {fault.name: fault for fault in (*DELIVERY, *QUEUE, *API, *CALLBACK)}
