// A form marked data-sends tells how much of its files has been sent. Without this script the browser sends it by itself.

/** 4.2 MB: a decimal unit, as the server writes sizes. */
function said(bytes: number): string {
  const mega = bytes / 1e6;
  return mega < 1000 ? `${mega.toFixed(1)} MB` : `${(mega / 1000).toFixed(1)} GB`;
}

function send(form: HTMLFormElement, words: string): void {
  const shown = form.querySelector<HTMLElement>("[data-sending]");
  const bar = shown?.querySelector("progress");
  const line = shown?.querySelector<HTMLElement>("[role=status]");
  const button = form.querySelector<HTMLButtonElement>("[type=submit]");
  const body = new FormData(form);
  if (!shown || !bar || !line) return;
  shown.hidden = false;
  if (button) button.disabled = true;
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.responseType = "document";
  request.setRequestHeader("Accept", "text/html");
  request.upload.addEventListener("progress", (event) => {
    const percent = event.total ? Math.floor((event.loaded / event.total) * 100) : 0;
    bar.value = percent;
    const next = words.replace("{percent}", String(percent)).replace("{size}", said(event.total));
    if (line.textContent !== next) line.textContent = next;
  });
  const refused = (sentence: string): void => {
    shown.hidden = true;
    if (button) button.disabled = false;
    const box = document.getElementById("trouble");
    if (!box) return;
    const notice = document.createElement("p");
    notice.className = "notice notice-bad";
    notice.textContent = sentence;
    box.replaceChildren(notice);
  };
  request.addEventListener("load", () => {
    if (request.status < 300) {
      // After the redirect: the page of what was sent.
      window.location.assign(request.responseURL);
      return;
    }
    const alert = request.responseXML?.querySelector("main [role=alert], main p");
    refused(alert?.textContent?.trim() || form.dataset.broken || "");
  });
  request.addEventListener("error", () => refused(form.dataset.broken ?? ""));
  request.send(body);
}

document.addEventListener("submit", (event) => {
  const form = (event.target as HTMLElement).closest<HTMLFormElement>("form[data-sends]");
  if (!form || event.defaultPrevented) return;
  event.preventDefault();
  document.getElementById("trouble")?.replaceChildren();
  send(form, form.dataset.sends ?? "");
});
