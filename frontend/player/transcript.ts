// A search in the transcript: lines without the words are hidden. Without scripts the whole text stands there.

/** Lower case and without accents, so that "dehnubung" finds "Dehnübung". */
const plain = (text: string): string =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase();

export function searchable(root: HTMLElement): void {
  const form = root.querySelector<HTMLElement>("[data-transcript-search]");
  const input = form?.querySelector("input");
  const found = form?.querySelector("[data-transcript-found]");
  if (!form || !input || !found) return;
  const words = JSON.parse(root.dataset.words ?? "{}") as Record<string, string>;
  const lines = [...root.querySelectorAll<HTMLElement>("li")].map((line) => ({
    line,
    text: plain(line.querySelector("a > span:last-child")?.textContent ?? ""),
  }));
  input.addEventListener("input", () => {
    const wanted = plain(input.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { line, text } of lines) {
      line.hidden = !wanted.every((word) => text.includes(word));
      if (!line.hidden) count++;
    }
    const said = count === 0 ? words.none : count === 1 ? words.one : words.many;
    found.textContent = wanted.length ? (said ?? "").replace("{n}", String(count)) : "";
  });
  form.hidden = false;
}
