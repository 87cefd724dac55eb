// Says so when the page has stopped following the server: an old page that looks alive is worse than none.
"use strict";
(() => {
  const stale = document.getElementById("stale");
  const behind = new Set(); // the parts of the page whose last refresh failed

  const lastTime = () => document.querySelector("[data-time]")?.dataset.time ?? "";

  const show = () => {
    const still = behind.size > 0;
    if (still && stale.hidden) stale.textContent = stale.dataset.text.replace("{time}", lastTime());
    stale.hidden = !still;
    document.body.classList.toggle("behind", still);
    const title = document.querySelector("[data-title]")?.dataset.title;
    if (title) document.title = title;
  };

  const failed = (event) => {
    behind.add(event.target.id);
    show();
  };

  document.addEventListener("htmx:after:swap", (event) => {
    const status = event.detail.ctx?.response?.status;
    if (status === undefined || status >= 400) return;
    behind.delete(event.target.id);
    show();
  });
  document.addEventListener("htmx:response:error", failed);
  document.addEventListener("htmx:error", failed);
})();
