"use strict";
// A click on the head of a column sorts its table by that column, a second click the other way.
// Cells that begin with a number are sorted by it, cells without anything stand last.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = head.querySelector("button");
    button.addEventListener("click", () => {
      const descends = head.getAttribute("aria-sort") !== "descending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descends ? "descending" : "ascending");
      const key = (row) => {
        const text = row.cells[column].textContent.trim();
        const number = Number.parseFloat(text.replaceAll(",", ""));
        return { text, number, empty: text === "-" };
      };
      const keyed = [...body.rows].map((row) => ({ row, ...key(row) }));
      keyed.sort((a, b) => {
        if (a.empty || b.empty) return a.empty - b.empty;
        const numeric = !Number.isNaN(a.number) && !Number.isNaN(b.number);
        const order = numeric ? a.number - b.number : a.text.localeCompare(b.text);
        return descends ? -order : order;
      });
      body.append(...keyed.map((entry) => entry.row));
    });
  });
}
