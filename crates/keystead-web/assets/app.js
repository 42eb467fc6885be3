// Everything works without this script; it makes some things pleasant. No inline handlers, no libraries.
'use strict';

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Copying: by the clipboard where the browser allows it, else by selecting, so that Ctrl+C is all that is left to do.
for (const button of all('[data-copy]')) {
  button.addEventListener('click', async () => {
    const field = document.querySelector(button.dataset.copy);
    const status = document.querySelector('#copied');
    if (field.select) {
      field.focus();
      field.select();
    } else getSelection().selectAllChildren(field);
    try {
      await navigator.clipboard.writeText(field.value || field.textContent);
      button.textContent = 'Copied';
      if (status) status.textContent = 'Copied to the clipboard';
    } catch {
      button.textContent = 'Press Ctrl+C';
      if (status) status.textContent = 'Selected; press Ctrl+C to copy';
    }
    if (/ks_(agency|location)_/.test(field.value || field.textContent)) stored();
  });
}

for (const button of all('[data-download]')) {
  button.addEventListener('click', () => {
    const text = document.querySelector(button.dataset.download).value;
    const link = document.createElement('a');
    link.href = `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`;
    link.download = button.dataset.name;
    link.click();
    stored();
  });
}

// Leaving the page that shows a secret asks once, until it was copied or downloaded.
const unsaved = document.querySelector('[data-unsaved]');
let isStored = !unsaved;
function stored() { isStored = true; }
if (unsaved) {
  window.addEventListener('beforeunload', (event) => { if (!isStored) event.preventDefault(); });
  unsaved.addEventListener('copy', stored);
  const done = document.querySelector('[data-leaves-secret]');
  if (done) done.addEventListener('click', stored);
}

// What was typed into a form, and not sent, is left behind only by who says so.
for (const form of all('form[data-typed]')) {
  let isTyped = false;
  form.addEventListener('input', () => { isTyped = true; });
  form.addEventListener('submit', () => { isTyped = false; });
  window.addEventListener('beforeunload', (event) => { if (isTyped) event.preventDefault(); });
}

// The page that waits for a key's first call.
const waiting = document.querySelector('[data-poll]');
if (waiting) {
  const ask = async () => {
    try {
      const answer = await fetch(waiting.dataset.poll, { headers: { Accept: 'text/plain' } });
      const call = answer.ok ? await answer.text() : '';
      if (call) {
        const pill = waiting.querySelector('.pill');
        pill.className = 'pill good';
        pill.textContent = 'First call received';
        waiting.querySelector('.small').textContent = call;
        return;
      }
    } catch { /* The server may be restarting; ask again. */ }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 1000);
}

// What is still going on is asked for again until it is over; then its page is shown anew, with all that there is since.
for (const part of all('[data-refresh]')) {
  const ask = async () => {
    if (!document.hidden) {
      const answer = await fetch(part.dataset.refresh).catch(() => null);
      // Without a session it leads to the sign-in, which is no part of this page.
      if (answer && answer.ok && !answer.redirected) {
        part.innerHTML = await answer.text();
        if (part.querySelector('[data-over]')) { location.reload(); return; }
      }
    }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 1000);
}
for (const part of all('[data-without-script]')) part.hidden = true;

for (const list of all('[role="tablist"]')) {
  const tabs = all('[role="tab"]', list);
  const select = (chosen) => {
    for (const tab of tabs) {
      const on = tab === chosen;
      tab.setAttribute('aria-selected', String(on));
      tab.tabIndex = on ? 0 : -1;
      document.getElementById(tab.getAttribute('aria-controls')).hidden = !on;
    }
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener('click', () => select(tab));
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      select(next);
      next.focus();
    });
  });
  select(tabs[0]);
}

