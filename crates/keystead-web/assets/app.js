// Everything works without this script; it makes some things pleasant. No inline handlers, no libraries.
'use strict';

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Copying: by the clipboard where the browser allows it, else by selecting, so that Ctrl+C is all that is left to do.
for (const button of all('[data-copy]')) {
  button.addEventListener('click', async () => {
    const field = document.querySelector(button.dataset.copy);
    const status = document.querySelector('#copied');
    field.focus();
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = 'Copied';
      if (status) status.textContent = 'Copied to the clipboard';
    } catch {
      button.textContent = 'Press Ctrl+C';
      if (status) status.textContent = 'Selected; press Ctrl+C to copy';
    }
    stored();
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

for (const part of all('[data-needs-script]')) part.hidden = false;

for (const input of all('[data-filter]')) {
  const entries = all('li', document.querySelector(input.dataset.filter));
  input.addEventListener('input', () => {
    const wanted = input.value.trim().toLowerCase();
    for (const entry of entries) entry.hidden = !entry.textContent.toLowerCase().includes(wanted);
  });
}

// Of a whole key that is pasted into a search only the public id is kept, before anything is sent.
for (const input of all('[data-key-search]')) {
  input.addEventListener('input', () => {
    const key = /ks_(?:agency|location)_([0-9A-Za-z]{12})_[0-9A-Za-z]{8,}/.exec(input.value);
    if (key) input.value = key[1];
  });
}

// Menus close on Escape and on a click elsewhere; the switcher's first place is what Enter goes to.
const menus = () => all('details[name="menu"][open]');
document.addEventListener('click', (event) => { for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false; });
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const menu of menus()) { menu.open = false; menu.querySelector('summary').focus(); }
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
    const answer = await fetch(`${finder.dataset.find}?q=${encodeURIComponent(query)}`).catch(() => null);
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

// A box above a list chooses all of its rows.
for (const box of all('[data-pick-all]')) {
  box.closest('label').hidden = false;
  box.addEventListener('change', () => {
    for (const one of all('tbody input[type=checkbox]', box.closest('table'))) one.checked = box.checked;
  });
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

const zones = document.querySelector('[data-guess-zone]');
if (zones && zones.value === 'UTC' && !document.querySelector('.summary')) {
  zones.value = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

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
