// Improves what works without it: parts that refresh while something is going on and they are seen, the price as it is
// typed, a file dropped into the form. Markup comes from our own pages only, and can run no script under their policy.
"use strict";

const parsed = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

// An open fold stays open, and what has the keyboard's focus, or was typed into, is not taken away.
function replace(part, fresh) {
  const open = [...part.querySelectorAll("details")].map((fold) => fold.open);
  [...fresh.querySelectorAll("details")].forEach((fold, index) => { fold.open = Boolean(open[index]); });
  part.replaceChildren(...fresh.childNodes);
  if (fresh.dataset.refresh) part.dataset.refresh = fresh.dataset.refresh;
  else delete part.dataset.refresh;
}

async function refresh(part, failures) {
  const again = (count) => setTimeout(refresh, Math.min(part.dataset.refresh * 1000 * 2 ** count, 60000), part, count);
  if (!part.dataset.refresh) return;
  if (document.hidden || part.contains(document.activeElement)) { again(0); return; }
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual", cache: "no-store" });
    if (answer.status === 401 || answer.type === "opaqueredirect") { location.reload(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = (await parsed(answer)).getElementById(part.id);
    if (fresh && !part.contains(document.activeElement)) replace(part, fresh);
    again(0);
  } catch {
    again(failures + 1);
  }
}

for (const part of document.querySelectorAll("[data-refresh]")) {
  setTimeout(refresh, part.dataset.refresh * 1000, part, 0);
}

const form = document.querySelector("form[data-price]");
let asked = 0;

async function price() {
  const mine = ++asked;
  const sent = new URLSearchParams(new FormData(form));
  if (!sent.get("name") && !sent.get("file")) return;
  sent.set("then", "price");
  const answer = await fetch(form.action, { method: "POST", body: sent, credentials: "same-origin", redirect: "manual" });
  if (mine !== asked || ![200, 400, 409].includes(answer.status)) return;
  const fresh = await parsed(answer);
  for (const place of form.querySelectorAll("#price, [data-finding]")) {
    const id = place.dataset.finding;
    const other = id ? [...fresh.querySelectorAll("[data-finding]")].find((each) => each.dataset.finding === id)
      : fresh.getElementById("price");
    if (other) place.replaceChildren(...other.childNodes);
  }
}

if (form) {
  let waiting;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => price().catch(() => {}), 600); });
  const drop = form.querySelector("[data-drop]");
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", async (event) => {
    event.preventDefault();
    form.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (!file) return;
    if (file.size > 65536) { form.querySelector("#price").textContent = drop.dataset.drop; return; }
    drop.closest("details").open = true;
    drop.value = await file.text();
    drop.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
