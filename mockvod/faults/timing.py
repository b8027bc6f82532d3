"""The duration of faults that cause delays."""

import math
from dataclasses import dataclass
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from mockvod.settings import Seconds


@dataclass(frozen=True, slots=True)
class Slow:
    """A duration in seconds of the clock, drawn each time the fault fires.

    fixed: always `seconds`. uniform: between `seconds` and `at_most`. lognormal: median `seconds`, spread `sigma`,
    capped at `at_most`.
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
