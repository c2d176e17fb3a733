import init from "{{module}}";

const say = (text) => {
  const box = document.getElementById("boot");
  if (!box) return;
  box.textContent = text;
  box.hidden = false;
};

// Nothing is said while it is quick.
const slow = setTimeout(() => say("Loading…"), 400);
init({ module_or_path: "{{wasm}}" })
  .then(() => document.getElementById("boot")?.remove())
  .catch((error) => say(`The page did not start: ${error}. Reload it, or use a newer browser.`))
  .finally(() => clearTimeout(slow));

// A link with a key that is opened where the page is already: the page takes keys at its start.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#key=")) location.reload();
});
