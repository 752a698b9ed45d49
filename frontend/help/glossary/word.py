"""An entry of the glossary."""

from dataclasses import dataclass

from frontend.help.addresses import anchor


@dataclass(frozen=True)
class Word:
    """A word, what it means, and other forms under which people meet it. `means` may hold links of Help."""

    name: str
    means: str
    also: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Its place on the page of the glossary: `word-thin-ice`."""
        return anchor("word", self.name)
