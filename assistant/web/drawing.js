// A photo to draw on: a box (drag, two clicks, or arrow keys) or brush strokes. Run by Gradio once the element is there,
// with `element`, `props`, `trigger` and `watch`. What was drawn goes to `props.value` as JSON, in parts of the photo's
// sides, so that neither the size on the screen nor that of the copy shown here matters: see `drawing.py`.
const find = (name) => element.querySelector("." + name);
const surface = find("surface"), image = find("backdrop"), canvas = find("canvas"), said = find("said");
const STEP = 0.02, CLICK = 5; // a key moves by this part of a side; a drag of fewer pixels is a click
let tool = "box", box = null, strokes = [], corner = null, start = null, drawing = false;

function at(event) {
  const frame = image.getBoundingClientRect();
  const part = (position, from, length) => Math.min(1, Math.max(0, (position - from) / length));
  return [part(event.clientX, frame.left, frame.width), part(event.clientY, frame.top, frame.height)];
}

function paint() {
  const width = image.clientWidth, height = image.clientHeight, dense = window.devicePixelRatio || 1;
  canvas.width = width * dense;
  canvas.height = height * dense;
  const brush = canvas.getContext("2d");
  brush.scale(dense, dense);
  brush.lineCap = brush.lineJoin = "round";
  for (const { width: thickness, points } of strokes) {
    brush.strokeStyle = "rgba(45, 212, 191, .6)";
    brush.lineWidth = thickness * width;
    brush.beginPath();
    points.forEach(([x, y]) => brush.lineTo(x * width, y * height));
    if (points.length === 1) brush.lineTo(points[0][0] * width + 0.1, points[0][1] * height);
    brush.stroke();
  }
  const shown = box || (corner && [corner[0] - 0.01, corner[1] - 0.01, corner[0] + 0.01, corner[1] + 0.01]);
  if (shown) {
    const [x0, y0, x1, y1] = shown.map((edge, i) => edge * (i % 2 ? height : width));
    brush.fillStyle = "rgba(45, 212, 191, .18)";
    brush.fillRect(x0, y0, x1 - x0, y1 - y0);
    for (const [color, thickness] of [["#042f2e", 5], ["#5eead4", 2.5]]) { // seen on dark and on bright photos
      brush.strokeStyle = color;
      brush.lineWidth = thickness;
      brush.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
  }
}

function tell() {
  const percent = (part) => Math.round(part * 100) + " %";
  if (box) said.textContent = `Box from ${percent(box[0])}, ${percent(box[1])} to ${percent(box[2])}, ${percent(box[3])} (across, down)`;
  else if (strokes.length) said.textContent = "Brushed: " + strokes.length + (strokes.length === 1 ? " stroke" : " strokes");
  else said.textContent = tool === "box"
    ? "Drag a box over the place, or click two corners. Keys: arrows move it, Shift and arrows resize it, Escape clears."
    : "Brush over the place. Escape clears.";
  find("clear").disabled = !box && !strokes.length;
}

function send() {
  const round = (part) => Math.round(part * 1e4) / 1e4;
  props.value = box ? JSON.stringify({ box: box.map(round) })
    : strokes.length ? JSON.stringify({ strokes: strokes.map((s) => ({ width: s.width, points: s.points.map((p) => p.map(round)) })) })
    : "";
  trigger("input");
  tell();
  paint();
}

function clear() {
  box = corner = start = null;
  strokes = [];
  drawing = false;
}

const between = ([x0, y0], [x1, y1]) => [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  event.preventDefault();
  surface.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  drawing = true;
  start = { place: at(event), x: event.clientX, y: event.clientY };
  if (tool === "brush") {
    box = corner = null;
    strokes.push({ width: Number(find("thickness").value) / 100, points: [start.place] });
  } else strokes = [];
  paint();
});
canvas.addEventListener("pointermove", (event) => {
  if (!drawing) return;
  if (tool === "brush") {
    const points = strokes.at(-1).points, here = at(event), [x, y] = points.at(-1);
    if (Math.hypot(here[0] - x, here[1] - y) > 0.004) points.push(here); // a hand is not finer
  } else if (Math.hypot(event.clientX - start.x, event.clientY - start.y) >= CLICK) {
    corner = null;
    box = between(start.place, at(event));
  }
  paint();
});
canvas.addEventListener("pointerup", (event) => {
  if (!drawing) return;
  drawing = false;
  const click = Math.hypot(event.clientX - start.x, event.clientY - start.y) < CLICK;
  if (tool === "box" && click) {
    box = corner && between(corner, at(event));
    corner = box ? null : at(event);
  }
  send();
});
canvas.addEventListener("pointercancel", () => { clear(); send(); });

surface.addEventListener("keydown", (event) => {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.key === "Escape" || event.key === "Delete") clear();
  else if (way && tool === "box") {
    box = box || [0.375, 0.375, 0.625, 0.625];
    const [x, y] = way.map((sign) => sign * STEP);
    let [x0, y0, x1, y1] = box;
    if (event.shiftKey) [x1, y1] = [Math.min(1, Math.max(x0 + STEP, x1 + x)), Math.min(1, Math.max(y0 + STEP, y1 + y))];
    else {
      const dx = Math.min(1 - x1, Math.max(-x0, x)), dy = Math.min(1 - y1, Math.max(-y0, y));
      [x0, y0, x1, y1] = [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
    }
    box = [x0, y0, x1, y1];
    strokes = [];
    corner = null;
  } else return;
  event.preventDefault();
  send();
});

for (const name of ["box", "brush"]) find(name).addEventListener("click", () => {
  tool = name;
  for (const other of ["box", "brush"]) find(other).setAttribute("aria-pressed", String(other === tool));
  find("thick").hidden = tool !== "brush";
  tell();
});
find("clear").addEventListener("click", () => { clear(); send(); surface.focus({ preventScroll: true }); });

// Properties are set by Python; the template has none in it, so that a new picture does not make the canvas anew.
function show() {
  image.src = props.picture || "data:,";
  if (!props.value && !drawing) { clear(); tell(); }
  paint();
}
watch(["picture", "value"], show);
image.addEventListener("load", paint);
new ResizeObserver(paint).observe(image);
tell();
show();
