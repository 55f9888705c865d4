// Sorts tables by their headers. The page is whole without it.
for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const ascending = header.getAttribute("aria-sort") !== "ascending";
      headers.forEach((each) => each.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.sort;
      const numeric = header.classList.contains("number");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        const [first, second] = [key(a), key(b)];
        if (first === "" || second === "") return (first === "") - (second === ""); // the unknown last
        const order = numeric ? first - second : first.localeCompare(second);
        return ascending ? order : -order;
      });
      table.tBodies[0].append(...rows);
    });
  });
}
