/** A question being written: text and images, by chooser, paste or drop. Also used to edit an earlier question. */

import { announce, element, icon, iconButton } from './dom.js';
import { ACCEPT, filesOf, objectUrl, readImage } from './images.js';

export class Composer {
  images = [];
  #form;
  #options;
  #thumbnails = element('ul', { class: 'thumbnails', 'aria-label': 'Images of this question', hidden: true });
  #problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  #text;
  #send;
  #busy = false;

  /** `options`: onsend(text, images), onstop, oncancel (for edits), id, label, placeholder. */
  constructor(form, options) {
    this.#form = form;
    this.#options = options;
    this.#text = element('textarea', { id: options.id, rows: '1', placeholder: options.placeholder, 'aria-label': options.label, enterkeyhint: 'send' });
    this.#send = element('button', { type: 'submit', class: 'send' });
    const chooser = element('input', { type: 'file', accept: ACCEPT, multiple: true, class: 'unseen', tabindex: '-1', 'aria-hidden': 'true' });
    chooser.addEventListener('change', () => {
      this.add(Array.from(chooser.files));
      chooser.value = '';
    });
    form.append(this.#thumbnails, this.#problem, this.#text, element('div', { class: 'row' }, chooser,
      iconButton('image', 'Add images', () => chooser.click()),
      element('span', { class: 'hint', text: options.oncancel ? 'Sending replaces what follows.' : 'Enter sends, Shift+Enter starts a line' }),
      options.oncancel ? element('button', { type: 'button', class: 'quiet', text: 'Cancel', on: { click: options.oncancel } }) : null,
      this.#send));
    form.addEventListener('submit', (event) => this.#submit(event));
    this.#text.addEventListener('input', () => this.#update());
    this.#text.addEventListener('keydown', (event) => this.#key(event));
    this.#text.addEventListener('paste', (event) => this.#paste(event));
    this.#update();
  }

  get isEmpty() {
    return !this.#text.value.trim() && !this.images.length;
  }

  /** Whether it still stands on the page; an edit may be over. */
  get isShown() {
    return this.#form.isConnected;
  }

  /** While an answer is being written the button stops it. */
  set busy(busy) {
    this.#busy = busy;
    this.#update();
  }

  focus() {
    this.#text.focus();
    this.#text.setSelectionRange(this.#text.value.length, this.#text.value.length);
  }

  set(text, images) {
    this.#text.value = text;
    this.images = [...images];
    this.#update();
  }

  /** Adds the images among some files and says which are none. */
  async add(files) {
    const problems = [];
    for (const file of files) {
      try {
        this.images.push(await readImage(file));
      } catch (cause) {
        problems.push(cause.message);
      }
    }
    const added = files.length - problems.length;
    if (added) announce(added === 1 ? 'Image added.' : `${added} images added.`);
    this.#complain(problems.join(' '));
    this.#update();
    this.#text.focus();
  }

  #complain(text) {
    this.#problem.hidden = !text;
    this.#problem.textContent = text;
  }

  #submit(event) {
    event.preventDefault();
    if (this.#busy) {
      this.#options.onstop();
      return;
    }
    if (this.isEmpty) return;
    const { images } = this;
    const text = this.#text.value.trim();
    this.set('', []);
    this.#complain('');
    this.#options.onsend(text, images);
  }

  #key(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!this.#busy) this.#form.requestSubmit();
    } else if (event.key === 'Escape' && this.#options.oncancel) {
      event.stopPropagation();
      this.#options.oncancel();
    }
  }

  #paste(event) {
    const files = filesOf(event.clipboardData);
    if (!files.length) return;
    event.preventDefault();
    this.add(files);
  }

  #update() {
    const label = this.#busy ? 'Stop the answer' : 'Send';
    this.#send.replaceChildren(icon(this.#busy ? 'stop' : 'send'));
    this.#send.setAttribute('aria-label', label);
    this.#send.title = this.#busy ? `${label} (Escape)` : label;
    this.#send.disabled = !this.#busy && this.isEmpty;
    this.#text.style.height = 'auto';
    if (this.#text.scrollHeight) this.#text.style.height = `${this.#text.scrollHeight}px`;
    this.#thumbnails.hidden = !this.images.length;
    this.#thumbnails.replaceChildren(...this.images.map((image) => element('li', {},
      element('img', { src: objectUrl(image), alt: image.name }),
      iconButton('close', `Remove ${image.name}`, () => {
        this.images = this.images.filter((each) => each !== image);
        announce(`${image.name} removed.`);
        this.#update();
        this.#text.focus();
      }))));
  }
}
