// Before the first paint: the theme that was chosen here, else the system's.
try {
  const chosen = localStorage.getItem("hlsops.theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is forbidden: the system's theme it is.
}