// Parts of a form that belong to one choice.
for (const part of all('[data-show-for]')) {
  const [name, values] = part.dataset.showFor.split('=');
  const form = part.closest('form');
  const update = () => {
    // Of buttons to choose one from, the chosen one's; of a list, that which stands in it.
    const chosen = form.querySelector(`[name="${name}"]:checked, select[name="${name}"]`);
    part.hidden = !values.split(',').includes(chosen ? chosen.value : '');
  };
  form.addEventListener('change', update);
  update();
}

// The form of a new key: a preset shows its scopes, another box makes them one's own, and a sentence says what comes of it.
const form = document.querySelector('[data-in-short]');
if (form) {
  const boxes = all('.matrix input', form);
  const checked = (name) => (form.querySelector(`[name="${name}"]:checked`) || {}).value;
  const say = (part, text) => {
    const place = document.querySelector(`[data-short="${part}"]`);
    (place.firstElementChild || place).textContent = text;
  };
  const names = (way) => {
    const of = boxes.filter((box) => box.getAttribute('aria-label').endsWith(`: ${way}`) && box.checked);
    const titles = of.map((box) => box.closest('tr').querySelector('b').textContent.toLowerCase().replace('api keys', 'API keys'));
    const last = titles.pop();
    return titles.length ? `${titles.join(', ')} and ${last}` : last || 'nothing';
  };
  const placed = () => {
    const kind = checked('kind');
    if (!kind) return null;
    if (kind === 'location') {
      const location = form.elements.locationId;
      return location.value ? location.selectedOptions[0].textContent : 'one location';
    }
    const count = all('[name="allowedLocations"]:checked', form).length;
    if (checked('reach') !== 'chosen') return 'all locations';
    return count === 1 ? '1 location' : `${count} locations`;
  };
  const tell = (event) => {
    const preset = form.querySelector('[name="preset"]:checked');
    // Whoever chooses it begins with nothing; whoever changes a preset goes on from there.
    if (event && event.target.value === 'custom') for (const box of boxes) box.checked = false;
    if (event && boxes.includes(event.target)) form.querySelector('[value="custom"]').checked = true;
    else if (preset.dataset.scopes !== undefined) for (const box of boxes) box.checked = preset.dataset.scopes.split(' ').includes(box.value);
    for (const box of boxes.filter((box) => box.dataset.agencyOnly !== undefined)) {
      box.disabled = checked('kind') === 'location';
      if (box.disabled) box.checked = false;
    }
    for (const choice of all('[name="preset"][data-scopes]', form)) {
      if (checked('kind')) choice.closest('label').querySelector('.may').textContent = choice.dataset[checked('kind')];
    }
    const card = form.querySelector('[name="preset"]:checked').closest('label').querySelector('.may').textContent;
    const [, reads, writes] = /^Reads (.*); writes (.*)$/.exec(card) || [null, names('read'), names('write')];
    say('reads', reads);
    say('writes', writes === reads && reads !== 'nothing' ? 'the same' : writes);
    say('name', form.elements.name.value.trim() || '…');
    if (checked('kind')) say('kind', checked('kind') === 'agency' ? 'An agency key' : 'A location key');
    const place = placed();
    if (place) say('place', place);
    say('addresses', form.elements.allowedIps.value.trim() ? 'the addresses below only' : 'any address');
    const expires = document.querySelector('[data-short="expires"]');
    expires.hidden = !form.elements.expiresAt.value;
    expires.lastElementChild.textContent = `the end of ${form.elements.expiresAt.value}`;
  };
  form.addEventListener('change', tell);
  form.addEventListener('input', tell);
  tell();
}

for (const part of all('[data-needs-script]')) part.hidden = false;

for (const input of all('[data-filter]')) {
  const entries = all('li', document.querySelector(input.dataset.filter));
  input.addEventListener('input', () => {
    const wanted = input.value.trim().toLowerCase();
    for (const entry of entries) entry.hidden = !entry.textContent.toLowerCase().includes(wanted);
  });
}

