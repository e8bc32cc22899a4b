// Buttons in HTML that Gradio renders anew: tell their clicks, and keep the keyboard where it was.
let last = null;
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  last = { do: button.dataset.do, item: button.dataset.item };
  trigger(button.dataset.do, { item: button.dataset.item });
});
new MutationObserver(() => {
  if (!last || document.activeElement !== document.body) return;
  const same = `button[data-do="${last.do}"][data-item="${CSS.escape(last.item)}"]`;
  (element.querySelector(same) || element.querySelector("button"))?.focus({ preventScroll: true });
}).observe(element, { childList: true, subtree: true });
