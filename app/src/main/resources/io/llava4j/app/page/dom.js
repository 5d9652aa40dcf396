/** Elements without markup in strings: text of a model never becomes HTML. */

/** The element with this id; every id that is used stands in index.html. */
export const byId = (id) => document.getElementById(id);

/**
 * A new element. `properties`: `class`, `text`, `on` (listeners by event), and attributes; null and false leave one out.
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'text') made.textContent = value;
    else if (name === 'on') Object.entries(value).forEach(([event, listener]) => made.addEventListener(event, listener));
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A drawing of index.html's symbols; decoration, so hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows only a drawing; `label` is its name and its tooltip. */
export function iconButton(name, label, onclick, more = {}) {
  return element('button', { type: 'button', class: 'icon', 'aria-label': label, title: label, on: { click: onclick }, ...more }, icon(name));
}

/** A random id, also where the page is not served securely and crypto.randomUUID is absent. */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Tells a screen reader, and nobody else. */
export function announce(text) {
  byId('announcer').textContent = text;
}

/** Puts text into the clipboard, also over plain http, and shows that on the button. */
export async function copy(text, button) {
  const copied = await write(text);
  announce(copied ? 'Copied.' : 'The browser did not allow copying.');
  button.replaceChildren(icon(copied ? 'check' : 'warning'));
  setTimeout(() => button.replaceChildren(icon('copy')), 1500);
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element('textarea', { class: 'unseen' });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}
