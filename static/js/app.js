// What every page can do beyond links and forms. All listeners sit on the document, so parts that htmx swaps in
// just work; all of it is extra, nothing on a page needs it.

const root = document.documentElement;
const find = (selector, from = document) => from.querySelector(selector);

// The server then shows what it remembers at once, since the page can ask again by itself.
document.cookie = "scripts=1; path=/; max-age=31536000; samesite=lax";

// Toasts: {text, level}, from here, from a swap's HX-Trigger header, or already on the page from the server.

const LINGER = { success: 4000, info: 5000, warning: 9000, error: 12000 };

function toast({ text, level = "success" }) {
  const piece = find("#toast").content.firstElementChild.cloneNode(true);
  piece.classList.add(level);
  find("p", piece).textContent = text;
  find("#toasts").append(piece);
  expire(piece, LINGER[level] ?? LINGER.info);
}

function expire(piece, after) {
  const leave = () => (piece.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : piece.remove());
  setTimeout(leave, after);
}

// What can still be stopped stays until its rows are gone, below.
for (const piece of document.querySelectorAll("#toasts .toast:not([data-until-gone])")) {
  expire(piece, piece.matches(".error, .warning") ? LINGER.error : LINGER.info);
}

document.addEventListener("toast", (event) => toast(event.detail));

// Copying. The clipboard's own interface exists only on https and localhost; regui is often on neither.

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelecting(text);
  }
}

function copyBySelecting(text) {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "vh";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  before?.focus({ preventScroll: true });
  return copied;
}

function select(element) {
  if (element) getSelection().selectAllChildren(element);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  if (await copy(button.dataset.copy)) {
    const sign = find("#copied").content.firstElementChild.cloneNode(true);
    button.append(sign);
    button.classList.add("done");
    setTimeout(() => {
      sign.remove();
      button.classList.toggle("done", Boolean(find(".i-ok", button)));
    }, 1500);
    toast({ text: "Copied" });
  } else {
    select(button.parentElement.querySelector("code"));
    toast({ text: "This browser won’t let the page copy: press Ctrl C", level: "warning" });
  }
});

// Selecting rows. The boxes belong to a form of their own; what they do shall not set off the filter around them.

const boxes = (from = document) => [...from.querySelectorAll("[data-tick]:not(:disabled)")];
let lastTicked = null;

function count() {
  const all = boxes();
  const ticked = all.filter((box) => box.checked).length;
  const words = find("[data-selected]");
  if (words) words.textContent = `${ticked} selected`;
  const whole = find("[data-tick-all]");
  if (!whole) return;
  whole.checked = ticked > 0 && ticked === all.length;
  whole.indeterminate = ticked > 0 && ticked < all.length;
}

for (const kind of ["input", "change"]) {
  const apart = (event) => {
    if (!event.target.matches("[data-tick], [data-tick-all]")) return;
    event.stopPropagation();
    if (event.target.matches("[data-tick-all]")) for (const box of boxes()) box.checked = event.target.checked;
    count();
  };
  document.addEventListener(kind, apart, true);
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches("[data-tick]")) return;
  if (event.shiftKey && lastTicked?.isConnected) {
    const all = boxes();
    const ends = [all.indexOf(lastTicked), all.indexOf(box)].sort((a, b) => a - b);
    for (const one of all.slice(ends[0], ends[1] + 1)) one.checked = box.checked;
    count();
  }
  lastTicked = box;
});

// The theme: shown at once, kept by the server.

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-theme-form]");
  if (!form) return;
  event.preventDefault();
  const body = new FormData(form, event.submitter);
  root.dataset.theme = body.get("theme");
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
  form.closest("[popover]")?.hidePopover();
  try {
    // Manual: the way back is for browsers without scripts, and fetching that page would be for nothing.
    await fetch(form.action, { method: "POST", body, redirect: "manual" });
  } catch {
    toast({ text: "The server can’t be reached, so the theme isn’t kept", level: "warning" });
  }
});

// Keys: / goes to the page's filter, x ticks the row one is at, Esc leaves an empty filter and clears away toasts.

