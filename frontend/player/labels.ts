// media-chrome's labels in the page's language. Must run before its elements are defined.
import { addTranslation, setLanguage } from "media-chrome/dist/utils/i18n.js";

const root = document.querySelector<HTMLElement>("[data-player][data-labels]");
if (root) {
  const language = document.documentElement.lang || "en";
  addTranslation(language, JSON.parse(root.dataset.labels ?? "{}"));
  setLanguage(language);
}
