"use strict";
/** The feature map: a canvas of points that is zoomed, moved, coloured and asked by mouse, finger and keyboard. */
window.drawMap = (data, page) => {
  const { $, $$, element, icon, visible, count } = page;
  const canvas = $("#map-canvas"), frame = $("#map-frame"), tip = $("#map-tip"), legend = $("#map-legend"), pinnedBox = $("#map-pinned");
  const context = canvas.getContext("2d");
  const COLOURS = 12, OTHER = COLOURS, CALM = COLOURS + 1;
  const raw = new Uint16Array(page.bytesOf(data.at).buffer);
  const size = data.names.length;
  const xs = new Float32Array(size), ys = new Float32Array(size);
  for (let i = 0; i < size; i++) { xs[i] = raw[2 * i] / 65535; ys[i] = raw[2 * i + 1] / 65535; }
  /** How far the points reach in one direction; the map is centred. */
  const spread = (places) => 2 * places.reduce((most, place) => Math.max(most, Math.abs(place - 0.5)), 0);
  const text = (table, number) => (number < 0 ? "" : table[number]);

  /* ---------- what colour each point has ---------- */
  const flagged = Object.fromEntries(Object.entries(data.flags).map(([code, points]) => [code, new Set(points)]));
  const marked = new Set(data.marked || []);
  const anyFlag = new Set(Object.values(data.flags).flat());
  const codes = Object.keys(flagged).sort((a, b) => flagged[b].size - flagged[a].size);
  const byValue = (of, names) => ({
    groups: of.map((code) => (code < 0 ? OTHER : Math.min(code, names.length <= COLOURS ? code : code < COLOURS - 1 ? code : OTHER))),
    entries: [
      ...names.slice(0, names.length <= COLOURS ? COLOURS : COLOURS - 1).map((name, i) => [i, name]),
      ...(names.length > COLOURS || of.includes(-1) ? [[OTHER, names.length > COLOURS ? `${names.length - COLOURS + 1} others` : "none"]] : []),
    ],
  });
  const byFlag = (points, name) => ({
    groups: Array.from({ length: size }, (_, i) => (points.has(i) ? 3 : CALM)), entries: [[3, name], [CALM, "all others"]],
  });
  const schemes = new Map();
  if (data.labels.length) schemes.set("label", ["Label", () => byValue(data.labelOf, data.labels)]);
  if (data.splits.length) schemes.set("split", ["Split", () => byValue(data.splitOf, data.splits)]);
  for (const [key, title, of, names] of data.schemes || []) schemes.set(key, [title, () => byValue(of, names)]);
  if (anyFlag.size && !data.schemes) schemes.set("issue", ["Any issue", () => byFlag(anyFlag, "with an issue")]);
  for (const code of codes) schemes.set("check:" + code, [page.titleOf(code), () => byFlag(flagged[code], page.titleOf(code))]);
  if (!schemes.size) schemes.set("none", ["Nothing", () => ({ groups: new Array(size).fill(0), entries: [[0, "images"]] })]);
  const chooser = $("#map-colour");
  for (const [key, [name]] of schemes) {
    const option = element("option", {}, visible(name));
    option.value = key;
    chooser.append(option);
  }
  let groups = [], alone = -1, order = [], palette = [];
  const tally = (group) => groups.reduce((sum, each) => sum + (each === group), 0);
  const colourBy = (key) => {
    const made = schemes.get(key)[1]();
    groups = made.groups;
    alone = -1;
    order = Array.from({ length: size }, (_, i) => i).sort((a, b) => (groups[b] >= OTHER) - (groups[a] >= OTHER));
    legend.replaceChildren(...made.entries.map(([group, name]) => element("li", {},
      element("button", { type: "button", "data-group": group, "aria-pressed": "false" },
        element("span", { class: "swatch m" + group, "aria-hidden": "true" }), element("bdi", {}, visible(name)),
        element("span", { class: "n" }, count.format(tally(group)))))));
    draw();
  };
  legend.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    alone = alone === Number(button.dataset.group) ? -1 : Number(button.dataset.group);
    for (const each of $$("button", legend)) each.setAttribute("aria-pressed", String(Number(each.dataset.group) === alone));
    draw();
  });
  chooser.addEventListener("change", () => colourBy(chooser.value));

  /* ---------- pictures ---------- */
  const spriteOf = new Map(data.sheet.points.map((point, place) => [point, place]));
  const sheet = new Image();
  let sheetReady = false, pictures = false;
  if (data.sheet.image) {
    sheet.addEventListener("load", () => { sheetReady = true; draw(); });
    sheet.src = "data:image/jpeg;base64," + data.sheet.image;
  }
  const sprite = (onto, point, x, y, side) => {
    const place = spriteOf.get(point), unit = data.sheet.side;
    onto.drawImage(sheet, (place % data.sheet.across) * unit + 1, Math.floor(place / data.sheet.across) * unit + 1, unit - 2, unit - 2, x, y, side, side);
  };
  $("#map-pictures")?.addEventListener("click", (event) => {
    pictures = !pictures;
    event.currentTarget.setAttribute("aria-pressed", String(pictures));
    draw();
  });

  /* ---------- where points are on the screen ---------- */
  let width = 0, height = 0, scale = 1, left = 0, top = 0;
  const MARGIN = 18;
  const spanX = Math.max(0.02, spread(xs)), spanY = Math.max(0.02, spread(ys));
  const base = () => Math.max(1, Math.min((width - 2 * MARGIN) / spanX, (height - 2 * MARGIN) / spanY));
  const screenX = (i) => left + xs[i] * base() * scale, screenY = (i) => top + ys[i] * base() * scale;
  const home = () => { left = (width - base()) / 2; top = (height - base()) / 2; };
  const fit = () => { scale = 1; home(); draw(); };
  const clamp = () => {
    const span = base() * scale, keep = 60;
    left = Math.min(width - keep, Math.max(keep - span, left));
    top = Math.min(height - keep, Math.max(keep - span, top));
  };
  const zoom = (factor, x = width / 2, y = height / 2) => {
    const next = Math.min(60, Math.max(1, scale * factor)), by = next / scale;
    scale = next;
    left = x - (x - left) * by;
    top = y - (y - top) * by;
    if (scale === 1) home(); else clamp();
    draw();
  };
  const pan = (dx, dy) => { left += dx; top += dy; clamp(); draw(); };
  const reveal = (i) => {
    const x = screenX(i), y = screenY(i), edge = 30;
    if (x < edge || y < edge || x > width - edge || y > height - edge) pan(width / 2 - x, height / 2 - y);
  };

  /* ---------- drawing ---------- */
  let hovered = -1, pinned = -1, cursor = -1, pending = false;
  const readColours = () => {
    const style = getComputedStyle(canvas);
    palette = Array.from({ length: CALM + 1 }, (_, i) => style.getPropertyValue("--m" + i).trim());
    palette.ring = style.getPropertyValue("--ink").trim();
    palette.ground = style.getPropertyValue("--map-ground").trim();
  };
  const draw = () => { if (!pending && width) { pending = true; requestAnimationFrame(paint); } };
  const radius = () => Math.min(7, (size > 4000 ? 1.9 : size > 1200 ? 2.5 : 3.4) * Math.pow(scale, 0.4));
  const paint = () => {
    pending = false;
    const dense = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
      canvas.width = Math.round(width * dense);
      canvas.height = Math.round(height * dense);
    }
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.fillStyle = palette.ground;
    context.fillRect(0, 0, width, height);
    const r = radius();
    for (const faded of [true, false]) {
      context.globalAlpha = faded ? 0.12 : 0.82;
      for (const i of order) {
        if ((alone >= 0 && groups[i] !== alone) !== faded) continue;
        const x = screenX(i), y = screenY(i);
        if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
        context.fillStyle = palette[groups[i]];
        context.beginPath();
        context.arc(x, y, groups[i] === CALM ? r * 0.85 : r, 0, 6.2832);
        context.fill();
        if (!marked.has(i)) continue;
        context.lineWidth = 1.4;
        context.strokeStyle = palette.ring;
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    if (pictures && sheetReady) paintPictures();
    for (const [i, wide] of [[hovered, 2], [cursor, 2], [pinned, 3]]) if (i >= 0) ring(i, wide);
  };
  const ring = (i, wide) => {
    context.lineWidth = wide;
    context.strokeStyle = palette.ring;
    context.beginPath();
    context.arc(screenX(i), screenY(i), radius() + 3, 0, 6.2832);
    context.stroke();
  };
  /** Pictures instead of points, where they have room; the more the map is enlarged, the more there are. */
  const SIDE = 34;
  let placed = new Map();
  const cellOf = (x, y) => Math.floor((x - left) / SIDE) + ":" + Math.floor((y - top) / SIDE);
  const paintPictures = () => {
    const side = SIDE;
    placed = new Map();
    for (const i of data.sheet.points) {
      if (alone >= 0 && groups[i] !== alone) continue;
      const x = screenX(i), y = screenY(i);
      if (x < -side || y < -side || x > width + side || y > height + side) continue;
      const key = cellOf(x, y);
      if (placed.has(key)) continue;
      placed.set(key, i);
      const px = left + Math.floor((x - left) / side) * side, py = top + Math.floor((y - top) / side) * side;
      sprite(context, i, px, py, side - 3);
      context.lineWidth = 2;
      context.strokeStyle = palette[groups[i]];
      context.strokeRect(px, py, side - 3, side - 3);
    }
  };

  /* ---------- which point is meant ---------- */
  const meant = (x, y, reach) => ((pictures && sheetReady) ? placed.get(cellOf(x, y)) : undefined) ?? nearest(x, y, reach);
  const nearest = (x, y, reach) => {
    let best = -1, least = reach * reach;
    for (let i = 0; i < size; i++) {
      if (alone >= 0 && groups[i] !== alone) continue;
      const dx = screenX(i) - x, dy = screenY(i) - y, apart = dx * dx + dy * dy;
      if (apart < least) { least = apart; best = i; }
    }
    return best;
  };
  const towards = (from, dx, dy) => {
    let best = -1, least = Infinity;
    for (let i = 0; i < size; i++) {
      if (i === from || (alone >= 0 && groups[i] !== alone)) continue;
      const x = xs[i] - xs[from], y = ys[i] - ys[from], along = x * dx + y * dy, across = Math.abs(x * dy - y * dx);
      if (along <= 0 || across > along * 1.2) continue;
      const cost = along + 2 * across;
      if (cost < least) { least = cost; best = i; }
    }
    return best;
  };
  const byteText = (bytes) => (bytes < 0 ? "" : bytes >= 1e6 ? (bytes / 1e6).toFixed(1) + " MB" : Math.max(1, Math.round(bytes / 1e3)) + " KB");
  const facts = (i) => {
    const w = data.facts.width[i], h = data.facts.height[i];
    return [data.notes ? visible(data.notes[i]) : "", w > 0 && h > 0 ? w + " × " + h : "", byteText(data.facts.bytes[i])].filter(Boolean).join(" · ");
  };
  const agreement = (i) => (data.agreeing[i] < 0 ? "" : data.agreeing[i] + " of its " + data.neighbours + " neighbours have the same label");
  const problems = (i) => codes.filter((code) => flagged[code].has(i)).map(page.titleOf);
  const picture = (i, side) => {
    const own = page.thumbOf(data.names[i]);
    if (own) return element("img", { src: "data:image/jpeg;base64," + own, alt: "", class: "map-picture" });
    if (!spriteOf.has(i) || !sheetReady) return null;
    const small = element("canvas", { width: data.sheet.side, height: data.sheet.side, class: "map-picture small", "aria-hidden": "true" });
    sprite(small.getContext("2d"), i, 0, 0, data.sheet.side);
    return small;
  };
  const tags = (i) => element("p", { class: "tags" },
    ...[[text(data.labels, data.labelOf[i]), "tag"], [text(data.splits, data.splitOf[i]), "tag split"]]
      .filter(([name]) => name).map(([name, kind]) => element("span", { class: kind }, element("bdi", {}, visible(name)))));
  const showTip = (i) => {
    tip.hidden = i < 0;
    if (i < 0) return;
    const found = problems(i);
    tip.replaceChildren(...[picture(i), element("div", {},
      element("p", { class: "tile-name" }, element("bdi", {}, visible(data.names[i].split("/").pop()))), tags(i),
      element("p", { class: "quiet" }, [data.notes ? facts(i) : agreement(i) || facts(i), ...found.slice(0, 3)].filter(Boolean).join(" · ")))].filter(Boolean));
    const x = screenX(i), y = screenY(i);
    tip.style.left = Math.max(6, Math.min(width - tip.offsetWidth - 6, x + 14)) + "px";
    tip.style.top = (y + tip.offsetHeight + 22 > height ? Math.max(6, y - tip.offsetHeight - 14) : y + 14) + "px";
  };
  const pin = (i) => {
    pinned = i;
    draw();
    if (i < 0) { idle(); return; }
    const name = data.names[i], back = () => canvas.focus();
    const found = page.claimsOf(name);
    pinnedBox.replaceChildren(...[
      picture(i), element("p", { class: "path" }, element("bdi", {}, visible(name))), tags(i),
      element("p", { class: "quiet" }, [facts(i), agreement(i)].filter(Boolean).join(" · ")),
      found.length ? element("ul", { class: "map-claims" }, ...found.slice(0, 8).map((claim) => {
        const button = element("button", { type: "button", class: "ghost" }, icon(claim.level, "mark " + claim.level),
          element("span", {}, element("strong", {}, claim.title), " ", visible(claim.message)));
        button.addEventListener("click", () => claim.open(() => button.isConnected ? button.focus() : back()));
        return element("li", {}, button);
      })) : element("p", { class: "quiet" }, page.calm || "No issues."),
      actions(name),
    ].filter(Boolean));
  };
  const actions = (name) => {
    const copier = element("button", { type: "button", class: "ghost" }, icon("copy"), "Copy name");
    copier.addEventListener("click", () => page.copy(name, "Name copied"));
    return element("span", { class: "buttons" }, copier,
      page.root ? element("a", { class: "button ghost", href: page.root + page.path(name), target: "_blank", rel: "noreferrer" }, "Open file") : null);
  };
  const idle = () => pinnedBox.replaceChildren(element("p", { class: "quiet" }, "Point at an image to see it; click or press Enter to pin it here."));

  /* ---------- mouse and fingers ---------- */
  const fingers = new Map();
  let moved = 0;
  const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const hover = (i) => { if (i !== hovered) { hovered = i; showTip(i); canvas.classList.toggle("over", i >= 0); draw(); } };
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, at(event));
    moved = 0;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (!fingers.has(event.pointerId)) { hover(meant(x, y, 14)); return; }
    const before = fingers.get(event.pointerId);
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, spot]) => spot);
    fingers.set(event.pointerId, [x, y]);
    moved += Math.hypot(x - before[0], y - before[1]);
    if (moved > 4) hover(-1);
    if (others.length) {
      const [ox, oy] = others[0];
      const by = Math.hypot(x - ox, y - oy) / Math.max(1, Math.hypot(before[0] - ox, before[1] - oy));
      zoom(by, (x + ox) / 2, (y + oy) / 2);
    }
    pan((x - before[0]) / (1 + others.length), (y - before[1]) / (1 + others.length));
  });
  const lift = (event) => {
    const [x, y] = at(event);
    if (fingers.delete(event.pointerId) && event.type === "pointerup" && moved < 5) {
      cursor = -1;
      const found = meant(x, y, event.pointerType === "touch" ? 24 : 14);
      pin(found);
      hover(event.pointerType === "touch" ? -1 : found);
    }
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => { if (!fingers.size) hover(-1); });
  canvas.addEventListener("dblclick", (event) => zoom(2, ...at(event)));
  const hint = $("#map-hint");
  let hinting = 0;
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey && !event.metaKey) {
      hint.classList.add("on");
      clearTimeout(hinting);
      hinting = setTimeout(() => hint.classList.remove("on"), 1200);
      return;
    }
    event.preventDefault();
    hover(-1);
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...at(event));
  }, { passive: false });

  /* ---------- keyboard ---------- */
  const said = element("p", { class: "hidden", role: "status" });
  frame.append(said);
  const step = (dx, dy) => {
    if (cursor < 0) cursor = pinned >= 0 ? pinned : nearest(width / 2, height / 2, Infinity);
    else { const next = towards(cursor, dx, dy); if (next >= 0) cursor = next; }
    if (cursor < 0) return;
    reveal(cursor);
    showTip(cursor);
    draw();
    said.textContent = [visible(data.names[cursor]), text(data.labels, data.labelOf[cursor]), agreement(cursor), ...problems(cursor)].filter(Boolean).join(", ");
  };
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = arrows[event.key];
    if (arrow && event.shiftKey) pan(-60 * arrow[0], -60 * arrow[1]);
    else if (arrow) step(...arrow);
    else if (event.key === "+" || event.key === "=") zoom(1.5, ...(cursor >= 0 ? [screenX(cursor), screenY(cursor)] : []));
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") fit();
    else if ((event.key === "Enter" || event.key === " ") && cursor >= 0) { pin(cursor); showTip(-1); }
    else if (event.key === "Escape" && (pinned >= 0 || cursor >= 0)) { cursor = -1; showTip(-1); pin(-1); }
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => { cursor = -1; if (hovered < 0) showTip(-1); draw(); });
  $("#map-in").addEventListener("click", () => zoom(1.6));
  $("#map-out").addEventListener("click", () => zoom(1 / 1.6));
  $("#map-fit").addEventListener("click", fit);

  addEventListener("themechange", () => { readColours(); draw(); });
  new ResizeObserver(() => {
    const whole = scale === 1;
    width = frame.clientWidth;
    height = frame.clientHeight;
    if (whole) fit(); else { clamp(); draw(); }
  }).observe(frame);
  readColours();
  idle();
  chooser.value = [...schemes.keys()][0];
  colourBy(chooser.value);
};
