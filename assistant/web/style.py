"""How the page looks: theme, style sheet, title."""

from pathlib import Path
from typing import Any

import gradio as gr

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")  # on the machine: nothing is fetched
THEME = gr.themes.Default(primary_hue="teal", neutral_hue="slate", font=FONTS, font_mono=("ui-monospace", "monospace"))
TITLE = '<div id="title"><h1>Anomaly assistant</h1><span>Is this part good? Show it, and ask.</span></div>'
CSS = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
STYLE: dict[str, Any] = {"theme": THEME, "css": CSS}
# Answers and inspections of all visitors wait in one line; nothing else waits behind them.
MODEL: dict[str, Any] = {"concurrency_id": "model", "api_visibility": "private"}
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def in_view(name: str) -> str:
    """Script for an event: scroll the element of that id into view, if it is not."""
    return f"() => document.querySelector('#{name}').scrollIntoView({{ behavior: 'smooth', block: 'nearest' }})"
