"""Products and their good parts: choose, create, rename, remove; what is added here is kept on disk."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant import UserError
from assistant.store.pictures import digest_of
from assistant.web.inspecting import MOST_REFERENCES, reinspect
from assistant.web.results import show
from assistant.web.session import Session
from assistant.web.strip import clicked
from assistant.web.transcript import literal
from assistant.web.uploads import Uploads, files_of, name_of, opened
from assistant.web.workshop import Workshop


@dataclass(frozen=True)
class ProductsPanel:
    """What happens on this panel, one method per event; all give the values of `Results.components` at last."""

    workshop: Workshop

    def choose(self, session: Session, product: int | None) -> tuple[Any, ...]:
        """Another product, or none: its good parts and corrections hold from now on."""
        if (product or None) != session.product:
            session.product, session.references = product or None, {}
        return self._changed(session)

    def add(self, session: Session, uploads: Uploads | None) -> tuple[Any, ...]:
        """More good parts: None to empty the place for them, then the rest."""
        if not uploads:
            return gr.skip(), *(gr.skip() for _ in show(self.workshop, session))
        session.message = ""
        for file in files_of(uploads):
            try:
                pixels = opened(file)
                if session.product is not None:
                    self.workshop.store.products.add_normal(session.product, pixels, name_of(file), session.who)
                elif len(session.references) < MOST_REFERENCES:
                    session.references[digest_of(pixels)] = pixels
                else:
                    session.message = f"Photos are compared with {MOST_REFERENCES} good parts at most."
            except UserError as error:
                session.message = str(error)
        return None, *self._changed(session, session.message)

    def remove_good(self, session: Session, event: gr.EventData) -> tuple[Any, ...]:
        """One good part less."""
        digest = clicked(event)
        try:
            if session.product is not None:
                self.workshop.store.products.remove_normal(session.product, digest, session.who)
            session.references.pop(digest, None)
        except UserError as error:
            return self._changed(session, str(error))
        return self._changed(session)

    def create(self, session: Session, name: str) -> tuple[Any, ...]:
        """A new product, with the good parts that were shown without one: the emptied name, then the rest."""
        products = self.workshop.store.products
        try:
            product = products.create(name, session.who).id
            if session.product is None:
                for number, pixels in enumerate(session.references.values(), start=1):
                    products.add_normal(product, pixels, f"good part {number}", session.who)
        except UserError as error:
            return gr.skip(), *self._changed(session, str(error))
        session.product = product
        return "", *self._changed(session)

    def rename(self, session: Session, name: str) -> tuple[Any, ...]:
        """Another name for the chosen product: the emptied name, then the rest."""
        try:
            if session.product is None:
                raise UserError("no product is chosen", "choose the one to rename")
            self.workshop.store.products.rename(session.product, name, session.who)
        except UserError as error:
            return gr.skip(), *self._changed(session, str(error))
        return "", *self._changed(session)

    def ask_to_remove(self, session: Session) -> tuple[Any, Any]:
        """What would be lost, and whether the buttons that confirm are shown."""
        try:
            if session.product is None:
                raise UserError("no product is chosen", "choose the one to remove")
            product = self.workshop.store.products.get(session.product)
        except UserError as error:
            return str(error), gr.update(visible=False)
        corrections = len(self.workshop.store.corrections.list(product.id))
        lost = f"{_counted(len(product.normals), 'good part')} and {_counted(corrections, 'correction')}"
        return f"Remove {literal(product.name)} with its {lost}? This cannot be undone.", gr.update(visible=True)

    def remove(self, session: Session) -> tuple[Any, ...]:
        """Forget the chosen product."""
        try:
            if session.product is not None:
                self.workshop.store.products.remove(session.product, session.who)
        except UserError as error:
            session.message = str(error)
        session.product, session.references = None, {}
        return self._changed(session, session.message)

    def _changed(self, session: Session, message: str = "") -> tuple[Any, ...]:
        """The shown photo by what holds now."""
        session.message = message
        try:
            reinspect(self.workshop, session, self._why(session))
        except UserError as error:
            session.message = session.message or str(error)
        return show(self.workshop, session)

    def _why(self, session: Session) -> str:
        """What the photo is compared with now, in words."""
        if session.product is None:
            count, of = len(session.references), ""
        else:
            product = self.workshop.store.products.get(session.product)
            count, of = min(len(product.normals), MOST_REFERENCES), f" of {literal(product.name)}"
        return f"Compared with {_counted(count, 'good part') if count else 'no good parts'}{of} now."


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'s' * (count != 1)}"
