"""Times everything by turns: each round asks every way once, in an order of its own, so that noise hits all alike."""

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

from tests.performance.bench.cases import BEFORE, Case, Way
from tests.performance.bench.clinics import Clinic
from tests.performance.bench.ways import Refused, Sample

WARM_UP = 3
SLOW_SECONDS = 6.0  # what one slow way may take in all
FEWEST = 3
BEFORE_EVERY = 8


@dataclass
class Measured:
    """All samples of one way to one answer."""

    case: Case
    clinic: Clinic
    name: str
    way: Way
    samples: list[Sample] = field(default_factory=list)
    spent: float = 0
    refused: str = ""

    @property
    def p50(self) -> float:
        return statistics.median(sample.ms for sample in self.samples)

    @property
    def p95(self) -> float:
        ordered = sorted(sample.ms for sample in self.samples)
        return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]

    @property
    def done(self) -> bool:
        return bool(self.refused) or (self.spent > SLOW_SECONDS and len(self.samples) >= FEWEST)

    def take(self) -> None:
        begun = time.perf_counter()
        try:
            self.samples.append(self.way())
        except Refused as error:
            self.refused = str(error)
        self.spent += time.perf_counter() - begun


def plan(pairs: Sequence[tuple[Case, Clinic]]) -> list[Measured]:
    return [Measured(case, clinic, name, way) for case, clinic in pairs for name, way in case.ways(clinic).items()]


def run(measured: list[Measured], rounds: int) -> None:
    """Warm up, then measure; slow ways are asked a few times only."""
    chance = random.Random(1)
    with tqdm(total=(rounds + WARM_UP) * len(measured), desc="bench", unit="request", smoothing=0.05) as bar:
        for number in range(-WARM_UP, rounds):
            if number == 0:
                _forget_warm_up(measured)
            for one in chance.sample(measured, len(measured)):
                if not one.done and (one.name != BEFORE or number % BEFORE_EVERY == 0):
                    one.take()
                bar.update()


def _forget_warm_up(measured: list[Measured]) -> None:
    for one in measured:
        one.samples.clear()
        one.spent = 0
