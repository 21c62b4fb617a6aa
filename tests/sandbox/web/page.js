// Copyright (c) 2026, Callgoose SQIBS collection contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Keeps the page up to date: it fetches the page again each second and after a button, and leaves open what the reader
// has opened.
"use strict";

const EACH = 1000; // milliseconds
const PATIENCE = 5000; // milliseconds

function opened(root) {
  return new Set([...root.querySelectorAll("details[open]")].map((one) => one.id));
}

function focused() {
  const active = document.activeElement;
  const holder = active && active.closest("[id]");
  return holder ? { id: holder.id, isSummary: active.tagName === "SUMMARY" } : null;
}

function focus(before) {
  const holder = before && document.getElementById(before.id);
  const target = holder && before.isSummary ? holder.querySelector("summary") : holder;
  if (target && target !== document.activeElement && target.id !== "live") target.focus({ preventScroll: true });
}

async function load(path, options) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE), ...options });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function show(fresh) {
  const live = document.getElementById("live");
  const next = fresh.getElementById("live");
  const open = opened(live);
  for (const one of next.querySelectorAll("details")) one.open = open.has(one.id);
  document.title = fresh.title;
  live.querySelector(".clock").replaceWith(next.querySelector(".clock").cloneNode(true));
  if (live.innerHTML === next.innerHTML || String(document.getSelection())) return;
  const before = focused();
  live.replaceWith(document.adoptNode(next));
  focus(before);
}

function refresh(path = "/", options = {}) {
  const lost = document.getElementById("lost");
  load(path, options).then(
    (fresh) => { lost.hidden = true; show(fresh); },
    () => { lost.hidden = false; }, // the sandbox may have been stopped, and may start again
  );
}

setInterval(() => {
  if (!document.hidden) refresh();
}, EACH);

document.addEventListener("submit", (event) => {
  event.preventDefault(); // the answer leads to the page, which fetch follows: no other page is opened
  const { name, value } = event.submitter;
  refresh(event.target.getAttribute("action"), { method: "POST", body: new URLSearchParams({ [name]: value }) });
});
