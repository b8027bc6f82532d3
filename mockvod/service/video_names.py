"""A Faker provider of video titles. Importing it takes 48 ms, so it is imported with the first title."""

from typing import Final

from faker import Generator
from faker.providers import BaseProvider

_TASKS: Final = (
    "bake sourdough bread",
    "change a bicycle tyre",
    "choose a first camera",
    "clean a coffee machine",
    "fold a fitted sheet",
    "plant tomatoes on a balcony",
    "prepare for a job interview",
    "repair a wooden chair",
    "sharpen a kitchen knife",
    "tie a bow tie",
)
_PLACES: Final = (
    "Chengdu",
    "Edinburgh",
    "Hangzhou",
    "Kyoto",
    "Lisbon",
    "Patagonia",
    "Quebec",
    "the Alps",
    "the Lake District",
    "Vancouver",
)
_PEOPLE: Final = ("Anna", "Ben", "Chloe", "Grandma", "Jun", "Lena", "Omar", "Priya", "Tom", "Wei")
_OCCASIONS: Final = ("birthday party", "first day at school", "graduation", "piano recital", "wedding speech")
_SUBJECTS: Final = ("Black holes", "Compound interest", "Plate tectonics", "Public-key encryption", "The tides")
_DISHES: Final = ("Chickpea curry", "Dan dan noodles", "Mushroom risotto", "Shakshuka", "Vegetable dumplings")
_TEAMS: Final = ("Harbour City", "North End", "Old Mill", "Riverside", "United Lakes")
_MEETINGS: Final = ("All-hands meeting", "Design review", "Product demo", "Release planning", "Security training")
_MONTHS: Final = tuple("January February March April May June July August September October November December".split())
_THINGS: Final = ("cargo bike", "mechanical keyboard", "mirrorless camera", "robot vacuum", "two-person tent")


class VideoProvider(BaseProvider):
    """Titles that a person might give a video."""

    def video_title(self) -> str:
        """A title without a full stop, such as `How to fold a fitted sheet`."""
        one_of = self.random_element
        title: str = one_of(
            (
                f"How to {one_of(_TASKS)}",
                f"A weekend in {one_of(_PLACES)}",
                f"Walking through {one_of(_PLACES)} in the rain",
                f"{one_of(_PEOPLE)}'s {one_of(_OCCASIONS)}",
                f"{one_of(_SUBJECTS)} explained in {self.random_int(3, 9)} minutes",
                f"{one_of(_DISHES)} in {self.random_int(3, 8) * 5} minutes",
                f"{one_of(_TEAMS[:2])} vs {one_of(_TEAMS[2:])}, highlights",
                f"{one_of(_MEETINGS)}, {one_of(_MONTHS)} {self.random_int(2021, 2025)}",
                f"Unboxing a new {one_of(_THINGS)}",
                f"The {one_of(_THINGS)} after one year",
            )
        )
        return title


def video_title(seed: int | str) -> str:
    """A title that is always the same for *seed*."""
    generator = Generator()  # Faker("en_US") loads every other provider as well
    generator.seed_instance(str(seed))
    return VideoProvider(generator).video_title()
