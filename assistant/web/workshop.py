"""What all visitors share: the models that can be chosen, and what is kept of products."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.store import Store

if TYPE_CHECKING:
    from assistant import Assistant

LOADED = 2  # models in memory: the one in use and the one before, so that comparing them does not load either again


class Workshop:
    """Models and store of one server; any thread may use it.

    Args:
        model: the model that a visitor begins with, opened at once.
        store: products, corrections and the audit log.

    Raises:
        UserError: no such model, or damaged.
    """

    def __init__(self, model: str, store: Store) -> None:
        self.default, self.store = model, store
        self._loaded: OrderedDict[str, Assistant] = OrderedDict()
        self._loading = threading.Lock()
        self.assistant(model)

    @property
    def trained(self) -> Path:
        """The folder of the models that were trained on this server, one folder each."""
        return self.store.folder / "models"

    @property
    def models(self) -> list[str]:
        """Names of the models that a visitor may choose, the default first."""
        own = sorted(path.name for path in self.trained.glob("*") if (path / "config.json").is_file())
        return list(dict.fromkeys([self.default, "tiny", *own]))

    def assistant(self, model: str) -> "Assistant":
        """A model by its name in `models`, opened once while it is among the latest.

        Raises:
            UserError: not among `models`, or damaged.
        """
        from assistant import Assistant, UserError

        if model not in self.models:
            raise UserError(f"there is no model {model!r} here", f"choose one of {', '.join(self.models)}")
        with self._loading:
            if model not in self._loaded:
                own = self.trained / model
                source = str(own) if model not in (self.default, "tiny") else model
                self._loaded[model] = Assistant.from_pretrained(source)
            self._loaded.move_to_end(model)
            while len(self._loaded) > LOADED:
                self._loaded.popitem(last=False)
            return self._loaded[model]
