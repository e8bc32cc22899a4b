"""What all visitors share: the models that can be chosen, and what is kept of products."""

import hashlib
import json
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import UserError
from assistant.batch import Batches
from assistant.evaluation.provenance import hash_weights
from assistant.evaluation.results import model_key
from assistant.store import Store

if TYPE_CHECKING:
    from assistant import Assistant

LOADED = 2  # models in memory: the one in use and the one before, so that comparing them does not load either again
TAUGHT = "taught.json"  # beside a model trained here: of which product


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
        self.batches = Batches(store.folder / "batches")
        self._loaded: OrderedDict[str, Assistant] = OrderedDict()  # by the key of its files: it may be taught anew
        self._weights: dict[str, str | None] = {}
        self._loading = threading.Lock()
        self.assistant(model)

    @property
    def trained(self) -> Path:
        """The folder of what was trained on this server, one folder for each model, the model itself in `model`."""
        return self.store.folder / "models"

    @property
    def models(self) -> list[str]:
        """Names of the models that a visitor may choose, the default first."""
        return list(dict.fromkeys([self.default, "tiny", *self.own]))

    @property
    def own(self) -> list[str]:
        """Those of them that were trained here; neither the default nor `tiny`, whatever their folders are called."""
        found = sorted(path.name for path in self.trained.glob("*") if (path / "model" / "config.json").is_file())
        return [name for name in found if name not in (self.default, "tiny")]

    def source(self, model: str) -> str:
        """Folder or name from which a model of `models` is opened. Raises UserError for any other."""
        if model not in self.models:
            raise UserError(f"there is no model {model!r} here", f"choose one of {', '.join(self.models)}")
        return model if model in (self.default, "tiny") else str(self.trained / model / "model")

    def assistant(self, model: str) -> "Assistant":
        """A model by its name in `models`, opened once while it is among the latest.

        Raises:
            UserError: not among `models`, or damaged.
        """
        from assistant import Assistant

        source = self.source(model)
        key = model_key(source)
        with self._loading:
            if key not in self._loaded:
                opened = Assistant.from_pretrained(source)
                opened.name = model  # not the server's folder, which is nobody's business
                self._loaded[key] = opened
            self._loaded.move_to_end(key)
            while len(self._loaded) > LOADED:
                self._loaded.popitem(last=False)
            return self._loaded[key]

    def delete(self, model: str) -> None:
        """Remove a model of `own` with all that lies beside it; it is gone at once or not at all.

        Raises:
            UserError: it is none of them, or the disk does not let go of it.
        """
        if model not in self.own:
            raise UserError(
                f"{model!r} was not trained here", f"choose one of {', '.join(self.own) or 'those that were'}"
            )
        key = model_key(self.source(model))
        try:
            with tempfile.TemporaryDirectory(dir=self.store.folder, prefix="deleted-") as folder:
                (self.trained / model).rename(Path(folder, model))
        except OSError as error:
            raise UserError(
                f"{model} cannot be deleted ({error.strerror})", "check the folder's permissions"
            ) from error
        with self._loading:
            self._loaded.pop(key, None)

    def weights(self, model: str) -> str | None:
        """SHA-256 over a model's weights, for reports; None where they are not in a folder. Slow the first time."""
        source = self.source(model)
        key = model_key(source)
        if key not in self._weights:
            files = hash_weights(source)
            lines = "".join(f"{name}\0{digest}\n" for name, digest in sorted((files or {}).items()))
            self._weights[key] = hashlib.sha256(lines.encode()).hexdigest() if files else None
        return self._weights[key]

    def taught(self, model: str) -> int | None:
        """The number of the product that a model was taught on this server; None for any other model."""
        try:
            found = json.loads((self.trained / model / TAUGHT).read_text(encoding="utf-8"))
            return int(found["product"]) if model in self.models else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
