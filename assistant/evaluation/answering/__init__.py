"""Who answers the questions of a benchmark: our assistant, a plain model, or an endpoint.

Plug-in point: an answerer is a file here with a class that has `answers`, and a line in `ANSWERERS`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from assistant import UserError
from assistant.evaluation import Row
from assistant.evaluation.results import model_key

ANSWERERS = {
    "ours": "assistant.evaluation.answering.ours:Ours",
    "plain": "assistant.evaluation.answering.plain:Plain",
    "endpoint": "assistant.evaluation.answering.endpoint:Endpoint",
}


@dataclass(frozen=True)
class LeftOut:
    """What could not be asked: a photo or a question, by name; why; and how many rows that concerns."""

    name: str
    why: UserError
    rows: int = 1


class Answerer(Protocol):
    """What everyone who is asked can do."""

    def answers(self, subjects: Iterable[list[Row]], folder: Path) -> Iterator[Row | LeftOut]:
        """The rows with their answers, in any order, each as soon as it is there.

        Args:
            subjects: rows about one photo and its references each.
            folder: what their paths are relative to.

        Returns:
            Each row with `prediction` (text, of the new tokens alone), `earlier` (answers to its `turns`), `inspection`
            (JSON) and `contradictions` (list of text), both null where there is no map, and `choice_scores`: for a
            row with `choices` the log-probability of each letter as the next token after the prompt, null where
            the model does not give them.

        Raises:
            UserError: nothing more can be asked; what was answered so far is of use.
        """
        ...


@dataclass(frozen=True)
class Model:
    """Which model answers, and how it is reached; small, so that it can be sent to other processes.

    Args:
        name: of the model, its folder or hub id; at an endpoint the name that it knows.
        kind: of `ANSWERERS`.
        url: of the endpoint, up to and with its version ("http://localhost:8000/v1").
    """

    name: str
    kind: str = "ours"
    url: str | None = None

    @classmethod
    def of(cls, name: str, *, plain: bool = False, endpoint: str | None = None) -> "Model":
        """From what a user says.

        Raises:
            UserError: both `plain` and `endpoint`.
        """
        if plain and endpoint:
            raise UserError("an endpoint has no parts of ours to leave out", "give --plain or --endpoint, not both")
        return cls(name, "endpoint" if endpoint else "plain" if plain else "ours", endpoint)

    @property
    def key(self) -> str:
        """Marks the model's answers, so that those of another one are not mixed with them."""
        if self.url:
            return f"{self.name} at {self.url.rpartition('@')[2]}"  # without a password
        return model_key(self.name) + (" plain" if self.kind == "plain" else "")

    def open(self) -> Answerer:
        """Load the model, or reach for it.

        Raises:
            UserError: nothing there.
        """
        module, attribute = ANSWERERS[self.kind].split(":")
        answerer: Answerer = getattr(import_module(module), attribute).of(self)
        return answerer
