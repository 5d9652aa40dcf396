/** The open conversation as a list of messages. */

import { byId, copy, element, icon, iconButton } from './dom.js';
import { Composer } from './composer.js';
import { objectUrl } from './images.js';
import { renderMarkdown } from './markdown.js';

export class Thread {
  #chat;
  #list = byId('thread');
  #views = new Map(); // message -> function that draws it again
  #pending = new Set();

  constructor(chat) {
    this.#chat = chat;
    setInterval(() => this.#tick(), 1000);
  }

  /** Draws all messages. */
  show() {
    this.#views.clear();
    this.#list.replaceChildren(...this.#chat.current.messages.map((message) => (message.role === 'user' ? this.#question(message) : this.#answer(message))));
  }

  /** Draws a message again, at most once a frame. */
  update(message, drawn) {
    if (!this.#views.has(message)) return;
    if (!this.#pending.size) {
      requestAnimationFrame(() => {
        this.#pending.forEach((each) => this.#views.get(each)?.());
        this.#pending.clear();
        drawn();
      });
    }
    this.#pending.add(message);
  }

  #question(message) {
    const item = element('li', { class: 'question' }, element('h2', { class: 'unseen', text: 'You' }));
    const images = element('div', { class: 'images' });
    message.images.forEach((named) => images.append(this.#image(named)));
    const actions = element('div', { class: 'actions' },
      copyButton('Copy the question', () => message.text),
      iconButton('edit', 'Edit the question', () => this.#edit(item, message)));
    item.append(images, ...(message.text ? [element('p', { class: 'bubble', text: message.text })] : []), actions);
    return item;
  }

  #image(named) {
    const picture = element('img', { alt: named.name });
    const button = element('button', { type: 'button', class: 'image', 'aria-label': `Enlarge ${named.name}`, on: { click: () => enlarge(picture) } }, picture);
    this.#chat.image(named).then((image) => {
      if (image) picture.src = objectUrl(image);
      else button.replaceWith(element('p', { class: 'gone', text: `${named.name} is no longer in this browser` }));
    });
    return button;
  }

  async #edit(item, message) {
    const form = element('form', { class: 'composer' });
    const close = () => {
      form.replaceWith(...shown);
      item.querySelector('.actions button:last-child').focus();
    };
    const composer = new Composer(form, {
      label: 'Edited question', placeholder: '', oncancel: close, onsend: (text, images) => this.#chat.edit(message, text, images),
    });
    const shown = Array.from(item.children).slice(1);
    shown.forEach((each) => each.remove());
    item.append(form);
    const images = await Promise.all(message.images.map((named) => this.#chat.image(named)));
    composer.set(message.text, images.filter(Boolean));
    composer.focus();
    item.composer = composer;
  }

  #answer(message) {
    const body = element('div', { class: 'markdown' });
    const waiting = element('p', { class: 'waiting' });
    const note = element('div', { class: 'note' });
    const usage = element('span', { class: 'usage' });
    const actions = element('div', { class: 'actions' },
      copyButton('Copy the answer', () => message.text),
      iconButton('again', 'Answer again', () => this.#chat.regenerate(message)),
      usage);
    const item = element('li', { class: 'answer' }, element('h2', { class: 'unseen', text: 'Model' }), body, waiting, note, actions);
    const started = Date.now();
    const draw = () => {
      const running = message.state === 'running';
      item.classList.toggle('running', running && message.text !== '');
      renderMarkdown(body, message.text);
      waiting.hidden = !running || message.text !== '';
      waiting.textContent = waitingText(message, (Date.now() - started) / 1000);
      note.replaceChildren(...this.#notes(message));
      actions.hidden = running || (message.state === 'failed' && message.text === '');
      actions.children[0].hidden = message.text === '';
      actions.children[1].hidden = message !== this.#chat.current.messages.at(-1); // it replaces what follows
      usage.textContent = usageText(message);
    };
    this.#views.set(message, draw);
    draw();
    return item;
  }

  #notes(message) {
    const notes = this.#states(message);
    const { messages } = this.#chat.current;
    const isLast = message === messages.at(-1);
    if (message.isSame) notes.push(element('p', { text: 'The same answer again, as always at temperature 0. A higher temperature in the settings gives others.' }));
    return message.text || isLast ? notes : [...notes, element('p', { text: 'Later questions were asked without this one.' })];
  }

  #states(message) {
    const retry = element('button', { type: 'button', class: 'quiet', text: 'Try again', on: { click: () => this.#chat.regenerate(message) } });
    switch (message.state) {
      case 'failed':
        return [element('div', { class: 'error', role: 'alert' }, icon('warning'),
          element('p', { text: sentence(message.error) + (message.retryAfter ? ` Try again in ${message.retryAfter} s.` : '') }),
          message === this.#chat.current.messages.at(-1) ? retry : null)];
      case 'stopped':
        return [element('p', { text: message.text ? 'You stopped this answer.' : 'You stopped this answer before its first word.' })];
      case 'interrupted':
        return [element('p', { text: 'This answer was interrupted when the page was closed.' })];
      case 'done':
        if (message.finish === 'length') return [element('p', { text: lengthText(message) })];
        return message.text ? [] : [element('p', { text: 'The model ended its answer before the first word.' })];
      default:
        return [];
    }
  }

  #tick() {
    this.#views.forEach((draw, message) => message.state === 'running' && !message.text && draw());
  }
}

function copyButton(label, text) {
  const button = iconButton('copy', label, () => copy(text(), button));
  return button;
}

function waitingText({ imagesRead, isWaiting }, seconds) {
  if (isWaiting) return 'Waiting for the server to load the model…';
  const what = imagesRead === 0 ? 'Reading the question' : imagesRead === 1 ? 'Reading the image' : `Reading ${imagesRead} images`;
  return seconds < 3 ? `${what}…` : `${what}… ${Math.floor(seconds)} s`;
}

/** A server's words as a sentence of this page. */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}

function lengthText({ usage, maxTokens }) {
  return usage && usage.completion_tokens < maxTokens
    ? 'The answer ends here because the context of the model is full: a new chat has room again.'
    : 'The answer ends here because it reached the maximum number of tokens; the settings allow more.';
}

/* Pieces that reach the page together say nothing about speed. */
const SHORTEST_TIMED_SECONDS = 0.05;

function usageText({ usage, firstToken, decoding }) {
  if (!usage) return '';
  const tokens = usage.completion_tokens;
  const image = usage.prompt_tokens_details?.image_tokens;
  const cached = usage.prompt_tokens_details?.cached_tokens;
  const prompt = [image ? `${image} image tokens` : '', cached ? `${cached} cached` : ''].filter(Boolean).join(', ');
  return [
    decoding > SHORTEST_TIMED_SECONDS && tokens > 1 ? `${((tokens - 1) / decoding).toFixed(1)} tokens/s` : '',
    tokens === 1 ? '1 token' : `${tokens} tokens`,
    firstToken === null || firstToken === undefined ? '' : `first after ${firstToken.toFixed(firstToken < 1 ? 2 : 1)} s`,
    `prompt ${usage.prompt_tokens}${prompt ? ` (${prompt})` : ''}`,
  ].filter(Boolean).join(' · ');
}

function enlarge(picture) {
  const viewer = byId('viewer');
  Object.assign(viewer.querySelector('img'), { src: picture.src, alt: picture.alt });
  viewer.showModal();
}
