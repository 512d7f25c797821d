// The studio's script: htmx, set up for a policy without eval and inline styles, and a few keyboard comforts.
// htmx reads its settings from the page (<meta name="htmx-config"> in studio/base.html) when it loads; the policy's script-src
// keeps `hx-on` and `js:` expressions from running.
import "htmx.org";
import "./studio/queue";

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
