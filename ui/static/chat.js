"use strict";

let newest = "";

new MutationObserver(() => {
  // Gradio labels each message with its HTML source, which a screen reader would read out instead of the message.
  for (const message of document.querySelectorAll("#conversation [data-testid][aria-label]")) {
    message.removeAttribute("aria-label");
  }
  // The newest message comes into view, wherever one had scrolled to; looking back at old ones scrolls nothing.
  const messages = document.querySelectorAll("#conversation .message-row");
  const last = messages.length ? messages.length + messages[messages.length - 1].textContent : "";
  if (last !== newest) {
    newest = last;
    const conversation = document.querySelector("#conversation .bubble-wrap");
    requestAnimationFrame(() => conversation?.scrollTo(0, conversation.scrollHeight));
  }
}).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-label"] });

// An emptied conversation begins with a question.
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#clear")) document.querySelector("#question textarea")?.focus();
});
