// Light or dark, before anything is painted: not a module, which would come later.
"use strict";

(() => {
  const inTheDark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => localStorage.getItem("ddpm-theme") ?? (inTheDark.matches ? "dark" : "light");
  const show = () => { document.documentElement.dataset.theme = theme(); };
  show();
  inTheDark.addEventListener("change", show);
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      localStorage.setItem("ddpm-theme", theme() === "dark" ? "light" : "dark");
      show();
    });
  });
})();
