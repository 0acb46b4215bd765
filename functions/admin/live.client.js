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

  // The state of things is renewed in place, often while a sync is running. What may be old is taken away: an
  // election must not open because of a page that nobody has renewed.
  const OLD_MS = 180_000;
  let seen = Date.now();
  const show = (page) => {
    const [region, next] = [find('[data-live]'), page.querySelector('[data-live]')];
    find('[data-time]').textContent = page.querySelector('[data-time]').textContent;
    if (next.innerHTML === region.innerHTML) return;
    const focused = document.activeElement;
    const href = region.contains(focused) ? focused.getAttribute('href') : null;
    region.replaceWith(next);
    const links = [...next.querySelectorAll('a')];
    links.find((link) => link.getAttribute('href') === href)?.focus({ preventScroll: true });
  };
  const judge = (isLost) => {
    const [region, old] = [find('[data-live]'), find('[data-old]')];
    if (!region) return;
    const isOld = isLost || Date.now() - seen > OLD_MS;
    if (isOld && region.contains(document.activeElement)) old.focus({ preventScroll: true });
    if (old.hidden === isOld) [old.hidden, region.hidden] = [!isOld, isOld];
  };
  const renew = async () => {
    let isLost = false;
    try {
      const response = await fetch(location.href, {
        headers: { 'X-Requested-With': 'XMLHttpRequest' },
        signal: AbortSignal.timeout(30_000),
      });
      // The session is over: only a navigation can renew it.
      if (response.status === 401) return location.reload();
      if (!response.ok) throw new Error();
      show(new DOMParser().parseFromString(await response.text(), 'text/html'));
      seen = Date.now();
    } catch {
      isLost = true;
    }
    judge(isLost);
    plan();
  };
  const plan = () => {
    const region = find('[data-live]');
    if (region) setTimeout(renew, Number(region.dataset.live) * 1000);
  };
  plan();
  // A computer that was asleep shows what was true when it fell asleep.
  document.addEventListener('visibilitychange', () => judge(false));
  setInterval(() => judge(!find('[data-old]')?.hidden), 10_000);
})();
