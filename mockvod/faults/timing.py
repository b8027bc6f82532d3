"""How long something takes that a fault makes slow."""

import math
from dataclasses import dataclass
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from mockvod.settings import Seconds


@dataclass(frozen=True, slots=True)
class Slow:
    """Seconds of the clock: always as many, or drawn anew each time.

    fixed: `seconds`. uniform: between `seconds` and `at_most`. lognormal: with `seconds` for its median and `sigma`
    for its spread, but `at_most` at most.
    """

    seconds: Seconds = 1.0
    distribution: Literal["fixed", "uniform", "lognormal"] = "fixed"
    at_most: Seconds = 60.0
    sigma: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 1.0

    def draw(self, random: Random) -> float:
        if self.distribution == "fixed":
            return self.seconds
        if self.distribution == "uniform":
            return random.uniform(self.seconds, max(self.seconds, self.at_most))
        return min(self.at_most, self.seconds * math.exp(random.gauss(0.0, self.sigma)))
