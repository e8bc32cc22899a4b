"""Which place of the photo questions and corrections are about: a region that was found, or one that is drawn."""

import html
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr
import numpy as np

from assistant import UserError
from assistant.area import Area, Piece
from assistant.corrections import mask_of
from assistant.inspection import KINDS, Inspection, Region
from assistant.steering import around
from assistant.web.corrections_list import UNNAMED
from assistant.web.drawing import backdrop, drawing_surface, drawn_piece
from assistant.web.picture import draw
from assistant.web.results import Results
from assistant.web.session import Session
from assistant.web.strip import clicked
from assistant.web.style import QUIET

WHOLE, DRAWN = 0, -1  # values of the choice beside the numbers of the regions
NO_PLACE = "Draw a place on the photo first, or choose a numbered region."


@dataclass(frozen=True)
class Picker:
    """The components that choose a place.

    `surface` is seen in the place of the picture while something is drawn; `actions` are shown when a place is chosen,
    `whole` when not all of the photo is judged; `kind` is what a chosen region looks like.
    """

    choice: gr.Radio
    surface: gr.HTML
    kind: gr.Dropdown
    actions: gr.Column
    whole: gr.Button

    @property
    def components(self) -> list[Any]:
        """As outputs of an event."""
        return [getattr(self, field.name) for field in fields(self)]


def picked(**changes: Any) -> tuple[Any, ...]:
    """For `Picker.components`: these change, by name, the others stay."""
    return tuple(changes.get(field.name, gr.skip()) for field in fields(Picker))


def region_name(region: Region) -> str:
    """A region in words that stay true when it is inspected again."""
    return f"the region in the {region.position}"


def choices(inspection: Inspection | None) -> list[tuple[str, int]]:
    """What can be chosen on an inspected photo."""
    regions = inspection.regions if inspection else ()
    named = [(f"{number} · {region.type or region.position}", number) for number, region in enumerate(regions, 1)]
    return [("All of it", WHOLE), *named, ("Draw a place", DRAWN)]


def marked(session: Session, choice: object) -> np.ndarray:
    """The pixels, (H, W) bool, that a correction of the chosen place is about.

    Args:
        choice: as the browser has it, which may be of the inspection before this one.

    Raises:
        UserError: no photo is shown or no place of it is chosen.
    """
    if session.photo is None or session.inspection is None:
        raise UserError("there is no photo yet", "drop one on the left, or click an example")
    regions = session.inspection.regions
    if isinstance(choice, int) and 1 <= choice <= len(regions):
        return mask_of(session.inspection, regions[choice - 1])
    if choice != DRAWN or session.photo.drawn is None:
        raise UserError("no place is chosen", "choose a numbered region, or draw a place on the photo")
    return session.photo.drawn.mask


@dataclass(frozen=True)
class PlacePanel:
    """What happens when a place is chosen or drawn; each event gives values for `Picker.components`."""

    def offer(self, session: Session) -> tuple[Any, ...]:
        """After every new inspection, and for another photo: its regions, none of them chosen."""
        inspection = session.inspection
        if inspection is session.offered:
            return picked()
        session.offered = inspection
        if session.photo is not None:
            session.photo.drawn = None
        return picked(
            choice=gr.update(choices=choices(inspection), value=WHOLE), surface=gr.update(visible=False, value=""),
            actions=gr.update(visible=False),
            whole=gr.update(visible=inspection is not None and inspection.area is not None),
        )  # fmt: skip

    def enlarged(self, session: Session, event: gr.EventData) -> tuple[Any, ...]:
        """A region was clicked in the list, to be enlarged: it is chosen, too; with 0, none is."""
        number = clicked(event)
        count = len(session.inspection.regions) if session.inspection else 0
        choice = int(number) if number.isascii() and number.isdigit() and int(number) <= count else WHOLE
        _, *rest = self.choose(session, choice, "")
        return choice, *rest

    def choose(self, session: Session, choice: object, drawing: str) -> tuple[Any, ...]:
        """Another place: a region at once, a drawing once there is one."""
        photo, inspection = session.photo, session.inspection
        if photo is None or inspection is None:
            gr.Info("I need a photo first.")
            return picked(choice=WHOLE)
        photo.drawn = None
        if choice == DRAWN:
            self.draw(session, drawing)
            surface = gr.update(visible=True, picture=_shown(session))
            return picked(surface=surface, actions=gr.update(visible=True))
        changes: dict[str, Any] = {"actions": gr.update(visible=choice != WHOLE)}
        if isinstance(choice, int) and 1 <= choice <= len(inspection.regions):
            region = inspection.regions[choice - 1]
            piece = Piece(region_name(region), (around(region, inspection.size),))
            photo.drawn = Area(inspection.size, only=(piece,))
            changes["kind"] = region.type or UNNAMED
        return picked(surface=gr.update(visible=False), **changes)

    def draw(self, session: Session, drawing: str) -> None:
        """Something was drawn on the photo that is shown, or cleared."""
        photo, inspection = session.photo, session.inspection
        if photo is None or inspection is None:
            return
        try:
            piece = drawn_piece(drawing, inspection.size)
        except UserError as error:
            gr.Warning(html.escape(str(error)))
            piece = None
        photo.drawn = None if piece is None else Area(inspection.size, only=(piece,))

    def follow(self, session: Session, choice: object) -> Any:
        """The picture is shown otherwise: so is what is drawn on."""
        return gr.update(picture=_shown(session)) if choice == DRAWN and session.chat else gr.skip()


def _shown(session: Session) -> str:
    """The picture as the visitor sees it, to draw on."""
    assert session.chat is not None
    return backdrop(draw(session.chat.photo, session.chat.inspection, session.look))


def place_components() -> Picker:
    """The choice of a place, and the photo to draw on beneath the picture; what is in `actions` is up to others."""
    surface = drawing_surface("surface")
    choice = gr.Radio(choices(None), value=WHOLE, label="Questions and corrections are about", elem_id="place")
    whole = gr.Button("Judge the whole photo again", size="sm", visible=False, elem_id="whole")
    kind = gr.Dropdown(
        [UNNAMED, *KINDS], value=UNNAMED, label="Kind of defect", show_label=False, allow_custom_value=True,
        container=False, min_width=130, elem_id="kind", render=False,
    )  # fmt: skip
    return Picker(choice, surface, kind, gr.Column(visible=False), whole)


def connect_places(picker: Picker, session: gr.State, results: Results) -> None:
    """The events of `PlacePanel`."""
    panel, choice, surface = PlacePanel(), picker.choice, picker.surface
    gr.on([results.badge.change, results.details.change], panel.offer, session, picker.components, **QUIET)
    # Without Gradio's check: what is chosen may be of the inspection before, which is no error of the visitor's.
    choice.input(
        panel.choose,
        [session, choice, surface],
        picker.components,
        trigger_mode="always_last",
        preprocess=False,
        **QUIET,
    )
    surface.input(panel.draw, [session, surface], None, trigger_mode="always_last", queue=False, **QUIET)
    results.details.select(panel.enlarged, session, picker.components, **QUIET)
    gr.on(
        [results.picture.change, results.beside.change], panel.follow, [session, choice], surface,
        trigger_mode="always_last", preprocess=False, **QUIET,
    )  # fmt: skip
