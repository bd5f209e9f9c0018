"use strict";

/* Thumbs up and down; with a thumb down, what would have been right. */
(() => {
  function ask(exchange, refused) {
    const right = qa.element("textarea", { id: "right-answer", rows: 2, maxLength: 500 });
    const label = qa.element("label", { htmlFor: "right-answer" }, "What would have been right? (optional)");
    const nothing = qa.element("input", { type: "checkbox", id: "no-answer" });
    const none = qa.element("label", { className: "qa-check" }, nothing, " The documents don't say it");
    nothing.addEventListener("change", () => (right.disabled = nothing.checked));
    const send = qa.element("button", { type: "submit", className: "qa-primary" }, "Send");
    const hint = "The question, the answer and this are noted on the server, for whoever runs it.";
    const form = qa.element("form", { method: "dialog" }, label, right, ...(refused ? [] : [none]), send);
    const dialog = qa.dialog("Not right?", form, qa.element("p", { className: "qa-dialog-hint" }, hint));
    form.addEventListener("submit", () => {
      const told = nothing.checked ? "" : right.value.trim() || null;
      qa.send({ do: "rate", exchange, verdict: "down", right: told });
      qa.say("Thank you, noted.");
    });
    right.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        send.click();
      }
    });
    right.focus();
    return dialog;
  }

  document.addEventListener("click", (event) => {
    const thumb = event.target.closest?.("button[name='rate']");
    if (!thumb) return;
    const [exchange, verdict] = thumb.value.split(" ");
    const bubble = thumb.closest("[id^='turn-']");
    if (verdict === "down" && !bubble.querySelector(".qa-own")) {
      ask(exchange, bubble.classList.contains("qa-refusal"));
    } else {
      qa.send({ do: "rate", exchange, verdict, right: null });
      qa.say("Thank you, noted.");
    }
  });
})();
