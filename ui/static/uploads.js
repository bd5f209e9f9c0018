"use strict";

/* One's own documents: dropped, pasted or chosen; listed above the question box with how far they are. */
(() => {
  const tab = [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(36)).join("");
  const POLL_MS = 600;
  const chooser = qa.element("input", { type: "file", multiple: true, hidden: true });
  const list = qa.element("ul", { className: "qa-shelf" });
  list.setAttribute("aria-label", "Your documents");
  let documents = []; // as the server tells
  let sending = []; // on their way: {name, progress, message}
  let limits = { formats: [], megabytes: 25, files: 20 };
  let polling = 0;
  let busy = false;

  const enabled = () => document.querySelector("#documents") !== null;

  async function refresh() {
    clearTimeout(polling);
    try {
      const reply = await fetch(`documents?tab=${tab}`);
      if (!reply.ok) return;
      const told = await reply.json();
      for (const one of told.documents) {
        const before = documents.find((other) => other.id === one.id);
        if (before && before.state !== one.state && ["ready", "failed"].includes(one.state)) {
          qa.tell(one.state === "ready" ? `${one.name} can be asked now.` : `${one.name}: ${one.message}`);
        }
      }
      documents = told.documents;
      limits = told;
      chooser.accept = told.formats.join(",");
      draw();
    } catch {
      /* the server is away; the page says so when a question is asked */
    }
    if (documents.some((one) => !["ready", "failed"].includes(one.state))) polling = setTimeout(refresh, POLL_MS);
  }

  function told(one) {
    switch (one.state) {
      case "sending": return `${Math.floor(100 * one.progress)} % sent`;
      case "waiting": return "waits its turn";
      case "reading": return "is being read";
      case "indexing": return `${Math.floor(100 * one.progress)} % indexed`;
      case "ready": return one.pages ? (one.pages === 1 ? "1 page" : `${one.pages} pages`) : "ready";
      default: return one.message;
    }
  }

  function chip(one, remove) {
    const item = qa.element("li", { className: `qa-document qa-${one.state}` });
    const name = qa.element("span", { className: "qa-document-name", title: one.name, dir: "auto" }, one.name);
    const state = qa.element("span", { className: "qa-document-state" }, told(one));
    const removing = qa.element("button", { type: "button", className: "qa-remove", title: "Remove" }, "×");
    removing.setAttribute("aria-label", `Remove ${one.name}`);
    removing.addEventListener("click", remove);
    item.style.setProperty("--progress", one.state === "sending" ? one.progress / 2 : 0.5 + one.progress / 2);
    item.append(name, state, removing);
    return item;
  }

  let drawn = "";

  function draw() {
    const place = document.querySelector("#documents");
    if (!place) return;
    const now = JSON.stringify([sending.map(({ name, progress, message, state }) => [name, progress, message, state]), documents]);
    if (now !== drawn || list.parentNode !== place) {
      drawn = now;
      const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
      list.replaceChildren(
        ...documents.map((one) => chip(one, () => remove(one))),
        ...sending.map((one) => chip(one, () => stop(one))),
      );
      if (list.childElementCount && list.parentNode !== place) place.replaceChildren(list);
      if (!list.childElementCount && list.parentNode) list.remove();
      if (focused) [...list.querySelectorAll("button")].find((one) => one.getAttribute("aria-label") === focused)?.focus();
    }
    document.body.classList.toggle("qa-own-ready", documents.some((one) => one.state === "ready"));
  }

  async function remove(one) {
    await fetch(`documents/${one.id}`, { method: "DELETE", headers: { "x-qa": "1" } });
    qa.tell(`${one.name} was removed.`);
    await refresh();
    document.querySelector("#add")?.focus();
  }

  function stop(one) {
    one.request?.abort();
    sending = sending.filter((other) => other !== one);
    draw();
    document.querySelector("#add")?.focus();
    next();
  }

  function add(files) {
    if (!enabled()) return;
    for (const file of files) {
      const one = { file, name: file.name, state: "sending", progress: 0, message: null };
      if (file.size > limits.megabytes * 1e6) fail(one, `larger than ${limits.megabytes} MB, the most that is taken`);
      sending.push(one);
    }
    draw();
    next();
  }

  function fail(one, message) {
    Object.assign(one, { state: "failed", message });
    qa.tell(`${one.name}: ${message}`);
    draw();
  }

  function next() {
    const one = sending.find((other) => other.state === "sending");
    if (busy || !one) return;
    busy = true;
    const request = new XMLHttpRequest();
    one.request = request;
    request.open("POST", `documents?name=${encodeURIComponent(one.name)}&tab=${tab}`);
    request.setRequestHeader("x-qa", "1");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) one.progress = event.loaded / event.total;
      draw();
    });
    request.addEventListener("loadend", async () => {
      busy = false;
      if (request.status === 201) {
        sending = sending.filter((other) => other !== one);
        await refresh();
      } else if (sending.includes(one)) {
        let message = "it could not be sent; is the server still there?";
        try {
          message = JSON.parse(request.responseText).message;
        } catch {
          if (request.status === 413) message = `larger than ${limits.megabytes} MB, the most that is taken`;
        }
        fail(one, message);
      }
      next();
    });
    request.send(one.file);
  }

  chooser.addEventListener("change", () => {
    add([...chooser.files]);
    chooser.value = "";
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("button[name='add']")) chooser.click();
  });

  // -- drag and drop ---------------------------------------------------------------------------------------------

  const veil = qa.element("div", { className: "qa-veil", hidden: true }, qa.element("p", {}, "Drop documents to ask about them"));
  veil.setAttribute("aria-hidden", "true");
  const files = (event) => enabled() && [...(event.dataTransfer?.types ?? [])].includes("Files");

  addEventListener("dragover", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    veil.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) veil.hidden = true;
  });
  addEventListener("drop", (event) => {
    veil.hidden = true;
    if (!files(event)) return;
    event.preventDefault();
    event.stopPropagation();
    add([...event.dataTransfer.files]);
  }, true);
  addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (!pasted.length || !enabled()) return;
    event.preventDefault();
    add(pasted);
  });

  // -- coming and going ------------------------------------------------------------------------------------------

  addEventListener("pagehide", () => navigator.sendBeacon(`documents/left?tab=${tab}`));
  addEventListener("pageshow", (event) => event.persisted && refresh());

  let begun = false;

  qa.changed(() => {
    if (!enabled()) return;
    if (!begun) {
      begun = true;
      document.body.append(veil, chooser);
      refresh();
    } else if (list.childElementCount && !list.isConnected) draw();
    const adding = document.querySelector("#add");
    if (adding && !adding.hasAttribute("aria-label")) adding.setAttribute("aria-label", "Add documents");
  });
})();
