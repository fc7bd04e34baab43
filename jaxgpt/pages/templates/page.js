"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const clamp = (value, most) => Math.min(Math.max(value, 0), most);
document.documentElement.classList.add("js");

// Sliders: one frame of a chooser is shown, which the positions of its own sliders tell.
for (const chooser of all(".chooser")) {
  const sliders = all(":scope > .controls input", chooser);
  const frames = all(":scope > .frames > .frame", chooser);
  const show = () => {
    let index = 0;
    sliders.forEach((slider, axis) => {
      const names = data[chooser.id][axis];
      const name = names[+slider.value];
      index = index * names.length + +slider.value;
      slider.setAttribute("aria-valuetext", name);
      slider.previousElementSibling.textContent = name;
    });
    frames.forEach((frame, place) => { frame.hidden = place !== index; });
  };
  for (const slider of sliders) {
    slider.addEventListener("input", show);
    slider.closest(".slider").hidden = slider.max === "0";
  }
  show();
}

// What can be marked in step: heatmaps and texts of one section, where they have the same tokens.
const linked = [];
function tell(source, marks) {
  for (const other of linked) {
    if (other !== source && other.section === source.section && other.root.offsetParent !== null) other.mark(marks);
  }
  for (const one of linked) one.readout.setAttribute("aria-live", one === source ? "polite" : "off");
}
const found = (marks, key, side) =>
  marks.filter((mark) => mark.key === key && (!side || !mark.side || mark.side === side)).map((mark) => mark.index);

// The levels of a heatmap, one byte each, from its own PNG: an unfiltered row begins with a byte of its own.
async function levels(image) {
  const bytes = Uint8Array.from(atob(image.src.split(",")[1]), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  for (let at = 8; at < bytes.length; at += view.getUint32(at) + 12) {
    if (String.fromCharCode(...bytes.subarray(at + 4, at + 8)) !== "IDAT") continue;
    const packed = new Blob([bytes.subarray(at + 8, at + 8 + view.getUint32(at))]);
    const stream = packed.stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }
}

for (const root of all(".heatmap")) {
  const keys = data[root.id];
  const rows = data[keys.rows];
  const columns = data[keys.columns];
  const map = root.querySelector(".map");
  const readout = root.querySelector(".readout");
  const stripes = [0, 1].map(() => {
    const stripe = map.appendChild(document.createElement("div"));
    stripe.className = "stripe";
    stripe.hidden = true;
    return stripe;
  });
  let values = null;
  let wanted = "";
  const place = { row: rows.length - 1, column: 0 };
  const draw = (row, column) => {
    const known = [row !== undefined, column !== undefined];
    const share = (index, count) => [`${(100 * index) / count}%`, `${100 / count}%`];
    stripes.forEach((stripe, axis) => { stripe.hidden = !known[axis]; });
    if (known[0]) {
      const [top, height] = share(row, rows.length);
      Object.assign(stripes[0].style, { top, height, left: 0, width: "100%" });
    }
    if (known[1]) {
      const [left, width] = share(column, columns.length);
      Object.assign(stripes[1].style, { left, width, top: 0, height: "100%" });
    }
    wanted = `${row},${column}`;
    readout.textContent = "";
    if (!known[0] || !known[1]) return;
    const mine = wanted;
    values ??= levels(map.querySelector("img"));
    values.then((bytes) => {
      if (wanted !== mine) return;
      const value = bytes[row * (columns.length + 1) + 1 + column] / 255;
      readout.textContent = `${rows[row]} \u2192 ${columns[column]}: ${value.toFixed(2)}`;
    }, () => { readout.textContent = "this browser cannot read the values of the picture"; });
  };
  const self = {
    root, readout, section: root.closest("section"),
    mark: (marks) => draw(found(marks, keys.rows, "row")[0], found(marks, keys.columns, "column")[0]),
  };
  linked.push(self);
  const go = (row, column) => {
    place.row = clamp(row, rows.length - 1);
    place.column = clamp(column, columns.length - 1);
    draw(place.row, place.column);
    tell(self, [
      { key: keys.rows, index: place.row, side: "row" },
      { key: keys.columns, index: place.column, side: "column" },
    ]);
  };
  const leave = () => { draw(); tell(self, []); };
  const point = (event) => {
    const box = map.getBoundingClientRect();
    go(
      Math.floor(((event.clientY - box.top) / box.height) * rows.length),
      Math.floor(((event.clientX - box.left) / box.width) * columns.length),
    );
  };
  map.tabIndex = 0;
  map.addEventListener("pointermove", point);
  map.addEventListener("pointerdown", point);
  map.addEventListener("pointerleave", leave);
  map.addEventListener("focus", () => { if (map.matches(":focus-visible")) go(place.row, place.column); });
  map.addEventListener("blur", leave);
  map.addEventListener("keydown", (event) => {
    const steps = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      Home: [0, -columns.length], End: [0, columns.length], PageUp: [-rows.length, 0], PageDown: [rows.length, 0],
    };
    if (event.key === "Escape") leave();
    if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    go(place.row + steps[event.key][0], place.column + steps[event.key][1]);
  });
}