// Of a key that is pasted into a search only the public id is kept, before anything is sent, and whether it is a whole key.
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const checksum = (text) => {
  let crc = ~0;
  for (const character of text) {
    crc ^= character.charCodeAt(0);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let left = ~crc >>> 0;
  let sum = '';
  for (; sum.length < 6; left = Math.floor(left / 62)) sum = digits[left % 62] + sum;
  return sum;
};
const flawOf = (key, secret) => {
  if (secret.length < 38) return `short-${38 - secret.length}`;
  return key.slice(-6) === checksum(key.slice(0, -6)) ? '' : 'mistyped';
};
for (const input of all('[data-key-search]')) {
  const flaw = document.createElement('input');
  flaw.type = 'hidden';
  flaw.name = 'flaw';
  input.after(flaw);
  input.addEventListener('input', () => {
    const pasted = /ks_(?:agency|location)_([0-9A-Za-z]{12})_([0-9A-Za-z]{8,38})/.exec(input.value);
    flaw.value = pasted ? flawOf(pasted[0], pasted[2]) : '';
    if (pasted) input.value = pasted[1];
  });
}

// Menus close on Escape and on a click elsewhere; the switcher's first place is what Enter goes to.
const menus = () => all('details[name="menu"][open]');
document.addEventListener('click', (event) => { for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false; });
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const menu of menus()) { menu.open = false; menu.querySelector('summary').focus(); }
});
document.addEventListener('keydown', (event) => {
  const help = document.querySelector('#shortcuts');
  if (event.key !== '?' || !help || event.target.closest('input, textarea, select, [contenteditable]')) return;
  event.preventDefault();
  help.togglePopover();
});
const places = document.querySelector('#switch-filter');
if (places) {
  places.closest('details').addEventListener('toggle', (event) => { if (event.target.open) places.focus(); });
  places.addEventListener('keydown', (event) => {
    const first = all('#switch-places li').find((entry) => !entry.hidden);
    if (event.key !== 'Enter' || !first) return;
    event.preventDefault();
    first.querySelector('a').click();
  });
}

// The search at the top: what is found while somebody types, and keys that lead there and through it.
const finder = document.querySelector('[data-find]');
if (finder) {
  const input = finder.querySelector('input');
  const panel = finder.nextElementSibling;
  const status = panel.firstElementChild;
  const list = panel.lastElementChild;
  let asked = '';
  let waiting = 0;
  const close = () => { panel.hidden = true; };
  const ask = async () => {
    const query = input.value.trim();
    if (query === asked) { panel.hidden = !query; return; }
    asked = query;
    if (!query) return close();
    const flaw = finder.querySelector('[name="flaw"]').value;
    const answer = await fetch(`${finder.dataset.find}?q=${encodeURIComponent(query)}${flaw && `&flaw=${flaw}`}`).catch(() => null);
    // What was typed meanwhile is asked for by itself.
    if (!answer || !answer.ok || asked !== query) return;
    list.innerHTML = await answer.text();
    const count = all('li', list).length;
    status.textContent = count === 1 ? '1 result' : `${count} results`;
    panel.hidden = false;
  };
  input.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(ask, 150); });
  input.addEventListener('focus', () => { if (list.childElementCount && input.value.trim() === asked) panel.hidden = !asked; });
  document.addEventListener('click', (event) => { if (!finder.contains(event.target) && !panel.contains(event.target)) close(); });
  const move = (event) => {
    const links = all('a', panel);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    // Once closes the panel, and twice, as browsers have it, empties the field.
    if (event.key === 'Escape' && !panel.hidden) { event.preventDefault(); close(); input.focus(); }
    if (!step || panel.hidden || !links.length) return;
    event.preventDefault();
    const next = links.indexOf(document.activeElement) + step;
    if (next < 0) input.focus(); else (links[next] || links[0]).focus();
  };
  for (const part of [finder, panel]) part.addEventListener('keydown', move);
  document.addEventListener('keydown', (event) => {
    const writes = event.target.closest('input, textarea, select, [contenteditable]');
    const isKey = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k';
    if (!isKey && (event.key !== '/' || writes || event.ctrlKey || event.metaKey || event.altKey)) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}

// Of many views the open one is in sight.
for (const tab of all('.views [aria-current]')) tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });

