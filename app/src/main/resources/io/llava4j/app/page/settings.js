/** Sampling settings, the system prompt, the theme and the API key. Settings live in localStorage. */

import { announce, byId } from './dom.js';
import { key } from './server.js';

const STORED = 'llava.settings';
const DEFAULTS = { system: '', temperature: 0, topP: 1, maxTokens: 512, seed: '' };
const THEMES = ['system', 'light', 'dark'];

export class Settings {
  #values = { ...DEFAULTS, ...read() };

  constructor() {
    this.#show();
    byId('open-settings').addEventListener('click', () => this.open());
    byId('reset-settings').addEventListener('click', () => this.#set({ ...DEFAULTS }));
    for (const event of ['input', 'change']) byId('settings').addEventListener(event, () => this.#read());
    byId('settings').addEventListener('click', (event) => event.target === byId('settings') && byId('settings').close());
    byId('api-key').addEventListener('input', (event) => { key.value = event.target.value; });
    byId('theme').addEventListener('click', () => this.#theme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]));
    this.#theme(theme(), false);
  }

  get system() {
    return this.#values.system.trim();
  }

  get isGreedy() {
    return this.#values.temperature === 0;
  }

  /** The parameters of a request. */
  request() {
    const { temperature, topP, maxTokens, seed } = this.#values;
    return { temperature, top_p: topP, max_tokens: maxTokens, ...(seed === '' ? {} : { seed }) };
  }

  open() {
    byId('api-key').value = key.value;
    byId('settings').showModal();
  }

  #read() {
    const number = (id, otherwise) => (byId(id).value !== '' && byId(id).checkValidity() ? byId(id).valueAsNumber : otherwise);
    this.#set({
      system: byId('system').value,
      temperature: byId('temperature').valueAsNumber,
      topP: byId('top-p').valueAsNumber,
      maxTokens: number('max-tokens', this.#values.maxTokens),
      seed: byId('seed').value === '' ? '' : number('seed', this.#values.seed),
    }, false);
  }

  #set(values, all = true) {
    this.#values = values;
    try {
      localStorage.setItem(STORED, JSON.stringify(values));
    } catch { /* without storage they last as long as the tab */ }
    this.#show(all);
  }

  #show(all = true) {
    const { system, temperature, topP, maxTokens, seed } = this.#values;
    if (all) {
      byId('system').value = system;
      byId('max-tokens').value = maxTokens;
      byId('seed').value = seed;
      byId('temperature').value = temperature;
      byId('top-p').value = topP;
    }
    byId('temperature-value').textContent = temperature.toFixed(2);
    byId('top-p-value').textContent = topP.toFixed(2);
  }

  #theme(name, spoken = true) {
    if (name === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    try {
      localStorage.setItem('llava.theme', name);
    } catch { /* as above */ }
    const label = `Theme: ${name === 'system' ? 'as the system' : name}`;
    byId('theme').setAttribute('aria-label', label);
    byId('theme').title = label;
    if (spoken) announce(label);
  }
}

function theme() {
  return document.documentElement.dataset.theme ?? storedTheme();
}

function storedTheme() {
  try {
    const stored = localStorage.getItem('llava.theme');
    return THEMES.includes(stored) ? stored : 'system';
  } catch {
    return 'system';
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}
