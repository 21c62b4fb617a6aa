// Copyright (c) 2026, Callgoose SQIBS collection contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Keeps the page up to date: it fetches the page again each second and after a button, replaces the parts that differ,
// and leaves the reader where they are: what is opened, focused, selected or in view.
"use strict";

const EACH = 1000; // milliseconds
const PATIENCE = 5000; // milliseconds
let asked = 0, shown = 0; // the number of the last request, and of the one whose answer is shown
let waiting = 0;

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
  if (target && target !== document.activeElement && !target.matches(".live")) target.focus({ preventScroll: true });
}

// The first incident in view, and where it is. At the top of the page, new incidents shall come into view instead.
function inView() {
  const incidents = scrollY > 0 ? [...document.querySelectorAll(".incident")] : [];
  const first = incidents.find((one) => one.getBoundingClientRect().bottom > 0);
  return first ? { id: first.id, top: first.getBoundingClientRect().top } : null;
}

function bringBack(before) {
  const one = before && document.getElementById(before.id);
  if (one) scrollBy(0, one.getBoundingClientRect().top - before.top);
}

// Replacing a part would undo what the reader has selected in it.
function isSelected(part) {
  const selection = document.getSelection();
  return !selection.isCollapsed && selection.containsNode(part, true);
}

// While the reader presses a button, it must neither be replaced nor move away.
function isPressing() {
  return document.querySelector("main :active") !== null;
}

async function load(path, options) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE), ...options });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function show(fresh, isPressed) {
  document.title = fresh.title;
  const [active, view] = [focused(), inView()];
  for (const part of document.querySelectorAll(".live")) {
    const next = fresh.getElementById(part.id);
    const open = opened(part);
    for (const one of next.querySelectorAll("details")) one.open = open.has(one.id);
    if (part.innerHTML === next.innerHTML || (isSelected(part) && !isPressed)) continue;
    part.replaceWith(document.adoptNode(next));
  }
  focus(active);
  bringBack(view);
}

async function refresh(path = "/", options = {}, isPressed = false) {
  const number = ++asked;
  waiting += 1;
  let isLost = false;
  try {
    const fresh = await load(path, options);
    if (number > shown && (isPressed || !isPressing())) show(fresh, isPressed);
    shown = Math.max(shown, number);
  } catch {
    isLost = true; // the sandbox may have been stopped, and may start again
  }
  waiting -= 1;
  document.getElementById("lost").hidden = !isLost;
}

setInterval(() => {
  if (!document.hidden && !waiting) refresh();
}, EACH);

document.addEventListener("submit", (event) => {
  event.preventDefault(); // the answer leads to the page, which fetch follows: no other page is opened
  const { name, value } = event.submitter;
  const options = { method: "POST", body: new URLSearchParams({ [name]: value }) };
  refresh(event.target.getAttribute("action"), options, true);
});
