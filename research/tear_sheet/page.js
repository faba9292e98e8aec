"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const tip = document.getElementById("tip");
  const cross = document.createElement("div");
  cross.className = "cross";

  const written = (series, value) =>
    value === null ? "n/a" : value.toLocaleString("en-US", { minimumFractionDigits: series.d, maximumFractionDigits: series.d }).replace("-", "\u2212") + series.u;

  const line = (series, at) => {
    const row = document.createElement("div");
    const key = document.createElement("span");
    key.className = "key " + series.k;
    row.append(key, series.n + " " + written(series, series.v[at]));
    return row;
  };

  const show = (plot, chart, at) => {
    const slots = Boolean(chart.at);
    const labels = chart.at || data.at;
    const share = slots ? (at + 0.5) / labels.length : at / Math.max(labels.length - 1, 1);
    const head = document.createElement("b");
    head.textContent = labels[at];
    tip.replaceChildren(head, ...chart.s.map((series) => line(series, at)));
    tip.hidden = false;
    const box = plot.getBoundingClientRect();
    const x = box.left + share * box.width;
    const left = x + 14 + tip.offsetWidth > innerWidth ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, Math.min(box.top + 8, innerHeight - tip.offsetHeight - 4)) + "px";
    cross.style.left = 100 * share + "%";
    plot.append(cross);
  };

  const hide = () => {
    tip.hidden = true;
    cross.remove();
  };

  for (const plot of document.querySelectorAll(".plot[data-key]")) {
    const chart = data.charts[plot.dataset.key];
    if (!chart) continue;
    const count = (chart.at || data.at).length;
    let at = count - 1;
    const move = (event) => {
      const box = plot.getBoundingClientRect();
      const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
      at = chart.at ? Math.min(Math.floor(share * count), count - 1) : Math.round(share * (count - 1));
      show(plot, chart, at);
    };
    plot.addEventListener("pointermove", move);
    plot.addEventListener("pointerdown", move);
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -count, End: count };
      if (event.key === "Escape") hide();
      if (!(event.key in steps)) return;
      event.preventDefault();
      at = Math.min(Math.max(at + steps[event.key], 0), count - 1);
      show(plot, chart, at);
    });
  }
  addEventListener("scroll", hide, { passive: true });

  // Figures are sorted as they are written: thousands apart, with sign and unit.
  const keyOf = (cell) => {
    const text = cell.textContent;
    const plain = text.replace("\u2212", "-").replace(/[,\u00a0%+]/g, "");
    return plain === "" || Number.isNaN(Number(plain)) ? text : Number(plain);
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.firstElementChild.addEventListener("click", () => {
        const falling = head.getAttribute("aria-sort") === "descending" ? false : head.classList.contains("n") || head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].map((row) => [keyOf(row.cells[column]), row]);
        rows.sort(([a], [b]) => (a === "" || b === "" ? compare(a, b) : falling ? compare(b, a) : compare(a, b)));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }

  const find = document.getElementById("find");
  if (find) {
    const rows = [...document.querySelectorAll("table.trips tbody tr")];
    const found = document.getElementById("found");
    find.addEventListener("input", () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        count += !row.hidden;
      }
      found.textContent = words.length ? `${count} of ${rows.length}` : "";
    });
  }
})();
