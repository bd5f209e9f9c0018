"use strict";

/* Conversations are kept in this browser, as plain values; the server shows them again as it shows new ones. */
(() => {
  const PREFIX = "qa.talk.";
  const CURRENT = "qa.current";
  const MOST_TALKS = 50;
  const MOST_EXCHANGES = 100;
  const memory = new Map(); // where the browser keeps nothing

  function read(key) {
    try {
      const talk = JSON.parse(localStorage.getItem(key));
      return talk && Array.isArray(talk.exchanges) ? talk : null;
    } catch {
      return memory.get(key) ?? null;
    }
  }

  function keys() {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    } catch {
      return [...memory.keys()];
    }
  }

  /** All kept conversations, the newest first. */
  function talks() {
    const found = keys().map((key) => ({ key, ...read(key) }));
    return found.filter((talk) => talk.exchanges?.length).sort((one, other) => other.changed - one.changed);
  }

  function forget(key) {
    memory.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      /* nothing is kept, so nothing is to be forgotten */
    }
  }

  function write(key, talk) {
    for (const old of talks().slice(MOST_TALKS)) forget(old.key);
    for (;;) {
      try {
        localStorage.setItem(key, JSON.stringify(talk));
        return;
      } catch {
        const oldest = talks().filter((other) => other.key !== key).pop();
        if (oldest) forget(oldest.key);
        else return void memory.set(key, talk);
      }
    }
  }

  function current(key) {
    try {
      if (key === undefined) return sessionStorage.getItem(CURRENT);
      if (key === null) sessionStorage.removeItem(CURRENT);
      else sessionStorage.setItem(CURRENT, key);
    } catch {
      /* then a reload begins anew */
    }
    return key ?? null;
  }

  let seen = "";

  function keep() {
    const text = document.querySelector("#record .qa-record")?.textContent ?? "";
    if (text === seen) return;
    seen = text;
    if (!text) return;
    const { conversation, exchange } = JSON.parse(text);
    const key = PREFIX + conversation;
    const talk = read(key) ?? { exchanges: [] };
    const place = talk.exchanges.findIndex((other) => other.id === exchange.id);
    if (place < 0) talk.exchanges.push(exchange);
    else talk.exchanges[place] = exchange;
    talk.exchanges = talk.exchanges.slice(-MOST_EXCHANGES);
    talk.changed = Date.now();
    write(key, talk);
    current(key);
  }

  function open(key) {
    const talk = read(key);
    if (!talk) return;
    current(key);
    qa.send({ do: "open", id: key.slice(PREFIX.length), exchanges: talk.exchanges });
  }

  let restored = false;

  qa.changed(() => {
    keep();
    if (!restored && document.querySelector("#command textarea, #command input")) {
      restored = true;
      const key = current();
      if (key) setTimeout(() => open(key), 0);
    }
  });

  function when(time) {
    return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(time);
  }

  function showTalks() {
    const list = qa.element("ul", { className: "qa-talks" });
    const hint = qa.element("p", { className: "qa-dialog-hint" }, "Kept in this browser only.");
    const dialog = qa.dialog("Earlier conversations", hint, list);
    const fill = () => {
      const rows = talks().map((talk) => {
        const count = talk.exchanges.length === 1 ? "1 question" : `${talk.exchanges.length} questions`;
        const title = qa.element("span", { className: "qa-talk-title", dir: "auto" }, talk.exchanges[0].question.slice(0, 200));
        const about = qa.element("span", { className: "qa-talk-about" }, `${count} · ${when(talk.changed)}`);
        const opening = qa.element("button", { type: "button", className: "qa-talk" }, title, about);
        opening.addEventListener("click", () => (dialog.close(), open(talk.key)));
        const removing = qa.element("button", { type: "button", className: "qa-remove", title: "Forget" }, "×");
        removing.setAttribute("aria-label", `Forget “${talk.exchanges[0].question.slice(0, 60)}”`);
        removing.addEventListener("click", () => {
          forget(talk.key);
          if (current() === talk.key) current(null);
          fill();
          (list.querySelector("button") ?? dialog.querySelector(".qa-close")).focus();
        });
        return qa.element("li", {}, opening, removing);
      });
      list.replaceChildren(...rows);
      if (!rows.length) hint.textContent = "None yet. What you ask is kept in this browser only.";
    };
    fill();
  }

  const plain = (text) => text.replace(/\s+/g, " ").trim().replace(/[\\`*_{}[\]<>()#+\-.!|~$&:]/g, "\\$&");

  /** A conversation as Markdown, in which no text of a document or a person has any effect but to be read. */
  function markdown(talk) {
    const lines = ["# Conversation", ""];
    for (const exchange of talk.exchanges) {
      lines.push(`## ${plain(exchange.question)}`, "");
      if (exchange.read_as !== exchange.question) lines.push(`Understood as: ${plain(exchange.read_as)}`, "");
      if (exchange.answer === null) lines.push("*The documents don't say.*", "");
      else lines.push(`**${plain(exchange.answer)}** (${Math.round(100 * exchange.confidence)} % sure)`, "");
      if (exchange.fluent) {
        const said = exchange.fluent.lines.map((line) => {
          const cites = line.cites.map((number) => `[${number}]`).join("");
          return `${plain(line.text)} ${cites}${line.doubt === null ? "" : " *(unsupported)*"}`;
        });
        lines.push(`Written by ${plain(exchange.fluent.model)}, a language model: ${said.join(" ")}`, "");
      }
      exchange.quotes.slice(0, exchange.cited).forEach((quote, number) => {
        const [start, end] = quote.sentence;
        const name = quote.name.replace(/^your documents\//, "");
        const place = quote.place === null ? "" : `, ${plain(quote.place)}`;
        const from = quote.start + quote.answer[0];
        const to = quote.start + quote.answer[1];
        lines.push(`> ${plain(quote.text.slice(start, end))}`, ">");
        lines.push(`> [${number + 1}] ${plain(quote.title)} · ${plain(name)}${place} · characters ${from}–${to}`, "");
      });
      for (const source of exchange.fluent?.sources ?? []) {
        if (source.number <= exchange.cited) continue;
        lines.push(`> ${plain(source.text)}`, ">", `> [${source.number}] ${plain(source.title)}`, "");
      }
    }
    return lines.join("\n");
  }

  function save() {
    const key = current();
    const talk = key && read(key);
    if (!talk) return qa.say("There is no conversation to save yet.");
    const address = URL.createObjectURL(new Blob([markdown(talk)], { type: "text/markdown;charset=utf-8" }));
    qa.element("a", { href: address, download: "conversation.md" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("button[name='history']")) showTalks();
    if (event.target.closest?.("button[name='export']")) save();
    if (event.target.closest?.("#clear")) current(null);
  });
})();
