// What the page does better with a script. Without it everything works too.
(() => {
  const find = (selector) => document.querySelector(selector);

  // A second click would start the same again.
  document.addEventListener('submit', (event) => {
    const button = event.submitter;
    if (!button) return;
    if (button.getAttribute('aria-disabled') === 'true') return event.preventDefault();
    button.setAttribute('aria-disabled', 'true');
    const words = document.body.dataset.working;
    if (!button.classList.contains('plain') && words) button.textContent = words;
  });
  // Back from another page: what was clicked there can be clicked again.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });

  // The state of things is renewed in place, often while a sync is running.
  const renew = async () => {
    const region = find('[data-live]');
    if (!region) return;
    try {
      const headers = { 'X-Requested-With': 'XMLHttpRequest' };
      const response = await fetch(location.href, { headers });
      // The session is over: only a navigation can renew it.
      if (response.status === 401) return location.reload();
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      const next = response.ok ? page.querySelector('[data-live]') : undefined;
      const busy =
        region.contains(document.activeElement) && document.activeElement !== document.body;
      if (next && next.innerHTML !== region.innerHTML && !busy) region.replaceWith(next);
    } catch {
      // The next time.
    }
    plan();
  };
  const plan = () => {
    const region = find('[data-live]');
    if (region) setTimeout(renew, Number(region.dataset.live) * 1000);
  };
  plan();
})();
