// The palette: the search in a dialog, from any page. The link that opens it leads to the search page where
// scripts don't run, and so does Enter where nothing is chosen.

const palette = document.querySelector("#palette");
const input = palette?.querySelector("#palette-input");
const options = () => [...palette.querySelectorAll("[role=option]")];
const chosen = () => palette.querySelector("[role=option][aria-selected=true]");

function open() {
  if (palette.open) return;
  palette.showModal();
  input.select();
}

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
}

function move(by) {
  const all = options();
  if (all.length) choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
}

// What was found for fewer letters must not be opened for more.
let found = "";

if (palette) {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-palette]");
    if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open();
    }
  });

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });

  palette.addEventListener("click", (event) => {
    if (event.target === palette || event.target.closest("[data-close]")) palette.close();
  });

  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    }
    if (event.key === "Enter" && chosen() && found === input.value) {
      event.preventDefault();
      chosen().click();
    }
  });

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.target?.id !== "palette-found") return;
    found = new URL(event.detail.ctx.request.action, location.href).searchParams.get("q") ?? "";
    choose(options()[0]);
    input.setAttribute("aria-expanded", String(options().length > 0));
  });
}
