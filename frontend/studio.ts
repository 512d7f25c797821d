// The studio's script: htmx, set up for a policy without eval and inline styles, and a few keyboard comforts.
// htmx reads its settings from the page (<meta name="htmx-config"> in studio/base.html) when it loads; the policy's script-src
// keeps `hx-on` and `js:` expressions from running.
import "htmx.org";
import "./studio/queue";
import "./studio/sending";

/** A sentence in data-confirm is asked before its form is sent. */
document.addEventListener(
  "submit",
  (event) => {
    const asked = (event as SubmitEvent).submitter?.closest<HTMLElement>("[data-confirm]") ?? (event.target as HTMLElement).closest<HTMLElement>("[data-confirm]");
    if (asked?.dataset.confirm && !window.confirm(asked.dataset.confirm)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  },
  true,
);

/** A form marked data-guard warns before typed words are lost. */
const unsaved = new WeakSet<HTMLFormElement>();
let guarded = 0;
document.addEventListener("input", (event) => {
  const form = (event.target as HTMLElement).closest<HTMLFormElement>("form[data-guard]");
  if (!form || unsaved.has(form)) return;
  unsaved.add(form);
  guarded += 1;
});
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && unsaved.delete(event.target as HTMLFormElement)) guarded -= 1;
});
window.addEventListener("beforeunload", (event) => {
  if (guarded > 0) event.preventDefault();
});

/** A select or checkbox in a form marked data-autosubmit (filters) sends it by itself; without script there is a button. */
document.addEventListener("change", (event) => {
  const control = event.target as HTMLElement;
  const form = control.closest<HTMLFormElement>("form[data-autosubmit]");
  if (form && control.matches("select, [type=checkbox], [type=radio]")) form.requestSubmit();
});

/** A new try takes away what was said about the last one. */
document.addEventListener("htmx:before:request", () => document.getElementById("trouble")?.replaceChildren());

/** After a swap, a first field in error takes the focus, as it would on a whole new page. */
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.target instanceof Element ? event.target : document;
  target.querySelector<HTMLElement>(".error-summary, [aria-invalid=true]")?.focus();
});

/** On a phone the studio's pages are one row that scrolls: the present one is brought into view. */
document.querySelector(".studio-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

/** A picture is sent by itself and stands in the text where the cursor was; without script the whole form goes with it. */
document.addEventListener("click", (event) => {
  const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-picture]");
  const text = document.getElementById(button?.dataset.picture ?? "");
  if (!button?.form || !(text instanceof HTMLTextAreaElement)) return;
  event.preventDefault();
  void putPicture(button, button.form, text);
});

async function putPicture(button: HTMLButtonElement, form: HTMLFormElement, text: HTMLTextAreaElement): Promise<void> {
  const names = ["picture", "picture_alt", "picture_caption"] as const;
  const fieldOf = (name: string): HTMLInputElement => form.elements.namedItem(name) as HTMLInputElement;
  const sent = new FormData();
  for (const [name, value] of new FormData(form)) if (name.startsWith("picture")) sent.append(name, value);
  const said = document.getElementById("picture-said");
  const say = (words: string): void => said?.replaceChildren(words);
  for (const name of names) refuse(fieldOf(name), "");
  button.disabled = true;
  say(button.dataset.saying ?? "");
  try {
    const answer = await fetch(button.formAction, { method: "POST", body: sent, headers: { Accept: "application/json" } });
    const told = (await answer.json()) as { line?: string; errors?: Record<string, string>; detail?: string };
    say(told.errors || told.line ? "" : (told.detail ?? ""));
    for (const name of names) refuse(fieldOf(name), told.errors?.[name] ?? "");
    names.map(fieldOf).find((input) => input.getAttribute("aria-invalid"))?.focus();
    if (told.line) {
      insertLine(text, told.line);
      for (const name of names) fieldOf(name).value = "";
      fieldOf("picture_decorative").checked = false;
    }
  } catch {
    say(button.dataset.trouble ?? "");
  }
  button.disabled = false;
}

/** The sentence beside a field, as forms.html writes it; an empty one takes it away. */
function refuse(input: HTMLInputElement, sentence: string): void {
  const id = `${input.id}-error`;
  document.getElementById(id)?.remove();
  const help = document.getElementById(`${input.id}-help`);
  input.removeAttribute("aria-invalid");
  if (help) input.setAttribute("aria-describedby", help.id);
  else input.removeAttribute("aria-describedby");
  if (!sentence) return;
  const words = document.createElement("p");
  words.className = "field-error";
  words.id = id;
  words.textContent = sentence;
  input.before(words);
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", help ? `${id} ${help.id}` : id);
}

/** A paragraph of its own after the line in which the cursor is, with the empty lines that Markdown wants around it. */
function insertLine(text: HTMLTextAreaElement, line: string): void {
  const end = text.value.indexOf("\n", text.selectionEnd);
  const place = end < 0 ? text.value.length : end;
  const before = text.value.slice(0, place).replace(/\n+$/, "");
  const after = text.value.slice(place).replace(/^\n+/, "");
  const head = before ? `${before}\n\n` : "";
  text.value = `${head}${line}\n\n${after}`;
  text.focus();
  text.setSelectionRange(head.length + line.length, head.length + line.length);
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

/** "Start where the film is now": the time of the page's film goes into a field. */
for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-take-time]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const film = document.querySelector<HTMLVideoElement>(".player video");
    const input = document.getElementById(button.dataset.takeTime ?? "");
    if (!film || !(input instanceof HTMLInputElement)) return;
    const tenths = Math.round(film.currentTime * 10);
    input.value = `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
    input.focus();
  });
}
