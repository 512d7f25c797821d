// Forms that anybody may send: while somebody writes, a worker does the proof of work that lets what is sent go its way at once.
// Whatever goes wrong with it, the form is sent all the same; what it says then waits.
import type { Work } from "./proof";

const LONGEST_WAIT_MS = 8000;

function work(form: HTMLFormElement, field: HTMLInputElement): Promise<void> {
  const { worker: address = "", pieces, bits } = field.dataset;
  const stamp = form.querySelector<HTMLInputElement>("[name=stamp]")?.value ?? "";
  return new Promise((done) => {
    try {
      const worker = new Worker(address);
      worker.onmessage = (event: MessageEvent<string>) => {
        field.value = event.data;
        worker.terminate();
        done();
      };
      worker.onerror = () => done();
      worker.postMessage({ challenge: stamp.slice(stamp.lastIndexOf(".") + 1), pieces: Number(pieces), bits: Number(bits) } satisfies Work);
    } catch {
      done();
    }
  });
}

function prepare(form: HTMLFormElement, field: HTMLInputElement): void {
  let working: Promise<void> | undefined;
  let isWaited = false;
  // A browser that fills the form in again after a reload would keep the work for another stamp.
  field.value = "";
  form.addEventListener("focusin", () => (working ??= work(form, field)));
  form.addEventListener("submit", (event) => {
    if (field.value || isWaited) return;
    event.preventDefault();
    working ??= work(form, field);
    const says = form.querySelector("[role=status]");
    if (says) says.textContent = field.dataset.wait ?? "";
    const late = new Promise((done) => setTimeout(done, LONGEST_WAIT_MS));
    void Promise.race([working, late]).then(() => {
      isWaited = true;
      form.requestSubmit((event as SubmitEvent).submitter);
    });
  });
}

// A page may have several: an article its responses and whatever it announces.
for (const field of document.querySelectorAll<HTMLInputElement>("input[name=proof]")) if (field.form) prepare(field.form, field);
