// A picture pasted anywhere on the page goes where photos are dropped.
document.addEventListener("paste", (event) => {
  const pictures = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  const input = document.querySelector("#photo input[type=file]");
  if (!pictures.length || !input) return;
  event.preventDefault();
  const files = new DataTransfer();
  pictures.forEach((file) => files.items.add(file));
  input.files = files.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
// Both places for files are named alike by Gradio.
const places = { "#photo": "Photos of the part", "#references": "Good parts" };
const naming = setInterval(() => {
  for (const [place, name] of Object.entries(places)) {
    const zone = document.querySelector(place);
    if (!zone) return;
    zone.setAttribute("role", "group");
    zone.setAttribute("aria-label", name);
  }
  clearInterval(naming);
}, 200);