// A box above a list chooses all of its rows.
for (const box of all('[data-pick-all]')) {
  box.closest('label').hidden = false;
  box.addEventListener('change', () => {
    for (const one of all('tbody input[type=checkbox]', box.closest('table'))) one.checked = box.checked;
  });
}

// What is done to the chosen rows says how many they are.
for (const bulk of all('.bulk')) {
  const form = bulk.closest('form');
  const say = () => {
    bulk.querySelector('.chosen').textContent = `${all('tbody input[type=checkbox]:checked', form).length} chosen`;
  };
  form.addEventListener('change', say);
  addEventListener('pageshow', say);
}

// Cards are moved by dragging them to another stage, or by its number: either way by the button of their menu.
const board = document.querySelector('[data-board]');
if (board) {
  const stages = all('[data-stage]', board);
  const buttonOf = (card, stage) => card.querySelector(`[formaction$="/move/${stage.dataset.stage}"]`);
  let dragged = null;
  const leave = () => { for (const stage of stages) stage.classList.remove('target'); };
  for (const card of all('.deal:has(.menu)', board)) {
    card.draggable = true;
    card.addEventListener('dragstart', (event) => {
      dragged = card;
      card.classList.add('dragged');
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', card.querySelector('h3').textContent);
    });
    card.addEventListener('dragend', () => { dragged = null; card.classList.remove('dragged'); leave(); });
    card.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return;
      const stage = stages[Number(event.key) - 1];
      const button = stage && buttonOf(card, stage);
      if (button) { event.preventDefault(); button.click(); }
    });
  }
  for (const stage of stages) {
    const takes = (event) => {
      if (!dragged || !buttonOf(dragged, stage)) return;
      event.preventDefault();
      leave();
      stage.classList.add('target');
    };
    stage.addEventListener('dragenter', takes);
    stage.addEventListener('dragover', takes);
    stage.addEventListener('drop', (event) => {
      const button = dragged && buttonOf(dragged, stage);
      if (button) { event.preventDefault(); button.click(); }
    });
  }
}

// The server tells times in the browser's zone, which only a script can say; the next page has it.
const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (browserZone) {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `keystead-zone=${browserZone}; Path=/; SameSite=Lax; Max-Age=31536000${secure}`;
}
const zones = document.querySelector('[data-guess-zone]');
if (zones && zones.value === 'UTC' && !document.querySelector('.summary')) zones.value = browserZone || 'UTC';

// Long lists of what suits a field come when somebody turns to it.
for (const field of all('[data-choices]')) {
  field.addEventListener('focus', async () => {
    const answer = await fetch(`/app/choices/${field.dataset.choices}`);
    if (answer.ok) field.list.innerHTML = await answer.text();
  }, { once: true });
}

// The bell's count stays live: by a stream of events, and by asking now and then where there is none.
const bell = document.querySelector('[data-count]');
if (bell) {
  const show = (count) => {
    const badge = bell.querySelector('b');
    badge.firstElementChild.textContent = count;
    badge.hidden = count === '0';
  };
  let stream = null;
  const listen = () => {
    if (stream || document.hidden) return;
    stream = new EventSource(bell.dataset.count);
    stream.onmessage = (event) => show(event.data);
    stream.onerror = () => {
      // A stream that ended opens again by itself; one that was refused does not.
      if (stream.readyState !== EventSource.CLOSED) return;
      stream = null;
      setTimeout(listen, 30000);
    };
  };
  document.addEventListener('visibilitychange', () => {
    if (document.hidden && stream) { stream.close(); stream = null; } else listen();
  });
  listen();
}
