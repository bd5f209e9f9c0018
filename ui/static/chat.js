"use strict";

/* Shared by the scripts of the page, and what the conversation itself needs. Texts reach the page as text only. */
const qa = (() => {
  const listeners = [];
  let sent = 0;

  /** A new element; children that are strings become text. */
  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  /** Put a text into a box of Gradio's as if it had been typed. */
  function type(box, text) {
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Ask the server for something that is no question. */
  function send(command) {
    const box = document.querySelector("#command textarea, #command input");
    if (box) type(box, JSON.stringify({ ...command, number: sent++ })); // the same twice is still a change
  }

  /** A dialog with a heading and a button that closes it; gone when closed. */
  function dialog(title, ...children) {
    const close = element("button", { type: "button", className: "qa-close", title: "Close" }, "×");
    close.setAttribute("aria-label", "Close");
    const head = element("div", { className: "qa-dialog-head" }, element("h2", { id: "dialog-title" }, title), close);
    const made = element("dialog", { className: "qa-dialog" }, head, ...children);
    made.setAttribute("aria-labelledby", "dialog-title");
    close.addEventListener("click", () => made.close());
    made.addEventListener("click", (event) => event.target === made && made.close());
    made.addEventListener("close", () => made.remove());
    document.body.append(made);
    made.showModal();
    return made;
  }

  const status = element("div", { className: "qa-toast" });
  status.setAttribute("role", "status");
  let hiding;

  const whisper = element("div", { className: "qa-read" });
  whisper.setAttribute("role", "status");

  /** Say something to screen readers, that others see anyway. */
  function tell(text) {
    if (!whisper.isConnected) document.body.append(whisper);
    whisper.textContent = text;
  }

  /** Say something in passing. */
  function say(text) {
    if (!status.isConnected) document.body.append(status);
    status.textContent = text;
    status.classList.add("qa-shown");
    clearTimeout(hiding);
    hiding = setTimeout(() => status.classList.remove("qa-shown"), 5000);
  }

  /** Call a function after every change of the page. */
  const changed = (listener) => listeners.push(listener);

  new MutationObserver(() => listeners.forEach((listener) => listener())).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["aria-label"],
  });

  return { element, type, send, dialog, say, tell, changed };
})();

(() => {
  const box = () => document.querySelector("#question textarea");
  let newest = "";
  let count = 0;
  let panel = "";
  let wanted = null; // a source that was clicked, whose panel may still be on its way

  function scrollToNewest() {
    // The newest message comes into view, wherever one had scrolled to; looking back at old ones scrolls nothing.
    const messages = document.querySelectorAll("#conversation .message-row");
    const last = messages.length ? messages.length + messages[messages.length - 1].textContent : "";
    if (last === newest) return;
    newest = last;
    const conversation = document.querySelector("#conversation .bubble-wrap");
    const more = messages.length === count; // of the newest message: one who has scrolled away is left alone
    count = messages.length;
    if (more && conversation && conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight > 160) return;
    requestAnimationFrame(() => conversation?.scrollTo(0, conversation.scrollHeight));
  }

  function markFocus() {
    const shown = document.querySelector("#sources .qa-sources")?.id.replace("of-", "turn-") ?? "";
    for (const turn of document.querySelectorAll("#conversation [id^='turn-']")) {
      if (turn.classList.contains("qa-focus") !== (turn.id === shown)) turn.classList.toggle("qa-focus");
    }
    if (shown === panel) return;
    panel = shown;
    document.querySelector("#sources")?.scrollTo(0, 0);
  }

  function reach() {
    if (!wanted || panel !== wanted.turn) return;
    const target = document.getElementById(wanted.target);
    wanted = null;
    if (!target) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (target.id === "sources") target.scrollTo(0, 0);
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView({ block: target.id === "sources" ? "start" : "nearest", behavior: calm ? "auto" : "smooth" });
    if (target.tabIndex === -1) target.focus({ preventScroll: true });
  }

  qa.changed(() => {
    // Gradio labels each message with its HTML source, which a screen reader would read out instead of the message.
    for (const message of document.querySelectorAll("#conversation [data-testid][aria-label]")) {
      message.removeAttribute("aria-label");
    }
    scrollToNewest();
    markFocus();
    reach();
  });

  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    if (hit("#clear")) box()?.focus(); // an emptied conversation begins with a question
    const link = hit("#conversation a[href^='#source']");
    if (link) {
      event.preventDefault();
      wanted = { turn: link.closest("[id^='turn-']").id, target: link.hash.slice(1) };
      reach();
    }
    const edit = hit("button[name='edit']");
    if (edit && box()) {
      qa.type(box(), edit.closest(".qa-read-as").querySelector(".qa-reading").textContent);
      box().focus();
      box().setSelectionRange(box().value.length, box().value.length);
    }
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box()?.focus();
    }
  });
})();