for (const root of all(".scores")) {
  const { tokens: key, scores } = data[root.id];
  const tokens = data[key];
  const text = root.querySelector(".text");
  const parts = all(".t", text);
  const readout = root.querySelector(".readout");
  const scale = root.querySelector(".scale");
  let current = 0;
  const shade = (method) => {
    const [name, values] = scores[method];
    const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
    const size = Math.max(-least, most) || 1;
    parts.forEach((part, place) => {
      const value = values[place] ?? 0;
      part.classList.toggle("pos", value > 0);
      part.classList.toggle("neg", value < 0);
      part.style.setProperty("--s", Math.abs(value) / size);
    });
    scale.querySelector(".method").textContent = name;
    scale.querySelector(".least").textContent = String(least).replace("-", "\u2212");
    scale.querySelector(".most").textContent = String(most);
    scale.style.setProperty("--low", -least / size);
    scale.style.setProperty("--high", most / size);
  };
  const write = (place) => {
    readout.textContent = "";
    if (place === undefined) return;
    readout.appendChild(document.createElement("b")).textContent = tokens[place];
    for (const [name, values] of scores) {
      const value = values[place];
      const shown = value === null ? "\u2013" : String(value).replace("-", "\u2212");
      readout.append(" ");
      readout.appendChild(document.createElement("span")).textContent = `${name}: ${shown}`;
    }
  };
  const light = (places, name) => {
    for (const part of all(`.${name}`, text)) part.classList.remove(name);
    for (const place of places) parts[place].classList.add(name);
  };
  const self = {
    root, readout, section: root.closest("section"),
    mark: (marks) => {
      const places = found(marks, key);
      light([], "at-token");
      light(places, "linked");
      write(places.length === 1 || (places.length === 2 && places[0] === places[1]) ? places[0] : undefined);
    },
  };
  linked.push(self);
  const go = (place) => {
    current = clamp(place, parts.length - 1);
    light([], "linked");
    light([current], "at-token");
    write(current);
    tell(self, [{ key, index: current }]);
  };
  const leave = () => { light([], "at-token"); write(); tell(self, []); };
  const at = (event) => {
    const place = parts.indexOf(event.target.closest(".t"));
    if (place >= 0) go(place);
  };
  text.tabIndex = 0;
  text.addEventListener("pointerover", at);
  text.addEventListener("pointerdown", at);
  text.addEventListener("pointerleave", leave);
  text.addEventListener("focus", () => { if (text.matches(":focus-visible") && parts.length) go(current); });
  text.addEventListener("blur", leave);
  text.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -10, ArrowDown: 10, Home: -parts.length, End: parts.length };
    if (event.key === "Escape") leave();
    if (!(event.key in steps) || !parts.length || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    go(current + steps[event.key]);
  });
  for (const choice of all(".controls input", root)) choice.addEventListener("change", () => shade(+choice.value));
  shade(+(all(".controls input:checked", root)[0]?.value ?? 0));
}
})();
