// The moderation queue by keyboard. Keys count only while the focus is in the list, so they hinder no other use of the page
// (WCAG 2.1.4), and never in a field. What a key does, a button does too.

const FOCUS = "limber-queue";

const list = document.querySelector<HTMLElement>("[data-keys]");
const items = [...(list?.querySelectorAll<HTMLElement>(":scope > li") ?? [])];

function focusOn(at: number): void {
  const item = items[Math.min(Math.max(at, 0), items.length - 1)];
  for (const other of items) other.tabIndex = other === item ? 0 : -1;
  item?.focus();
}

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  const item = target.closest<HTMLElement>("[data-keys] > li");
  if (!item || event.ctrlKey || event.metaKey || event.altKey || target.matches("textarea, input:not([type=checkbox])")) return;
  const key = event.key.toLowerCase();
  const at = items.indexOf(item);
  const press = (button: HTMLElement | null | undefined): void => {
    // The page comes anew, and the next one stands where this one was.
    sessionStorage.setItem(FOCUS, String(at));
    button?.click();
  };
  if (key === "j") focusOn(at + 1);
  else if (key === "k") focusOn(at - 1);
  else if (key === "x") item.querySelector<HTMLInputElement>("[name=id]")?.click();
  else if (key === "u") press(document.querySelector<HTMLElement>("[data-undo]"));
  else if (key === "r") {
    const details = item.querySelector("textarea")?.closest("details");
    if (!details) return;
    details.open = true;
    details.querySelector<HTMLElement>("textarea")?.focus();
  } else {
    const button = item.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
    if (!button) return;
    press(button);
  }
  event.preventDefault();
}

if (list) {
  list.addEventListener("keydown", onKey);
  for (const hidden of document.querySelectorAll<HTMLElement>(".tick-all, .keys-help")) hidden.hidden = false;
  document.querySelector("[data-tick-all]")?.addEventListener("change", (event) => {
    for (const tick of list.querySelectorAll<HTMLInputElement>("[name=id]")) tick.checked = (event.target as HTMLInputElement).checked;
  });
  if (items[0]) items[0].tabIndex = 0;
  const before = sessionStorage.getItem(FOCUS);
  sessionStorage.removeItem(FOCUS);
  if (before !== null) focusOn(Number(before));
}
