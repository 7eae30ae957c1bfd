/* The interactive flame graph: a canvas, its controls, a tooltip. No library, no request; the data stands beside it. */
(() => {
  "use strict";
  const ROW = 19, LEAST = 0.6, TEXT_FROM = 28, MOST_ROWS = 420;
  const NONE = -1;

  /* A tree of calls in columns. Node 0 stands for everything; children are linked lists, the dearest first (on the side
     where they are dearer, so that every view has them in the same order), those that cost the same by their names. */
  function tree(parent, frame, before, after, rank) {
    const size = parent.length;
    const model = {
      size, parent, frame, ownBefore: before, ownAfter: after,
      before: Float64Array.from(before), after: Float64Array.from(after), gone: new Float64Array(size),
      first: new Int32Array(size).fill(NONE), next: new Int32Array(size).fill(NONE), depth: new Int32Array(size),
    };
    for (let i = size - 1; i > 0; i--) {
      model.before[parent[i]] += model.before[i];
      model.after[parent[i]] += model.after[i];
    }
    for (let i = size - 1; i >= 0; i--) {
      if (model.after[i] === 0) model.gone[i] = model.before[i];
      if (i > 0) model.gone[parent[i]] += model.after[parent[i]] === 0 ? 0 : model.gone[i];
    }
    const order = Int32Array.from({ length: size - 1 }, (_, i) => i + 1)
      .sort((a, b) => larger(model, a) - larger(model, b) || rank[frame[b]] - rank[frame[a]]);
    for (const i of order) {
      model.next[i] = model.first[parent[i]];
      model.first[parent[i]] = i;
    }
    for (let i = 1; i < size; i++) model.depth[i] = model.depth[parent[i]] + 1;
    return model;
  }

  function larger(model, node) { return Math.max(model.before[node], model.after[node]); }

  function upright(data, rank) {
    const size = data.parent.length + 1;
    const parent = new Int32Array(size), frame = new Int32Array(size).fill(NONE);
    const before = new Float64Array(size), after = new Float64Array(size);
    parent[0] = NONE;
    for (let i = 1; i < size; i++) {
      parent[i] = data.parent[i - 1] + 1;
      frame[i] = data.frame[i - 1];
      before[i] = data.before_costs[i - 1] * data.scale;
      after[i] = data.after_costs[i - 1] * data.scale;
    }
    return tree(parent, frame, before, after, rank);
  }

  /* The same samples from the innermost frame up. What is too small to be seen is not unfolded. */
  function inverted(model, rank) {
    const parent = [NONE], frame = [NONE], before = [0], after = [0];
    const least = Math.max(model.before[0], model.after[0]) / 4000;
    let open = [{ at: 0, nodes: [] }];
    for (let i = 1; i < model.size; i++) {
      if (model.ownBefore[i] > 0 || model.ownAfter[i] > 0) open[0].nodes.push([i, i]);
    }
    for (let depth = 0; open.length && depth < MOST_ROWS; depth++) {
      const further = [];
      for (const { at, nodes } of open) {
        const groups = new Map();
        let restBefore = 0, restAfter = 0;
        for (const [cursor, leaf] of nodes) {
          if (cursor <= 0) {
            restBefore += model.ownBefore[leaf];
            restAfter += model.ownAfter[leaf];
            continue;
          }
          let group = groups.get(model.frame[cursor]);
          if (!group) groups.set(model.frame[cursor], (group = { nodes: [], before: 0, after: 0 }));
          group.nodes.push([model.parent[cursor], leaf]);
          group.before += model.ownBefore[leaf];
          group.after += model.ownAfter[leaf];
        }
        for (const [name, group] of groups) {
          const small = group.before < least && group.after < least;
          if (small) {
            restBefore += group.before;
            restAfter += group.after;
            continue;
          }
          parent.push(at); frame.push(name); before.push(0); after.push(0);
          further.push({ at: parent.length - 1, nodes: group.nodes });
        }
        before[at] += restBefore;
        after[at] += restAfter;
      }
      open = further;
    }
    for (const { at, nodes } of open) {
      for (const [, leaf] of nodes) {
        before[at] += model.ownBefore[leaf];
        after[at] += model.ownAfter[leaf];
      }
    }
    return tree(Int32Array.from(parent), Int32Array.from(frame), Float64Array.from(before), Float64Array.from(after), rank);
  }

  const three = (value) => {
    const size = Math.abs(value);
    return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3);
  };
  const percent = (share, signed) => {
    const value = share * 100, size = Math.abs(value);
    const text = value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
    return `${signed && value > 0 ? "+" : ""}${Number(text) === 0 ? "0" : text} %`;
  };
  const SCALES = {
    s: [[60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]],
    B: [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]],
    samples: [[1, "samples"]],
  };
  function quantity(value, unit) {
    if (value === 0) return `0 ${unit}`;
    const scales = SCALES[unit], size = Math.abs(value);
    const [factor, name] = scales.find(([each]) => size >= 0.9995 * each) || scales[scales.length - 1];
    return `${three(value / factor)} ${name}`;
  }

  function mixed(one, other, share) {
    return one.map((part, i) => Math.round(part + (other[i] - part) * share));
  }
  const written = (colour) => `rgb(${colour.join(",")})`;
  const dark = (colour) => 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] < 140;

  class Flame {
    constructor(host) {
      this.host = host;
      this.data = JSON.parse(host.querySelector("script").textContent);
      this.verb = this.data.unit === "B" ? "hold" : "cost";
      const labels = this.data.names.map((name, i) => this.label(i));
      this.labels = labels;
      const order = labels.map((_, i) => i).sort((a, b) => (labels[a] < labels[b] ? -1 : labels[a] > labels[b] ? 1 : 0));
      this.rank = new Int32Array(labels.length);
      order.forEach((index, place) => { this.rank[index] = place; });
      this.models = { up: upright(this.data, this.rank), down: null };
      this.signals = { work: this.flags(this.data.signal), share: this.flags(this.data.signal_share) };
      this.signals.work[0] = this.data.total_signal ? 1 : 0;
      this.ownSignals = { work: new Set(this.data.own_signal), share: new Set(this.data.own_signal_share) };
      // A profile that is compared with itself is one that is looked at alone.
      this.single = this.data.before === this.data.after;
      this.view = this.single ? "after" : "difference"; this.shares = this.data.basis === "share"; this.isInverted = false;
      this.zoomed = 0; this.selected = NONE; this.matches = null; this.wanted = ""; this.differing = {};
      this.build();
      this.recolour();
      new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.recolour(); this.draw(); });
      this.draw();
    }

    label(index) {
      const module = this.data.modules[this.data.module_of[index]];
      return module ? `${this.data.names[index]} (${module})` : this.data.names[index];
    }

    flags(places) {
      const found = new Uint8Array(this.data.parent.length + 1);
      for (const place of places || []) found[place + 1] = 1;
      return found;
    }

    get model() { return this.isInverted ? this.models.down : this.models.up; }

    build() {
      const make = (tag, attributes, ...children) => {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
        element.append(...children);
        return element;
      };
      const button = (text, title, act) => {
        const element = make("button", { type: "button", title }, text);
        element.addEventListener("click", () => { act(); this.draw(); });
        return element;
      };
      this.views = {};
      const tabs = make("div", { class: "flame-views", role: "group", "aria-label": "View" });
      for (const [view, title] of [
        ["after", `What ${this.data.after} ${this.verb}s`], ["before", `What ${this.data.before} ${this.verb}s`],
        ["difference", `${this.data.after}, coloured by what changed`], ["gone", `What only ${this.data.before} has`],
      ]) {
        this.views[view] = button(view[0].toUpperCase() + view.slice(1), title, () => this.show(view));
        tabs.append(this.views[view]);
      }
      this.inverter = button("Inverted", "From the innermost function up", () => this.invert());
      this.sharer = button("Share of total", "Compare shares of each side's total", () => this.share());
      this.resetter = button("Reset zoom", "Show everything (Escape)", () => this.zoom(0));
      this.search = make("input", { type: "search", placeholder: "Search functions ( / )", "aria-label": "Search functions", spellcheck: "false" });
      this.search.addEventListener("input", () => { this.find(this.search.value); this.draw(); });
      this.matched = make("output", { class: "flame-matched" });
      this.canvas = make("canvas", { tabindex: "0", role: "application", "aria-label": "Flame graph. Arrow keys move, Enter zooms, Escape shows everything." });
      this.tip = make("div", { class: "flame-tip", role: "status", hidden: "" });
      this.legend = make("div", { class: "flame-legend" });
      this.note = make("p", { class: "flame-note" });
      const tools = make("div", { class: "flame-tools" }, ...(this.single ? [] : [tabs]), this.inverter);
      if (this.data.signal_share && this.data.basis !== "share" && !this.single) tools.append(this.sharer);
      tools.append(this.resetter, this.search, this.matched);
      this.host.prepend(make("div", { class: "flame-live" }, tools, this.legend, make("div", { class: "flame-stage" }, this.canvas, this.tip), this.note));
      this.host.classList.add("flame-ready");
      this.canvas.addEventListener("click", (event) => this.clicked(event));
      this.canvas.addEventListener("mousemove", (event) => this.pointed(event));
      this.canvas.addEventListener("mouseleave", () => { this.tip.hidden = true; });
      this.canvas.addEventListener("keydown", (event) => this.pressed(event));
      this.canvas.addEventListener("blur", () => { this.tip.hidden = true; });
      this.host.addEventListener("keydown", (event) => {
        if (event.key === "/" && event.target !== this.search) { event.preventDefault(); this.search.focus(); }
        if (event.key === "Escape" && event.target === this.search) { this.search.value = ""; this.find(""); this.draw(); this.canvas.focus(); }
      });
    }

    recolour() {
      const style = getComputedStyle(this.host);
      const read = (name) => style.getPropertyValue(name).trim().split(",").map(Number);
      this.colours = Object.fromEntries(
        ["more", "less", "same", "own", "library", "unknown", "match", "ground", "ink"].map((name) => [name, read(`--flame-${name}`)]));
    }

    show(view) { this.view = view; }
    share() { this.shares = !this.shares; }
    zoom(node) { this.zoomed = node; this.tip.hidden = true; }

    invert() {
      if (!this.models.down) this.models.down = inverted(this.models.up, this.rank);
      this.isInverted = !this.isInverted;
      this.zoomed = 0; this.selected = NONE;
      this.find(this.wanted);
    }

    width(node) {
      const model = this.model;
      return this.view === "before" ? model.before[node] : this.view === "gone" ? model.gone[node] : model.after[node];
    }

    /* Which nodes match, and the share of the widths that lies in or below one of them. */
    find(text) {
      this.wanted = text;
      const needle = text.trim().toLowerCase();
      if (!needle) { this.matches = null; return; }
      const hit = this.labels.map((label) => label.toLowerCase().includes(needle));
      const model = this.model;
      this.matches = new Uint8Array(model.size);
      for (let i = 1; i < model.size; i++) if (hit[model.frame[i]]) this.matches[i] = 1;
    }

    matchedShare() {
      const model = this.model, whole = this.width(0);
      const under = new Uint8Array(model.size);
      let sum = 0;
      for (let i = 1; i < model.size; i++) {
        under[i] = under[model.parent[i]] | this.matches[model.parent[i]];
        if (this.matches[i] && !under[i]) sum += this.width(i);
      }
      return whole > 0 ? sum / whole : 0;
    }

    draw() {
      const began = performance.now();
      const wide = Math.max(this.canvas.parentElement.clientWidth, 200), model = this.model;
      this.rows = [];
      let rects = 0, deeper = false;
      const put = (node, x, width, row) => {
        (this.rows[row] ||= []).push({ node, x, width });
        rects++;
      };
      const path = [];
      for (let node = this.zoomed; node !== NONE; node = model.parent[node]) path.unshift(node);
      path.forEach((node, row) => put(node, 0, wide, row));
      const whole = this.width(this.zoomed), scale = whole > 0 ? wide / whole : 0;
      const stack = [[this.zoomed, 0, path.length - 1]];
      while (stack.length) {
        const [node, left, row] = stack.pop();
        let x = left;
        for (let child = model.first[node]; child !== NONE; child = model.next[child]) {
          const width = this.width(child) * scale;
          if (width >= LEAST) {
            if (row + 1 < MOST_ROWS) { put(child, x, width, row + 1); stack.push([child, x, row + 1]); } else deeper = true;
          }
          x += width;
        }
      }
      this.paint(wide);
      this.tell(whole, deeper);
      Object.assign(this.host.dataset, {
        view: this.view, zoom: this.zoomed ? this.labels[model.frame[this.zoomed]] : "", rects, rows: this.rows.length,
        inverted: this.isInverted, milliseconds: (performance.now() - began).toFixed(1),
      });
    }

    paint(wide) {
      const ratio = Math.min(devicePixelRatio || 1, 2), high = this.rows.length * ROW;
      this.canvas.width = wide * ratio;
      this.canvas.height = high * ratio;
      this.canvas.style.width = `${wide}px`;
      this.canvas.style.height = `${high}px`;
      const brush = this.canvas.getContext("2d");
      brush.scale(ratio, ratio);
      brush.font = "12px ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace";
      brush.textBaseline = "middle";
      const character = brush.measureText("m").width;
      this.rows.forEach((row, number) => {
        for (const { node, x, width } of row) {
          const colour = this.colour(node), y = number * ROW;
          brush.fillStyle = written(colour);
          brush.fillRect(x, y, Math.max(width - 0.7, 0.5), ROW - 1);
          if (this.matches && this.matches[node]) {
            brush.fillStyle = written(this.colours.match);
            brush.fillRect(x, y + ROW - 5, Math.max(width - 0.7, 0.5), 4);
          }
          if (width >= TEXT_FROM) {
            const text = node === 0 ? this.everything() : this.labels[this.model.frame[node]];
            const fits = Math.floor((width - 7) / character);
            brush.fillStyle = dark(colour) ? "#fff" : "#111";
            brush.fillText(text.length <= fits ? text : `${text.slice(0, Math.max(fits - 1, 1))}…`, x + 4, y + ROW / 2);
          }
          if (node === this.selected) {
            brush.strokeStyle = written(this.colours.ink);
            brush.lineWidth = 2;
            brush.strokeRect(x + 1, y + 1, Math.max(width - 2.7, 1), ROW - 3);
          }
        }
      });
    }

    everything() {
      const isBefore = this.view === "before" || this.view === "gone", told = this.value(this.width(0), isBefore);
      if (this.single) return `${told} in all`;
      return this.view === "gone" ? `only in ${this.data.before}: ${told}` : `${isBefore ? this.data.before : this.data.after}: ${told} in all`;
    }

    value(cost, isBefore) {
      if (!this.shares) return quantity(cost, this.data.unit);
      const whole = isBefore ? this.model.before[0] : this.model.after[0];
      return percent(whole > 0 ? cost / whole : 0);
    }

    /* Before, after and whether their difference is more than noise, in what is compared. */
    costs(node) {
      const model = this.model, basis = this.shares ? "share" : "work";
      const [one, other] = this.shares ? [model.before[0] || 1, model.after[0] || 1] : [1, 1];
      const inner = this.isInverted && node > 0;
      const signal = inner ? this.ownSignals[basis].has(model.frame[this.outer(node)]) : this.signals[basis][node];
      return { before: model.before[node] / one, after: model.after[node] / other, signal: Boolean(signal) };
    }

    /* Of an inverted stack the innermost function: whose own cost it is. */
    outer(node) {
      while (this.model.parent[node] > 0) node = this.model.parent[node];
      return node;
    }

    /* By which part it went up or down, 0 where that is no more than noise or not what the view is about. */
    changed(node) {
      const { before, after, signal } = this.costs(node);
      if (!signal || (this.view === "gone" && after !== 0)) return 0;
      return (after - before) / Math.max(after, before, Number.MIN_VALUE);
    }

    colour(node) {
      const faded = this.matches && !this.matches[node];
      let colour = this.colours.same;
      if (this.view === "difference" || this.view === "gone") {
        const change = this.changed(node);
        if (change) {
          colour = mixed(this.colours.same, change > 0 ? this.colours.more : this.colours.less, 0.25 + 0.75 * Math.min(Math.abs(change), 1));
        }
      } else if (node > 0) {
        colour = this.colours[this.data.origins[this.data.origin_of[this.model.frame[node]]]];
      }
      return faded ? mixed(colour, this.colours.ground, 0.62) : colour;
    }

    tell(whole, deeper) {
      for (const [view, button] of Object.entries(this.views)) button.setAttribute("aria-pressed", String(view === this.view));
      this.inverter.setAttribute("aria-pressed", String(this.isInverted));
      this.sharer.setAttribute("aria-pressed", String(this.shares));
      this.resetter.disabled = this.zoomed === 0;
      this.matched.textContent = this.matches ? `Matched: ${percent(this.matchedShare())}` : "";
      const notes = [];
      if (whole === 0) notes.push(this.view === "gone" ? `Nothing that ${this.data.before} has is gone.` : "Nothing was sampled here.");
      else if (!this.differs()) notes.push(`${this.data.before} and ${this.data.after} do not differ by more than noise, so nothing is coloured.`);
      notes.push(`The wider a function, the more it and what it calls ${this.verb}${this.told()}; ${this.isInverted ? "callers stand below what they call" : "what it calls stands below it"}. Click or Enter zooms in, arrow keys move.`);
      if (deeper) notes.push("There are deeper calls: zoom in to see them.");
      if (this.data.left_out) notes.push(`${this.data.left_out} calls too small to be seen are part of their callers.`);
      this.note.textContent = notes.join(" ");
      const swatch = (name, text) => {
        const element = document.createElement("span"), mark = document.createElement("i");
        mark.className = `flame-${name}`;
        element.append(mark, text);
        return element;
      };
      const unsure = swatch("same", "no difference beyond noise");
      const colours = {
        difference: [swatch("less", `${this.verb}s less`), unsure, swatch("more", `${this.verb}s more, or new`)], gone: [swatch("less", "gone"), unsure],
      }[this.view] || [swatch("own", "the project's own code"), swatch("library", "libraries"), swatch("unknown", "without a symbol")];
      this.legend.replaceChildren(...colours, ...(this.matches ? [swatch("match", "matches the search")] : []));
    }

    /* Whether anything in this view has a colour that says: changed. */
    differs() {
      if (this.view !== "difference" && this.view !== "gone") return true;
      const key = [this.view, this.shares, this.isInverted].join();
      if (!(key in this.differing)) {
        let node = 0;
        while (node < this.model.size && !(this.width(node) > 0 && this.changed(node))) node++;
        this.differing[key] = node < this.model.size;
      }
      return this.differing[key];
    }

    told() {
      if (this.single) return "";
      return this.view === "gone" ? ` in ${this.data.before} and no more` : ` in ${this.view === "before" ? this.data.before : this.data.after}`;
    }

    at(event) {
      const box = this.canvas.getBoundingClientRect();
      const x = event.clientX - box.left, row = this.rows[Math.floor((event.clientY - box.top) / ROW)];
      return row ? row.find((each) => x >= each.x && x < each.x + Math.max(each.width, 1)) : undefined;
    }

    clicked(event) {
      const found = this.at(event);
      if (!found) return;
      this.selected = found.node;
      this.zoom(found.node);
      this.draw();
    }

    pointed(event) {
      const found = this.at(event);
      if (!found) { this.tip.hidden = true; return; }
      const box = this.canvas.getBoundingClientRect();
      this.explain(found.node, event.clientX - box.left, event.clientY - box.top + 18);
    }

    pressed(event) {
      const model = this.model;
      const present = this.selected === NONE ? this.zoomed : this.selected;
      const seen = (node) => this.rows[model.depth[node]]?.some((each) => each.node === node);
      let next = present;
      switch (event.key) {
        case "ArrowUp": next = Math.max(model.parent[present], 0); break;
        case "ArrowDown":
          for (let child = model.first[present], most = 0; child !== NONE; child = model.next[child]) {
            if (this.width(child) > most) { most = this.width(child); next = child; }
          }
          break;
        case "ArrowRight": case "ArrowLeft": {
          const row = this.rows[model.depth[present]] || [];
          row.sort((a, b) => a.x - b.x);
          const place = row.findIndex((each) => each.node === present) + (event.key === "ArrowRight" ? 1 : -1);
          if (row[place]) next = row[place].node;
          break;
        }
        case "Enter": this.zoom(present); break;
        case "Backspace": this.zoom(Math.max(model.parent[this.zoomed], 0)); next = this.zoomed; break;
        case "Escape": this.zoom(0); next = 0; break;
        default: return;
      }
      event.preventDefault();
      this.selected = next;
      this.draw();
      if (!seen(next)) { this.tip.hidden = true; return; }
      const place = this.rows[model.depth[next]].find((each) => each.node === next);
      this.explain(next, place.x + 8, (model.depth[next] + 1) * ROW + 6);
    }

    explain(node, x, y) {
      const { before, after, signal } = this.costs(node), model = this.model, delta = after - before;
      const text = (cost) => (this.shares ? percent(cost) : quantity(cost, this.data.unit));
      const relative = before > 0 ? ` (${percent(delta / before, true)})` : after > 0 ? " (new)" : "";
      const own = (side) => (this.shares ? percent(side[node] / ((side === model.ownBefore ? model.before[0] : model.after[0]) || 1)) : quantity(side[node], this.data.unit));
      const line = node > 0 ? this.data.lines[model.frame[node]] : 0;
      const rows = [
        ...(this.single ? [[this.verb === "hold" ? "held" : "cost", text(after)]] : [[this.data.before, text(before)], [this.data.after, text(after)], ["difference", `${delta > 0 ? "+" : ""}${this.shares ? `${(100 * delta).toPrecision(3)} points` : text(delta)}${relative}${signal || delta === 0 ? "" : ", within noise"}`]]),
        ...(this.isInverted ? [] : [["itself, without calls", `${this.single ? "" : `${own(model.ownBefore)} → `}${own(model.ownAfter)}`]]),
        [this.single ? "share of all" : `share of ${this.data.after}`, percent(model.after[0] > 0 ? model.after[node] / model.after[0] : 0)],
      ];
      const title = document.createElement("strong");
      title.textContent = (node === 0 ? "everything" : this.labels[model.frame[node]]) + (line ? `, line ${line}` : "");
      const list = document.createElement("dl");
      for (const [name, value] of rows) {
        const term = document.createElement("dt"), told = document.createElement("dd");
        term.textContent = name;
        told.textContent = value;
        list.append(term, told);
      }
      this.tip.replaceChildren(title, list);
      this.tip.hidden = false;
      const room = this.canvas.parentElement.clientWidth;
      this.tip.style.left = `${Math.max(Math.min(x, room - this.tip.offsetWidth - 4), 0)}px`;
      // Above what it tells of where there is no room below.
      const below = this.canvas.getBoundingClientRect().top + y + this.tip.offsetHeight <= innerHeight;
      this.tip.style.top = `${below ? y : y - this.tip.offsetHeight - 1.6 * ROW}px`;
    }
  }

  for (const host of document.querySelectorAll(".flame")) new Flame(host);
})();