const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const filter = find("main input[type=search]");
  if (event.key === "/" && filter && !event.target.closest(TYPING)) {
    event.preventDefault();
    filter.focus();
    filter.select();
  }
  if (event.key === "x" && !event.target.closest(TYPING)) {
    find("tr:focus-within [data-tick], tr:hover [data-tick]")?.click();
  }
  if (event.key === "Escape") {
    if (event.target === filter && filter.value === "") filter.blur();
    find("#toasts").replaceChildren();
  }
});

document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".toast").remove());

// A row of tabs scrolls sideways where it must; the one that is open shall be seen. Not by scrollIntoView, which
// would also make it the place from which the Tab key goes on.

function showTab(part = document) {
  const open = find(".tabs [aria-current]", part);
  const row = open?.closest(".tabs");
  if (row && row.scrollWidth > row.clientWidth) {
    const at = open.getBoundingClientRect().left - row.getBoundingClientRect().left + row.scrollLeft;
    row.scrollLeft = at - (row.clientWidth - open.offsetWidth) / 2;
  }
}

showTab();

// A slider says where it stands while it is moved; who listens hears that from the slider itself.

function tell(slider) {
  const place = find(`[data-value-of="${slider.id}"]`);
  if (place) place.textContent = slider.value;
}

document.addEventListener("input", (event) => event.target.matches("input[type=range]") && tell(event.target));
// A browser that comes back to a page may have put them where they were.
for (const slider of document.querySelectorAll("input[type=range]")) tell(slider);

// An empty field of a filter says nothing, so it needn't stand in the address.

document.addEventListener("htmx:config:request", (event) => {
  const { method, body } = event.detail.ctx.request;
  if (method !== "GET") return;
  for (const [name, value] of [...body]) if (value === "") body.delete(name);
});

// Swaps. htmx gives focus back to what has an id; what vanished with the old rows leaves it on the body, so it
// goes to the new part. What the part has to say of itself (how many rows) is announced.

let focusWasInside = false;
let tickedBefore = new Set();

// Where an answer says itself what it is for (HX-Retarget), the target is still a selector.
function swapped({ detail: { ctx } }) {
  return typeof ctx.target === "string" ? find(ctx.target) : ctx.target;
}

document.addEventListener("htmx:before:swap", (event) => {
  focusWasInside = Boolean(swapped(event)?.contains(document.activeElement));
  tickedBefore = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
});

document.addEventListener("htmx:after:swap", (event) => {
  const target = swapped(event);
  const part = target?.id ? document.getElementById(target.id) : null;
  if (!part) return;
  showTab(part);
  for (const box of boxes(part)) box.checked = tickedBefore.has(box.value);
  count();
  if (!find("[data-leaving]")) for (const piece of document.querySelectorAll("[data-until-gone]")) piece.remove();
  if (focusWasInside && document.activeElement === document.body) {
    part.tabIndex = -1;
    part.focus({ preventScroll: true });
  }
  const words = [...part.querySelectorAll("[data-announce]")].map((one) => one.textContent.trim());
  if (words.length) find("#announce").textContent = words.join(", ");
});

// Requests that failed: nothing was swapped, so say it, unless the server has said it better.

document.addEventListener("htmx:response:error", (event) => {
  const { status, headers } = event.detail.ctx.response;
  if (headers.get("HX-Trigger")?.includes("toast")) return;
  toast({ text: `That didn’t work: the server answered ${status}`, level: "error" });
});

document.addEventListener("htmx:error", (event) => {
  if (!event.detail.ctx) return;
  const late = event.detail.ctx.request?.signal?.reason === "timeout";
  toast({ text: late ? "The server took too long" : "The server can’t be reached", level: "error" });
});

// A browser that is busy leaves the transition between two pages out, and takes that for a fault of the page.

for (const turn of ["pageswap", "pagereveal"]) {
  addEventListener(turn, ({ viewTransition }) => {
    for (const end of [viewTransition?.ready, viewTransition?.finished]) end?.catch(() => {});
  });
}
